/** `/api/v1` of a control plane in a test, with a kind of records of its own: notes that name ports. */
import { z } from "@hono/zod-openapi";
import type { LoginSessions } from "../../src/auth/login_sessions.ts";
import type { Session } from "../../src/auth/session.ts";
import { Throttle } from "../../src/auth/throttle.ts";
import type { GateRequest, Verdict } from "../../src/auth/verdict.ts";
import type { SessionScope } from "../../src/config/config.ts";
import { ASKED_OF_ALL, portsField } from "../../src/control/api/fields.ts";
import { Members } from "../../src/control/api/members.ts";
import {
  addRecordRoutes,
  keptForm,
  type RecordKind,
} from "../../src/control/api/record_routes.ts";
import { setUpControl } from "./control.ts";
import { MemoryRecords } from "./memory_records.ts";
import { viaOf } from "./feature_words.ts";
import { ownCookies } from "./own_cookies.ts";

const asked = z.strictObject({ ...ASKED_OF_ALL, ports: portsField });

type Kept = { readonly ports: readonly number[] };

const kept: z.ZodType<Kept> = z.object({ ports: z.array(z.number()) });

const NOTES: RecordKind<z.output<typeof asked>, Kept> = {
  form: keptForm("notes", kept),
  via: viaOf("share"),
  asked,
  make: ({ ports }) => ({ data: { ports }, toldOnce: { secret: "s3" } }),
  tell: ({ ports }) => ({ ports }),
};

/** The bearer of the member of a sandbox, and the sealed session of one. */
export function memberOf(sandboxId: string): { authorization: string } {
  return { authorization: `Bearer member-of-${sandboxId}` };
}

/** Where the API is, and what its own pages send. */
export const NOTES_PATH = "/api/v1/notes";
export const OWN_READ = { "sec-fetch-site": "same-origin" };
export const OWN_WRITE = { ...OWN_READ, "origin": "https://p.test" };
export const JSON_TYPE = { "content-type": "application/json" };

/** The record that a member of a sandbox asks for. */
export function wish(differences: object = {}): string {
  return JSON.stringify({
    sandbox: "box",
    ports: [3000],
    expiresInSec: 60,
    ...differences,
  });
}

// deno-lint-ignore explicit-module-boundary-types -- its parts, by their names
export function setUpApi(scope: SessionScope = "sandbox") {
  const cookies = ownCookies({ scope });
  const records = new MemoryRecords();
  const state = { now: 1_000_000 };
  /** What the gate was asked about. */
  const gated: string[] = [];
  const sessions = new Map<string, Session>();
  const endedIds = new Set<string>();
  const destroyed = new Set<string>();
  /** What was counted of grants. */
  const counts: (readonly [via: string, outcome: string])[] = [];
  function admit({ label, credentials }: GateRequest): Promise<Verdict> {
    gated.push(label);
    for (const credential of credentials()) {
      const secret = credential.kind === "bearer"
        ? credential.token
        : credential.kind === "session"
        ? credential.sealed
        : "";
      const session = sessions.get(secret);
      const isOver = session && "id" in session && endedIds.has(session.id);
      if (isOver || secret !== `member-of-${label}`) continue;
      const subject = `subject-of-${label}`;
      const sandboxId = label === "name" ? NAMED : label;
      return Promise.resolve({
        kind: "allow",
        sandboxId,
        by: "bearer",
        credential,
        subject,
      });
    }
    return Promise.resolve({ kind: "login", code: "login_required" });
  }
  const userOf: LoginSessions["userOf"] = ({ id }) =>
    Promise.resolve(
      endedIds.has(id)
        ? undefined
        : { state: "open", accessToken: "token", expiresAt: undefined },
    );
  const throttle = new Throttle({
    refusalsPerMinute: 60,
    lookups: 60,
    maxClients: 10,
    now: () => state.now,
  });
  const members = new Members({
    scheme: "https",
    sessionScope: scope,
    cookies,
    sessions: { open: (sealed) => Promise.resolve(sessions.get(sealed)) },
    logins: { userOf },
    gate: { admit },
    grants: { recognizes: (secret) => secret.startsWith("grant-") },
    states: {
      stateOf: (sandboxId) =>
        Promise.resolve({
          state: destroyed.has(sandboxId) ? "destroyed" : "started",
          desiredState: null,
          recoverable: false,
          errorReason: null,
          ended: null,
          organizationId: "org",
        }),
    },
  });
  const control = setUpControl(() => [
    (app) =>
      addRecordRoutes(app, NOTES, {
        members,
        records,
        throttle,
        metrics: { grant: (...counted) => void counts.push(counted) },
        now: () => state.now,
      }),
  ]);
  /** Makes a record of `box`, and returns its path. */
  async function made(differences: object = {}): Promise<string> {
    const { response } = await control.send(NOTES_PATH, {
      method: "POST",
      headers: { ...memberOf("box"), ...JSON_TYPE },
      body: wish(differences),
    });
    return response.headers.get("location") ?? "";
  }
  return {
    ...control,
    cookies,
    records,
    clock: state,
    gated,
    sessions,
    endedIds,
    destroyed,
    counts,
    made,
  };
}

/** The id of the sandbox that is called `name`. */
export const NAMED = "6a1e1c8e-2a7b-4f9c-9d63-0b1f5a8f7c01";
