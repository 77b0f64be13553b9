import assert from "node:assert/strict";
import { NameTable } from "../../../../src/features/names/name_table.ts";
import { nameOf } from "./name_of.ts";

const SHOP = "shop.preview.example.com";
const DOCS = "docs.preview.example.com";
const OWN = "www.shop.test";

/** A table, and the hosts that it has told to have moved. */
function setUp() {
  const moved: string[][] = [];
  const table = new NameTable((hosts) => moved.push([...hosts].sort()));
  return { table, moved };
}

/** What the file says of a host. */
function fileOf(host: string, sandboxId = "filed", port = 8000) {
  return new Map([[host, { sandboxId, port }]]);
}

Deno.test("a table finds names of the file and of members, and those of each sandbox", () => {
  const { table } = setUp();
  table.replaceFile(fileOf(SHOP, "box", 8000));
  table.replaceShared([nameOf(DOCS), nameOf(OWN, { sandboxId: "other" })]);
  assert.deepEqual(table.find(SHOP), {
    sandboxId: "box",
    port: 8000,
    isSuspended: false,
  });
  assert.equal(table.find(DOCS)?.port, 3000);
  assert.equal(table.find("3000-box.preview.example.com"), undefined);
  const ports = Object.fromEntries(table.of("box") ?? []);
  assert.deepEqual(ports, { [SHOP]: 8000, [DOCS]: 3000 });
  assert.equal(table.of("another"), undefined);
});

Deno.test("the file's name wins over a member's, who has it again once the file does not", () => {
  const { table } = setUp();
  table.replaceShared([nameOf(SHOP)]);
  table.replaceFile(fileOf(SHOP));
  assert.equal(table.find(SHOP)?.sandboxId, "filed");
  assert.equal(table.of("box"), undefined);
  assert.equal(table.isOfFile(SHOP), true);
  assert.equal(table.isOfFile(DOCS), false);
  table.replaceFile(new Map());
  assert.equal(table.find(SHOP)?.sandboxId, "box");
  assert.equal(table.isOfFile(SHOP), false);
});

Deno.test("only names in force are served: suspended ones lead nowhere, and what is pending or released is none", () => {
  const { table } = setUp();
  table.replaceShared([
    nameOf(SHOP),
    nameOf(OWN, { state: "suspended" }),
    nameOf("pending.test", { state: "pending" }),
    nameOf("released.test", { state: "released" }),
  ]);
  assert.equal(table.isServed(SHOP), true);
  assert.equal(table.isServed(OWN), false);
  assert.equal(table.find(OWN)?.isSuspended, true);
  for (const host of ["pending.test", "released.test", "made-up.test"]) {
    assert.equal(table.find(host), undefined, host);
    assert.equal(table.isServed(host), false, host);
  }
  assert.deepEqual([...table.of("box")?.keys() ?? []], [SHOP]);
});

Deno.test("a table counts its names by state: those of the file are active, and released ones none", () => {
  const { table } = setUp();
  assert.deepEqual(table.counts, { active: 0, pending: 0, suspended: 0 });
  table.replaceFile(fileOf(SHOP));
  table.replaceShared([
    nameOf(SHOP, { state: "suspended" }),
    nameOf(DOCS),
    nameOf(OWN, { state: "suspended" }),
    nameOf("pending.test", { state: "pending" }),
    nameOf("released.test", { state: "released" }),
  ]);
  assert.deepEqual(table.counts, { active: 2, pending: 1, suspended: 1 });
});

Deno.test("what leads elsewhere or nowhere any more is told, and nothing else", () => {
  const { table, moved } = setUp();
  table.replaceShared([nameOf(SHOP), nameOf(DOCS), nameOf(OWN)]);
  table.replaceShared([nameOf(SHOP), nameOf(DOCS), nameOf(OWN)]);
  assert.deepEqual(moved, []);
  table.replaceShared([
    nameOf(SHOP, { port: 8000 }),
    nameOf(DOCS, { createdBy: "somebody else" }),
    nameOf(OWN, { state: "suspended" }),
    nameOf("new.test"),
  ]);
  assert.deepEqual(moved, [[SHOP, OWN]]);
  table.replaceShared([nameOf(SHOP, { sandboxId: "other", port: 8000 })]);
  assert.deepEqual(moved[1], [DOCS, "new.test", SHOP].sort());
  table.replaceFile(fileOf(SHOP, "other", 8000));
  assert.equal(moved.length, 2);
  table.replaceFile(fileOf(SHOP, "filed", 8000));
  assert.deepEqual(moved[2], [SHOP]);
});
