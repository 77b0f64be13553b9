import assert from "node:assert/strict";
import type { GrantSession } from "../../../../src/auth/grants.ts";
import { tokenGrants } from "../../../../src/features/machine_tokens/token_grants.ts";
import {
  type KeptToken,
  tokenKind,
  TOKENS,
} from "../../../../src/features/machine_tokens/token_kind.ts";
import { Background } from "../../../../src/lib/background.ts";
import { SecretHashes } from "../../../../src/lib/secret_hashes.ts";
import { MemoryRecords } from "../../../support/memory_records.ts";

const ID = "AAECAwQFBgcICQoLDA0ODw";
const HOUR_MS = 3_600_000;
const BOX = { sandboxId: "box", port: 3000, clientAddress: "192.0.2.1" };
const FREE = { spend() {} };

/** The grants of tokens, and one token for port 3000 and 3001 of `box`. */
async function setUp() {
  const clock = { now: 1_000_000 };
  const records = new MemoryRecords();
  const failures: unknown[] = [];
  const background = new Background((_task, reason) => failures.push(reason));
  const hashes = new SecretHashes(["key"], "test");
  const parts = { records, background, now: () => clock.now };
  const asked = {
    sandbox: "box",
    ports: [3000, 3001],
    methods: ["GET" as const],
    expiresInSec: 60,
  };
  const { data: own, toldOnce: { token = "" } } = await tokenKind(hashes).make(
    asked,
    { id: ID, sandboxId: "box", authority: "preview.test", expiresAt: 0 },
  );
  const record = {
    id: ID,
    sandboxId: "box",
    organizationId: "org",
    createdAt: clock.now,
    expiresAt: clock.now + 10 * HOUR_MS,
    data: { createdBy: "alice", note: null, own },
  };
  await records.put(TOKENS, record, "absent");
  const grants = tokenGrants(hashes, parts);
  return {
    grants,
    records,
    token,
    clock,
    background,
    failures,
    open: (secret: string, more: Partial<typeof BOX> = {}, budget = FREE) =>
      grants.open({ secret, place: "header" }, { ...BOX, ...more }, budget),
    async lastUsedAt() {
      await background.settled();
      const found = await records.get(TOKENS, ID);
      const { own } = found?.record.data as unknown as { own: KeptToken };
      return own.lastUsedAt;
    },
  };
}

Deno.test("a token is what its record says, at its sandbox only", async () => {
  const { open, token, clock } = await setUp();
  assert.deepEqual(await open(token), {
    via: "token",
    id: ID,
    sandboxId: "box",
    ports: [3000, 3001],
    methods: ["GET"],
    expiresAt: clock.now + 10 * HOUR_MS,
  });
  assert.equal(await open(token, { sandboxId: "other" }), undefined);
});

Deno.test("another secret with the id of a record opens nothing", async () => {
  const { open, token } = await setUp();
  const last = token.at(-3) === "A" ? "B" : "A";
  const forged = token.slice(0, -3) + last + token.slice(-2);
  assert.equal(await open(forged), undefined);
});

Deno.test("a token and its sessions end with its record", async () => {
  const { grants, open, token, records } = await setUp();
  const session: GrantSession = {
    kind: "grant",
    via: "token",
    id: ID,
    sandboxId: "box",
    port: 3000,
    expiresAt: Infinity,
  };
  assert.equal((await grants.reopen(session, FREE))?.id, ID);
  await records.delete(TOKENS, ID);
  assert.equal(await grants.reopen(session, FREE), undefined);
  assert.equal(await open(token), undefined);
});

Deno.test("what is surely no token is not looked for, and its client pays for the rest", async () => {
  const { open, token, records } = await setUp();
  records.asked.length = 0;
  const spent: unknown[] = [];
  const budget = { spend: (asked?: string) => void spent.push(asked) };
  await open("pp_short", {}, budget);
  assert.deepEqual([records.asked.length, spent], [0, []]);
  await open(token, {}, budget);
  assert.deepEqual(spent, ["store"]);
  const broke = {
    spend() {
      throw new Error("over the budget");
    },
  };
  records.asked.length = 0;
  await assert.rejects(open(token, {}, broke), /over the budget/);
  assert.deepEqual(records.asked, []);
});

Deno.test("the use of a token is noted once an hour, unless it is for another port", async () => {
  const { open, token, clock, lastUsedAt } = await setUp();
  await open(token, { port: 8000 });
  assert.equal(await lastUsedAt(), null);
  await open(token);
  const first = clock.now;
  assert.equal(await lastUsedAt(), first);
  clock.now += HOUR_MS - 1;
  await open(token);
  assert.equal(await lastUsedAt(), first);
  clock.now += 2;
  await open(token);
  assert.equal(await lastUsedAt(), clock.now);
});

Deno.test("a use that cannot be noted, or comes with the end of its token, admits and changes nothing", async () => {
  const { open, token, records, background, failures } = await setUp();
  const opening = open(token);
  await records.delete(TOKENS, ID);
  assert.equal((await opening)?.id, ID);
  await background.settled();
  assert.equal(await records.get(TOKENS, ID), undefined);
  assert.deepEqual(failures, []);
});
