import assert from "node:assert/strict";
import { viaOf } from "../../support/feature_words.ts";
import { GrantAccess } from "../../../src/auth/grant_access.ts";
import {
  ENDED_MS,
  frameSessionFor,
  type FrameTerms,
  type Grant,
  type GrantSource,
  sessionFor,
} from "../../../src/auth/grants.ts";
import type { GrantVia } from "../../../src/observability/metrics/facts.ts";
import { UNMETERED } from "../../../src/resolver/lookup_cache.ts";

const NOW = 1_000;

const GRANT: Grant = {
  via: viaOf("token"),
  id: "g",
  sandboxId: "box",
  ports: [3000],
  expiresAt: NOW + 1,
};

const USE = {
  sandboxId: "box",
  port: 3000,
  method: "GET",
  clientAddress: "192.0.2.1",
};

/** A source of secrets with a prefix, which knows that grant whatever the secret. */
function sourceOf(
  prefix: string,
  via: readonly GrantVia[],
  grant: Grant | undefined,
) {
  const asked: string[] = [];
  const source: GrantSource = {
    via,
    recognizes: (secret) => secret.startsWith(prefix),
    open({ secret }) {
      asked.push(secret);
      return Promise.resolve(grant);
    },
    reopen({ id }) {
      asked.push(id);
      return Promise.resolve(grant);
    },
  };
  return { source, asked };
}

function accessTo(...sources: readonly GrantSource[]): GrantAccess {
  const access = new GrantAccess(() => NOW);
  access.use(sources);
  return access;
}

const A = { secret: "a", place: "header" } as const;
const PLACE = { port: 3000 };
const SESSION = sessionFor(GRANT, PLACE);

Deno.test("only the source that recognizes a secret is asked for its grant, and nobody for a secret of none", async () => {
  const one = sourceOf("a", [viaOf("token")], GRANT);
  const other = sourceOf("b", [viaOf("ticket")], undefined);
  const access = accessTo(other.source, one.source);
  const answer = await access.judge(A, USE, UNMETERED);
  assert.deepEqual(answer, { isGood: true, grant: GRANT });
  assert(access.recognizes("a1") && !access.recognizes("c"));
  const unknown = { secret: "c", place: "query" } as const;
  const none = await access.judge(unknown, USE, UNMETERED);
  assert.deepEqual(none, { isGood: false, grant: undefined });
  assert.deepEqual([one.asked, other.asked], [["a"], []]);
});

Deno.test("what a source recognizes is its own, unless the source says otherwise", () => {
  const { source } = sourceOf("a", [viaOf("token")], GRANT);
  const shared = sourceOf("b", [viaOf("ticket")], GRANT).source;
  const owns = (secret: string) => secret === "b-own";
  const access = accessTo(source, { ...shared, owns });
  assert(access.owns("a1") && access.owns("b-own"));
  assert(!access.owns("b-app") && !access.owns("c"));
  assert(access.recognizes("b-app"));
});

Deno.test("a session's grant is asked of all sources of its kind, until one knows it", async () => {
  const others = sourceOf("", [viaOf("share")], GRANT);
  const first = sourceOf("", [viaOf("token")], undefined);
  const second = sourceOf("", [viaOf("ticket"), viaOf("token")], GRANT);
  const sources = [others, first, second].map(({ source }) => source);
  const access = accessTo(...sources);
  assert((await access.judge(SESSION, USE, UNMETERED)).isGood);
  const asked = [others, first, second].map(({ asked }) => asked.length);
  assert.deepEqual(asked, [0, 1, 1]);
});

Deno.test("whatever a source says, a grant is good for its sandbox, ports and methods until its end only", async () => {
  for (
    const [grant, use, isGood] of [
      [{}, {}, true],
      [{ expiresAt: NOW }, {}, false],
      [{ sandboxId: "other" }, {}, false],
      [{ ports: [3001] }, {}, false],
      [{ ports: [3001, 3000] }, {}, true],
      [{ ports: [22222] }, { port: 22222 }, false],
      [{ methods: ["GET"] }, {}, true],
      [{ methods: ["GET"] }, { method: "POST" }, false],
      [{ methods: [] }, {}, false],
    ] as [Partial<Grant>, Partial<typeof USE>, boolean][]
  ) {
    const known = { ...GRANT, ...grant };
    const { source } = sourceOf("a", [viaOf("token")], known);
    const access = accessTo(source);
    const wanted = { ...USE, ...use };
    const opened = await access.judge(A, wanted, UNMETERED);
    const reopened = await access.judge(SESSION, wanted, UNMETERED);
    assert.deepEqual([opened.isGood, reopened.isGood], [isGood, isGood]);
  }
});

Deno.test("a source that cannot tell now says so", async () => {
  const failing: GrantSource = {
    via: [viaOf("token")],
    recognizes: () => true,
    open: () => Promise.reject(new Error("away")),
    reopen: () => Promise.reject(new Error("away")),
  };
  const access = accessTo(failing);
  await assert.rejects(access.judge(A, USE, UNMETERED), { message: "away" });
  await assert.rejects(access.judge(SESSION, USE, UNMETERED), {
    message: "away",
  });
});

const TERMS: FrameTerms = {
  ancestors: ["https://product.example"],
  frame: "replace",
  cookies: "partition",
  isolate: null,
  bridge: [],
};

Deno.test("a grant's terms for frames count where a page of ours makes a frame of it, and by no other way", async () => {
  const framed = { ...GRANT, frame: TERMS };
  const access = accessTo(sourceOf("a", [viaOf("token")], framed).source);
  for (const place of ["header", "query", "bearer", "frame"] as const) {
    const { isGood, grant } = await access
      .judge({ secret: "a", place }, USE, UNMETERED);
    assert(isGood, place);
    assert.equal(grant?.frame, place === "frame" ? TERMS : undefined, place);
  }
  const session = frameSessionFor(framed, PLACE, NOW + 1);
  const { grant } = await access.judge(session, USE, UNMETERED);
  assert.equal(grant?.frame, TERMS);
  const ofLink = await access.judge(SESSION, USE, UNMETERED);
  assert(ofLink.isGood && ofLink.grant?.frame === undefined);
});

Deno.test("a frame's session ends before its cookie does, and nobody is asked about it then", async () => {
  const renewed = { ...GRANT, expiresAt: Infinity, frame: TERMS };
  const { source, asked } = sourceOf("a", [viaOf("token")], renewed);
  const access = accessTo(source);
  const over = frameSessionFor(GRANT, PLACE, NOW);
  assert.equal(over.expiresAt, NOW + ENDED_MS);
  const none = { isGood: false, grant: undefined };
  assert.deepEqual(await access.judge(over, USE, UNMETERED), none);
  assert.deepEqual(asked, []);
  const lasting = frameSessionFor(GRANT, PLACE, NOW + 1);
  assert((await access.judge(lasting, USE, UNMETERED)).isGood);
  // What was admitted before is asked about by its grant, whatever end that had.
  const before = sessionFor({ ...GRANT, expiresAt: NOW - 1 }, PLACE);
  assert((await access.judge(before, USE, UNMETERED)).isGood);
});
