import assert from "node:assert/strict";
import type { PresentedGrant } from "../../../../src/auth/grants.ts";
import { embedGrants } from "../../../../src/features/embeds/embed_grants.ts";
import { EMBEDS } from "../../../../src/features/embeds/embed_kind.ts";
import { MemoryRecords } from "../../../support/memory_records.ts";
import { EMBED, setUpCodes } from "./embed_parts.ts";

const BOX = { sandboxId: "box", port: 3000, clientAddress: "192.0.2.1" };

const TERMS = {
  ancestors: EMBED.ancestors,
  frame: "replace",
  cookies: "partition",
  isolate: null,
  bridge: [],
} as const;

/** The grants of embeds, and one embed of port 3000 of `box`. */
async function setUp() {
  const { clock, grantCodes, links } = setUpCodes();
  const records = new MemoryRecords();
  const { id, sandboxId, port } = EMBED;
  const own = { port, path: "/", ttlSec: 600, terms: TERMS };
  const expiresAt = clock.now + 600_000;
  await records.put(EMBEDS, {
    id,
    sandboxId,
    organizationId: null,
    createdAt: clock.now,
    expiresAt,
    data: { createdBy: null, note: null, own },
  }, "absent");
  records.asked.length = 0;
  const grants = embedGrants(grantCodes, records);
  const spent: unknown[] = [];
  const budget = { spend: (asked?: string) => void spent.push(asked) };
  async function open(
    secret: string,
    more: Partial<typeof BOX> = {},
    place: PresentedGrant["place"] = "embed",
  ) {
    const request = { ...BOX, ...more };
    return (await grants.open({ secret, place }, request, budget))?.id;
  }
  return { grants, records, links, clock, expiresAt, spent, budget, open };
}

Deno.test("a code opens what its record says, with its terms for frames, once", async () => {
  const { grants, links, expiresAt, budget } = await setUp();
  const { code } = await links();
  const presented = { secret: code, place: "embed" } as const;
  assert.deepEqual(await grants.open(presented, BOX, budget), {
    via: "embed",
    id: EMBED.id,
    sandboxId: "box",
    subject: undefined,
    ports: [3000],
    frame: TERMS,
    expiresAt,
  });
  assert.equal(await grants.open(presented, BOX, budget), undefined);
});

Deno.test("a code opens nothing as a header, a bearer or a parameter, nor at another sandbox or port, and stays good", async () => {
  const { links, open } = await setUp();
  const { code } = await links();
  for (const place of ["header", "bearer", "query"] as const) {
    assert.equal(await open(code, {}, place), undefined, place);
  }
  assert.equal(await open(code, { port: 3001 }), undefined);
  assert.equal(await open(code, { sandboxId: "other" }), undefined);
  assert.equal(await open(code), EMBED.id);
});

Deno.test("what does not open as a code is not looked for, and its client pays", async () => {
  const { open, records, spent, links } = await setUp();
  for (const secret of ["pe_", "pe_made.up", `${(await links()).code}A`]) {
    spent.length = 0;
    assert.equal(await open(secret), undefined);
    assert.deepEqual([spent, records.asked], [["store"], []], secret);
  }
});

Deno.test("the code of an embed that has ended opens nothing, and no session of it does", async () => {
  const { open, grants, records, links, budget } = await setUp();
  const { code } = await links();
  const session = {
    kind: "grant",
    via: "embed",
    id: EMBED.id,
    sandboxId: "box",
    port: 3000,
    expiresAt: Infinity,
  } as const;
  assert.equal((await grants.reopen(session, budget))?.id, EMBED.id);
  await records.delete(EMBEDS, EMBED.id);
  assert.equal(await open(code), undefined);
  assert.equal(await grants.reopen(session, budget), undefined);
});
