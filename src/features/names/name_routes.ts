/** `/api/v1/names`: members of a sandbox name its ports. Names are found in memory, and changed in the store. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Caller } from "../../control/api/caller.ts";
import { checked, invalid, jsonBody } from "../../control/api/json_body.ts";
import { answer, isNamed, notFound } from "../../control/api/record_routes.ts";
import type { ControlEnv } from "../../control/route.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { digestKey } from "../../lib/digest.ts";
import { TokenBuckets } from "../../lib/token_bucket.ts";
import { AUDIT, loggerFor } from "../../observability/log.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { afterCheck } from "./domain_checks.ts";
import { proofOf } from "./domain_proof.ts";
import { kindOf, type NameRules } from "./host_rules.ts";
import type { KeptName, NameBook, NameEntry } from "./kept_name.ts";
import {
  ASKED_NAME,
  NAMES_QUERY,
  NOTHING_ASKED,
  tagOf,
  told,
} from "./name_descriptions.ts";
import {
  checkNotTaken,
  type NameOwner,
  namesIn,
  nameTaken,
  ownerKeyOf,
  ownIn,
  wishedName,
  withName,
  withoutName,
} from "./name_entries.ts";

/** Most names of a sandbox, and of an organization. */
const MAX_OF_SANDBOX = 100;
const MAX_OF_ORGANIZATION = 10_000;

/** Most changes of an owner in a minute: each is written, and has all gateways read it. */
const CHANGES_PER_MINUTE = 60;

/** Most owners whose changes are counted. */
const MAX_COUNTED = 10_000;

interface NameParts
  extends Pick<FeatureParts, "members" | "throttle" | "resolveDns" | "now"> {
  readonly book: NameBook;
  readonly table: {
    /** True for a name of the operator's own. */
    isOfFile(host: string): boolean;
  };
  readonly rules: () => NameRules;
}

/** Adds the routes, without their descriptions. */
export function addNameRoutes(
  app: OpenAPIHono<ControlEnv>,
  parts: NameParts,
): void {
  const routes = new NameRoutes(parts);
  const path = "/api/v1/names";
  app.get(path, (c) => routes.list(c));
  app.put(`${path}/:host`, (c) => routes.put(c));
  app.get(`${path}/:host`, (c) => routes.read(c));
  app.delete(`${path}/:host`, (c) => routes.end(c));
  app.post(`${path}/:host/verify`, (c) => routes.verify(c));
}

/** What a member has found, and what it is called. */
interface Found {
  readonly found: KeptName;
  readonly caller: Caller;
  readonly subject: string | undefined;
}

class NameRoutes {
  readonly #parts: NameParts;
  readonly #log = loggerFor(AUDIT);
  /** The domains that the DNS is being asked about, by host and owner. */
  readonly #asked = new Set<string>();
  /** The changes that are left to owners. */
  readonly #changes: TokenBuckets;

  constructor(parts: NameParts) {
    this.#parts = parts;
    this.#changes = new TokenBuckets({
      capacity: CHANGES_PER_MINUTE,
      refillPerSec: CHANGES_PER_MINUTE / 60,
      maxKeys: MAX_COUNTED,
      now: parts.now,
    });
  }

  async put(c: Context<ControlEnv>): Promise<Response> {
    const { members, book, table, rules, now } = this.#parts;
    const caller = members.callerOf(c);
    const host = hostOf(c);
    const { namesDomain, baseDomains } = rules();
    const its = kindOf(host, { namesDomain, baseDomains });
    if ("problem" in its) {
      const { problem: message } = its;
      throw invalid([{ path: "/host", message }], `/host: ${message}`);
    }
    const { sandbox, port } = await jsonBody(c, ASKED_NAME);
    const { sandboxId, subject } = await members.admit(caller, sandbox);
    if (table.isOfFile(host)) throw nameTaken();
    const organizationId = await members.organizationOf(sandboxId);
    if (organizationId === undefined) {
      throw new GatewayError("api_unreachable", "Its organization is not told");
    }
    const wish = {
      host,
      kind: its.kind,
      sandboxId,
      port,
      organizationId,
      createdBy: subject ?? null,
      namesDomain,
    };
    this.#throttle(wish);
    let status: 200 | 201 = 201;
    const entry = await book.change(host, (entry) => {
      checkNotTaken(entry, wish);
      const before = ownIn(entry, wish);
      status = before === undefined ? 201 : 200;
      checkPreconditions(c, before);
      const name = wishedName(entry, wish, now());
      this.#checkRoom(entry, before, name);
      return withName(entry, name);
    });
    const kept = ownOf(entry, wish);
    this.#audit(status === 201 ? "made" : "changed", c, kept, subject);
    return answerWith(kept, status);
  }

  async list(c: Context<ControlEnv>): Promise<Response> {
    const { members, book } = this.#parts;
    const caller = members.callerOf(c);
    const { sandbox } = checked(c.req.query(), NAMES_QUERY);
    const { sandboxId } = await members.admit(caller, sandbox);
    return answer(200, { items: book.ofSandbox(sandboxId).map(told) });
  }

  async read(c: Context<ControlEnv>): Promise<Response> {
    return answerWith((await this.#find(c)).found);
  }

  async end(c: Context<ControlEnv>): Promise<Response> {
    const { book, now } = this.#parts;
    const { found, subject } = await this.#find(c);
    this.#throttle(found);
    await book.change(found.host, (entry) => {
      const own = ownOf(entry, found); // what was found may be 5 s old
      checkPreconditions(c, own);
      return withoutName(entry, own, now());
    });
    this.#audit("ended", c, found, subject);
    return new Response(null, { status: 204, headers: OWN_ANSWER_HEADERS });
  }

  async verify(c: Context<ControlEnv>): Promise<Response> {
    const { book, throttle, resolveDns, now } = this.#parts;
    const { found, caller, subject } = await this.#find(c);
    await jsonBody(c, NOTHING_ASKED);
    const { host, proof } = found;
    if (proof === null) return answerWith(found);
    checkNotTaken(book.entryOf(host), found);
    const asked = `${host} ${ownerKeyOf(found)}`;
    if (this.#asked.has(asked)) {
      throw new GatewayError("too_many_lookups", "The DNS is being asked");
    }
    const budget = throttle.budgetFor(caller);
    budget.spend("store");
    this.#asked.add(asked);
    const result = await budget
      .settledBy(proofOf(host, proof, resolveDns), ({ ok }) => ok)
      .finally(() => this.#asked.delete(asked));
    const entry = await book.change(host, (entry) => {
      checkNotTaken(entry, found);
      const own = ownOf(entry, found);
      // Meanwhile it may have been given up, and claimed anew.
      if (own.proof?.nonce !== proof.nonce) throw notFound();
      return withName(entry, afterCheck(own, result, now()));
    });
    const kept = ownOf(entry, found);
    if (kept.state !== found.state) this.#audit(kept.state, c, kept, subject);
    return answerWith(kept);
  }

  /**
   * The name at a host that a member asks for; who asks for another's is refused as if there were none. However many
   * want that host, it takes as long: all are asked about at once, and somebody where there is none.
   */
  async #find(c: Context<ControlEnv>): Promise<Found> {
    const { members, book } = this.#parts;
    const caller = members.callerOf(c);
    const host = hostOf(c);
    const names = namesIn(book.entryOf(host));
    const sandboxes = names.length > 0
      ? names.map(({ sandboxId }) => sandboxId)
      : [digestKey([host])];
    const answers = await Promise.allSettled(
      sandboxes.map((sandboxId) => members.admit(caller, sandboxId)),
    );
    const failures: unknown[] = [];
    for (const [at, each] of answers.entries()) {
      const found = names[at];
      if (each.status === "rejected") failures.push(each.reason);
      else if (found) return { found, caller, subject: each.value.subject };
    }
    throw failures.find((error) => !isNotFound(error)) ?? notFound();
  }

  /** Throws `names_throttled` if an owner has changed too much lately. */
  #throttle(owner: NameOwner): void {
    const allowance = this.#changes.take(ownerKeyOf(owner));
    if (allowance.ok) return;
    const { retryAfterSec } = allowance;
    const reason = "Too many changes of names";
    throw new GatewayError("names_throttled", reason, { retryAfterSec });
  }

  /** Throws `records_full` if a name is new to its sandbox or owner, not given up by it, and that has too many. */
  #checkRoom(
    { holder }: NameEntry,
    before: KeptName | undefined,
    name: KeptName,
  ): void {
    const { book } = this.#parts;
    const { sandboxId, organizationId } = name;
    const max = organizationId === null ? MAX_OF_SANDBOX : MAX_OF_ORGANIZATION;
    const isFull = before?.sandboxId !== sandboxId &&
        book.ofSandbox(sandboxId).length >= MAX_OF_SANDBOX ||
      before === undefined && holder === undefined &&
        book.countOf(ownerKeyOf(name)) >= max;
    if (isFull) throw new GatewayError("records_full", "A cap");
  }

  /** Logs what a member has done with a name. */
  #audit(
    outcome: "made" | "changed" | "ended" | KeptName["state"],
    { env: { requestId } }: Context<ControlEnv>,
    { host: id, sandboxId, port }: KeptName,
    subject: string | undefined,
  ): void {
    const facts = { requestId, kind: "names", id, sandboxId, port, subject };
    this.#log.info(`record ${outcome}`, facts);
  }
}

function hostOf(c: Context<ControlEnv>): string {
  return c.req.param("host") ?? "";
}

/** An owner's name in an entry; throws `not_found` if it has none there. */
function ownOf(entry: NameEntry, owner: NameOwner): KeptName {
  const own = ownIn(entry, owner);
  if (own === undefined) throw notFound();
  return own;
}

/** Throws `precondition_failed` unless If-Match and If-None-Match allow a change of it (RFC 9110 section 13.1). */
function checkPreconditions(
  { req: { raw: { headers } } }: Context<ControlEnv>,
  before: KeptName | undefined,
): void {
  const wanted = headers.get("if-match")?.trim();
  const unwanted = headers.get("if-none-match")?.trim();
  const has = (tags: string) =>
    before !== undefined && isNamed(tags, tagOf(before));
  const isMet = (wanted === undefined || has(wanted)) &&
    (unwanted === undefined || !has(unwanted));
  if (!isMet) throw new GatewayError("precondition_failed", "Another version");
}

function answerWith(name: KeptName, status: 200 | 201 = 200): Response {
  return answer(status, told(name), { etag: `"${tagOf(name)}"` });
}

function isNotFound(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "not_found";
}
