/** The routes of one kind of records, `/api/v1/{kind}`: members of a sandbox make, list, read and end those of it. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { z } from "zod";
import type { Throttle } from "../../auth/throttle.ts";
import { GatewayError } from "../../errors.ts";
import { AUDIT, loggerFor } from "../../observability/log.ts";
import type { GrantVia } from "../../observability/metrics/facts.ts";
import type { Metrics } from "../../observability/metrics/metrics.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { storedObject } from "../../records/form.ts";
import type { Records } from "../../records/records.ts";
import {
  type RecordForm,
  recordForm,
  type StoredRecord,
  type VersionedRecord,
} from "../../records/stored_record.ts";
import type { ControlEnv } from "../route.ts";
import { type AskedOfAll, LIST_QUERY, timeOf } from "./fields.ts";
import { checked, jsonBody } from "./json_body.ts";
import type { Members } from "./members.ts";

/** Where a record is made. */
export interface RecordPlace {
  readonly id: string;
  readonly sandboxId: string;
  /** The base host, as its client knows it: `host[:port]`. */
  readonly authority: string;
  /** When the record ends, ms since the epoch. */
  readonly expiresAt: number;
}

/** What is kept of it, and what is told of it only once. */
interface MadeRecord<D> {
  readonly data: D;
  readonly toldOnce: Readonly<Record<string, string>>;
}

/** A kind of records: `A` is what a member asks for, `D` what of it is kept. */
export interface RecordKind<A extends AskedOfAll, D> {
  /** Its name is in paths and in the log, too. */
  readonly form: RecordForm<Kept<D>>;
  /** What it is, if it is a grant. */
  readonly via?: GrantVia;
  readonly asked: z.ZodType<A>;
  /** What is kept of what was asked for, and what is told of it only once. */
  make(asked: A, place: RecordPlace): MadeRecord<D> | Promise<MadeRecord<D>>;
  /** What is told of what is kept. */
  tell(data: D): Readonly<Record<string, unknown>>;
}

/** What is kept of each record: `own` is what its kind is about. */
export interface Kept<D> {
  readonly createdBy: string | null;
  readonly note: string | null;
  readonly own: D;
}

/** A kind of records in the store. */
export function keptForm<D>(
  name: string,
  own: z.ZodType<D>,
): RecordForm<Kept<D>> {
  const text = z.string().nullable();
  const data = storedObject({ createdBy: text, note: text, own });
  return recordForm(name, data);
}

interface RecordParts {
  readonly members: Members;
  readonly records: Pick<
    Records,
    "get" | "put" | "delete" | "list" | "makeRoom" | "endedWithinMs"
  >;
  readonly throttle: Throttle;
  readonly metrics: Pick<Metrics, "grant">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** After how many seconds no gateway takes what was ended, in an outage, too. */
export const ENDED_WITHIN = "x-porthole-ended-within";

const ID = /^[A-Za-z0-9_-]{22}$/;

/** Adds the routes of a kind, without their descriptions, and returns what further routes of that kind need. */
export function addRecordRoutes<A extends AskedOfAll, D>(
  app: OpenAPIHono<ControlEnv>,
  kind: RecordKind<A, D>,
  parts: RecordParts,
): Pick<RecordRoutes<A, D>, "find" | "audit"> {
  const routes = new RecordRoutes(kind, parts);
  const path = `/api/v1/${kind.form.name}`;
  app.post(path, (c) => routes.create(c));
  app.get(path, (c) => routes.list(c));
  app.get(`${path}/:id`, (c) => routes.read(c));
  app.delete(`${path}/:id`, (c) => routes.end(c));
  return routes;
}

class RecordRoutes<A extends AskedOfAll, D> {
  readonly #kind: RecordKind<A, D>;
  readonly #parts: RecordParts;
  readonly #log = loggerFor(AUDIT);

  constructor(kind: RecordKind<A, D>, parts: RecordParts) {
    this.#kind = kind;
    this.#parts = parts;
  }

  async create(c: Context<ControlEnv>): Promise<Response> {
    const { members, records, now } = this.#parts;
    const { form, asked: schema, make } = this.#kind;
    const caller = members.callerOf(c);
    const asked = await jsonBody(c, schema);
    const { sandboxId, subject } = await members.admit(caller, asked.sandbox);
    const id = newId();
    const createdAt = now();
    const expiresAt = createdAt + 1000 * asked.expiresInSec;
    const authority = c.env.authority.toLowerCase();
    const place = { id, sandboxId, authority, expiresAt };
    const { data: own, toldOnce } = await make(asked, place);
    const kept: Kept<D> = {
      createdBy: subject ?? null,
      note: asked.note ?? null,
      own,
    };
    const record: StoredRecord<Kept<D>> = {
      id,
      sandboxId,
      organizationId: await members.organizationOf(sandboxId) ?? null,
      createdAt,
      expiresAt,
      data: kept,
    };
    let written = await records.put(form, record, "absent");
    if (
      written === "full" &&
      await records.makeRoom(form, record, (id) => members.isGone(id))
    ) {
      written = await records.put(form, record, "absent");
    }
    if (written === "full") throw new GatewayError("records_full", "A cap");
    if (written === "conflict") throw new Error("Cannot use an id twice");
    this.audit("made", c, record, subject);
    return answer(201, { ...this.#told(record), ...toldOnce }, {
      etag: `"${written.etag}"`,
      location: `${c.req.path}/${id}`,
    });
  }

  async list(c: Context<ControlEnv>): Promise<Response> {
    const { members, records } = this.#parts;
    const caller = members.callerOf(c);
    const { sandbox, cursor } = checked(c.req.query(), LIST_QUERY);
    const { sandboxId } = await members.admit(caller, sandbox);
    const page = await records.list(this.#kind.form, sandboxId, cursor);
    const items = page.items.map(({ record }) => this.#told(record));
    return answer(200, { items, next: page.next });
  }

  async read(c: Context<ControlEnv>): Promise<Response> {
    const { found: { record, etag } } = await this.find(c);
    return answer(200, this.#told(record), { etag: `"${etag}"` });
  }

  async end(c: Context<ControlEnv>): Promise<Response> {
    const { found: { record }, subject } = await this.find(c);
    const wanted = c.req.raw.headers.get("if-match")?.trim() ?? "*";
    // What was found may be 5 s old, which nobody's precondition is about.
    const isGone = await this.#parts.records.delete(
      this.#kind.form,
      record.id,
      (now) =>
        now.record.sandboxId === record.sandboxId && isNamed(wanted, now.etag),
    );
    if (!isGone) {
      throw wanted === "*"
        ? notFound()
        : new GatewayError("precondition_failed", "Another version");
    }
    this.audit("ended", c, record, subject);
    const withinSec = Math.ceil(this.#parts.records.endedWithinMs / 1000);
    const headers = {
      ...OWN_ANSWER_HEADERS,
      [ENDED_WITHIN]: String(withinSec), // nobody knows which gateways have heard
    };
    return new Response(null, { status: 204, headers });
  }

  /** The record that a member asks for; who asks for another's is refused as if there were none, and not earlier. */
  async find(c: Context<ControlEnv>): Promise<{
    readonly found: VersionedRecord<Kept<D>>;
    readonly subject: string | undefined;
  }> {
    const { members, records, throttle } = this.#parts;
    const caller = members.callerOf(c);
    const id = c.req.param("id") ?? "";
    if (!ID.test(id)) throw notFound();
    const budget = throttle.budgetFor(caller);
    const found = await budget.settledBy(
      records.get(this.#kind.form, id, () => budget.spend("store")),
      (it) => it !== undefined,
    );
    // Of no sandbox, somebody is asked about one all the same: that takes as long.
    const { subject } = await members
      .admit(caller, found?.record.sandboxId ?? id);
    if (found === undefined) throw notFound();
    return { found, subject };
  }

  #told(record: StoredRecord<Kept<D>>): Readonly<Record<string, unknown>> {
    const { id, sandboxId, createdAt, expiresAt } = record;
    const { createdBy, note, own } = record.data;
    return {
      id,
      sandboxId,
      createdAt: timeOf(createdAt),
      createdBy,
      expiresAt: expiresAt && timeOf(expiresAt),
      note,
      ...this.#kind.tell(own),
    };
  }

  /** Logs and counts what a member has done with a record. */
  audit(
    outcome: "made" | "renewed" | "ended",
    { env: { requestId } }: Context<ControlEnv>,
    { id, sandboxId }: StoredRecord,
    subject: string | undefined,
  ): void {
    const { form: { name: kind }, via } = this.#kind;
    if (via !== undefined) this.#parts.metrics.grant(via, outcome);
    const facts = { requestId, kind, id, sandboxId, subject };
    this.#log.info(`record ${outcome}`, facts);
  }
}

/** True unless If-Match names other versions (RFC 9110 section 13.1.1); a weak one never matches. */
export function isNamed(wanted: string, etag: string): boolean {
  return wanted === "*" ||
    wanted.split(",").some((each) => each.trim() === `"${etag}"`);
}

function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** The refusal of what is not there, or of somebody else. */
export function notFound(): GatewayError {
  return new GatewayError("not_found", "No such record");
}

/** An answer in JSON. */
export function answer(
  status: 200 | 201,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json(body, {
    status,
    headers: { ...OWN_ANSWER_HEADERS, ...headers },
  });
}
