import assert from "node:assert/strict";
import { viaOf } from "../../support/feature_words.ts";
import { GrantCodes } from "../../../src/auth/grant_codes.ts";
import type { PresentedGrant } from "../../../src/auth/grants.ts";
import { UsedCodes } from "../../../src/auth/used_codes.ts";
import { createSealer } from "../../../src/lib/seal.ts";
import { MemoryRecords } from "../../support/memory_records.ts";
import { anyForm } from "../../support/record_forms.ts";

const SHARES = anyForm("shares");

const USER = ["https://id.example.com", "ann"] as const;
const SHARE = {
  id: "share-1",
  sandboxId: "box",
  port: 3000,
  subject: "hash",
  user: USER,
};
const OPENED = `share-1 hash ${USER}`;
const BOX = { sandboxId: "box", port: 3000, clientAddress: "192.0.2.1" };

/** Codes of shares, and one share of port 3000 of `box`. */
async function setUp(purpose = "share-code") {
  const clock = { now: 1_000_000 };
  const now = () => clock.now;
  const codes = new GrantCodes({
    mark: "ps_",
    sealer: createSealer({ secrets: ["secret"], purpose, now }),
    usedCodes: new UsedCodes(null, { kind: purpose, maxEntries: 10 }),
    now,
  });
  const records = new MemoryRecords();
  const { id, sandboxId } = SHARE;
  await records.put(SHARES, {
    id,
    sandboxId,
    organizationId: null,
    createdAt: clock.now,
    expiresAt: clock.now + 600_000,
    data: SHARE.port,
  }, "absent");
  records.asked.length = 0;
  const spent: unknown[] = [];
  const budget = { spend: (asked?: string) => void spent.push(asked) };
  const grants = codes.sourceOf({
    form: SHARES,
    via: viaOf("share"),
    place: "query",
    records,
    termsOf: (data) => ({ ports: [Number(data)] }),
  });
  async function open(
    secret: string,
    more: Partial<typeof BOX> = {},
    place: PresentedGrant["place"] = "query",
  ): Promise<string | undefined> {
    const request = { ...BOX, ...more };
    const grant = await grants.open({ secret, place }, request, budget);
    return grant && `${grant.id} ${grant.subject} ${grant.user}`;
  }
  return { clock, codes, grants, records, spent, budget, open };
}

Deno.test("a code opens its grant, for whom it was issued, once", async () => {
  const { codes, open, grants } = await setUp();
  const code = await codes.issue(SHARE);
  assert.match(code, /^ps_[\w.-]+$/);
  assert(grants.recognizes(code));
  const other = await codes.issue(SHARE);
  assert.notEqual(other, code);
  assert.equal(await open(code), OPENED);
  assert.equal(await open(code), undefined);
  assert.equal(await open(other), OPENED);
});

Deno.test("a code opens for a minute", async () => {
  const { codes, open, clock } = await setUp();
  const [first, second] = [await codes.issue(SHARE), await codes.issue(SHARE)];
  clock.now += 59_000;
  assert.equal(await open(first), OPENED);
  clock.now += 1_000;
  assert.equal(await open(second), undefined);
});

Deno.test("elsewhere, or by another way, a code opens nothing, and stays good", async () => {
  const { codes, open } = await setUp();
  const code = await codes.issue(SHARE);
  for (const place of ["header", "bearer", "frame"] as const) {
    assert.equal(await open(code, {}, place), undefined, place);
  }
  assert.equal(await open(code, { port: 3001 }), undefined);
  assert.equal(await open(code, { sandboxId: "other" }), undefined);
  assert.equal(await open(code), OPENED);
});

Deno.test("what is no code of that kind opens nothing, and its client pays", async () => {
  const { codes, open, records, spent } = await setUp();
  const code = await codes.issue(SHARE);
  const foreign = await (await setUp("other-code")).codes.issue(SHARE);
  for (const text of ["ps_", "ps_eyJmade.up", `${code}A`, foreign]) {
    spent.length = 0;
    assert.equal(await open(text), undefined, text);
    assert.deepEqual([spent, records.asked], [["store"], []], text);
  }
});

Deno.test("a token of an app's own is no code, though it begins as one", async () => {
  const { grants } = await setUp();
  for (const text of ["", "ps_", "ps_live_0123456789", "eyJmade.up"]) {
    assert(!grants.recognizes(text), text);
  }
});

Deno.test("the code of a grant that has ended opens nothing, and no session of it does", async () => {
  const { codes, open, grants, records, budget } = await setUp();
  const code = await codes.issue(SHARE);
  const session = {
    kind: "grant",
    via: viaOf("share"),
    ...SHARE,
    expiresAt: Infinity,
  } as const;
  assert.deepEqual(await grants.reopen(session, budget), {
    via: "share",
    id: "share-1",
    sandboxId: "box",
    subject: "hash",
    user: USER,
    expiresAt: 1_600_000,
    ports: [3000],
  });
  await records.delete(SHARES, "share-1");
  assert.equal(await open(code), undefined);
  assert.equal(await grants.reopen(session, budget), undefined);
});
