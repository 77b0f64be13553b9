import assert from "node:assert/strict";
import { GrantCodes } from "../../../src/auth/grant_codes.ts";
import type { Grant, PresentedGrant } from "../../../src/auth/grants.ts";
import { UsedCodes } from "../../../src/auth/used_codes.ts";
import { createSealer } from "../../../src/lib/seal.ts";

const SHARE = { id: "share-1", sandboxId: "box", port: 3000, subject: "ann" };
const BOX = { sandboxId: "box", port: 3000, clientAddress: "192.0.2.1" };

/** Codes of shares, whose grants are all of port 3000 of `box`, and good unless they have ended. */
function setUp(purpose = "share-code") {
  const clock = { now: 1_000_000 };
  const now = () => clock.now;
  const codes = new GrantCodes({
    mark: "ps_",
    sealer: createSealer({ secrets: ["secret"], purpose, now }),
    usedCodes: new UsedCodes(null, { kind: purpose, maxEntries: 10 }),
    now,
  });
  const ended = new Set<string>();
  const spent: unknown[] = [];
  const budget = { spend: (asked?: string) => void spent.push(asked) };
  const grants = codes.sourceOf("share", "query", ({ id, subject }) => {
    const { sandboxId, port } = SHARE;
    const grant: Grant = {
      via: "share",
      id,
      sandboxId,
      ports: [port],
      subject,
      expiresAt: Infinity,
    };
    return Promise.resolve(ended.has(id) ? undefined : grant);
  });
  async function open(
    secret: string,
    more: Partial<typeof BOX> = {},
    place: PresentedGrant["place"] = "query",
  ): Promise<string | undefined> {
    const request = { ...BOX, ...more };
    const grant = await grants.open({ secret, place }, request, budget);
    return grant && `${grant.id} ${grant.subject}`;
  }
  return { clock, codes, grants, ended, spent, budget, open };
}

Deno.test("a code opens its grant, for whom it was issued, once", async () => {
  const { codes, open, grants } = setUp();
  const code = await codes.issue(SHARE);
  assert.match(code, /^ps_[\w.-]+$/);
  assert(grants.recognizes(code));
  const other = await codes.issue(SHARE);
  assert.notEqual(other, code);
  assert.equal(await open(code), "share-1 ann");
  assert.equal(await open(code), undefined);
  assert.equal(await open(other), "share-1 ann");
});

Deno.test("a code opens for a minute", async () => {
  const { codes, open, clock } = setUp();
  const [first, second] = [await codes.issue(SHARE), await codes.issue(SHARE)];
  clock.now += 59_000;
  assert.equal(await open(first), "share-1 ann");
  clock.now += 1_000;
  assert.equal(await open(second), undefined);
});

Deno.test("elsewhere, or by another way, a code opens nothing, and stays good", async () => {
  const { codes, open } = setUp();
  const code = await codes.issue(SHARE);
  for (const place of ["header", "bearer", "embed"] as const) {
    assert.equal(await open(code, {}, place), undefined, place);
  }
  assert.equal(await open(code, { port: 3001 }), undefined);
  assert.equal(await open(code, { sandboxId: "other" }), undefined);
  assert.equal(await open(code), "share-1 ann");
});

Deno.test("what is no code of that kind opens nothing, and its client pays", async () => {
  const { codes, open, spent } = setUp();
  const code = await codes.issue(SHARE);
  const foreign = await setUp("other-code").codes.issue(SHARE);
  for (const text of ["ps_", "ps_made.up", `${code}A`, foreign]) {
    spent.length = 0;
    assert.equal(await open(text), undefined, text);
    assert.deepEqual(spent, ["store"], text);
  }
});

Deno.test("the code of a grant that has ended opens nothing, and no session of it does", async () => {
  const { codes, open, grants, ended, budget } = setUp();
  const code = await codes.issue(SHARE);
  const session = {
    kind: "grant",
    via: "share",
    ...SHARE,
    expiresAt: Infinity,
  } as const;
  const reopened = await grants.reopen(session, budget);
  assert.deepEqual([reopened?.id, reopened?.subject], ["share-1", "ann"]);
  ended.add("share-1");
  assert.equal(await open(code), undefined);
  assert.equal(await grants.reopen(session, budget), undefined);
});
