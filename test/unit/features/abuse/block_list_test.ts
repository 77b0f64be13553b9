import assert from "node:assert/strict";
import { BlockList } from "../../../../src/features/abuse/block_list.ts";
import { MemoryValues } from "../../../support/memory_values.ts";

Deno.test("what one gateway blocks and unblocks, another knows once it looks", async () => {
  const values = new MemoryValues();
  const [one, other] = [
    new BlockList(values.gateway()),
    new BlockList(values.gateway()),
  ];
  await one.change("sandboxes/box", true);
  await other.change("names/shop.test", true);
  assert.deepEqual([...one.all], ["sandboxes/box"]);
  await one.look();
  assert.deepEqual([...one.all], ["sandboxes/box", "names/shop.test"]);
  await one.change("sandboxes/box", false);
  await one.change("sandboxes/never", false);
  await other.look();
  assert.deepEqual([...other.all], ["names/shop.test"]);
});

Deno.test("a sandbox is blocked by its id, by any name, and with its organization, and a name by its host, whatever its port", async () => {
  const list = new BlockList(new MemoryValues().gateway());
  for (
    const block of [
      "sandboxes/box",
      "organizations/acme",
      "names/shop.test",
    ] as const
  ) await list.change(block, true);
  for (
    const [sandboxId, organizationId, name, expected] of [
      ["box", undefined, undefined, true],
      ["box", "else", "other.test", true],
      ["other", undefined, undefined, false],
      ["other", "else", "other.test", false],
      ["other", "acme", undefined, true],
      ["other", undefined, "Shop.test:8443", true],
      ["other", undefined, "sub.shop.test", false],
      ["acme", "box", undefined, false],
    ] as const
  ) {
    const served = { sandboxId, organizationId, name };
    assert.equal(list.blocks(served), expected, JSON.stringify(served));
  }
});

Deno.test("concurrent changes of two gateways are both kept", async () => {
  const values = new MemoryValues();
  const [one, other] = [
    new BlockList(values.gateway()),
    new BlockList(values.gateway()),
  ];
  await Promise.all([
    one.change("sandboxes/a", true),
    other.change("sandboxes/b", true),
  ]);
  await one.look();
  assert.deepEqual([...one.all].sort(), ["sandboxes/a", "sandboxes/b"]);
});

Deno.test("while the store is away, the list stays, and changes are refused", async () => {
  const values = new MemoryValues();
  const list = new BlockList(values.gateway());
  await list.change("sandboxes/box", true);
  values.isAway = true;
  const away = { code: "records_unavailable" };
  await assert.rejects(list.look(), away);
  await assert.rejects(list.change("sandboxes/box", false), away);
  assert.deepEqual([...list.all], ["sandboxes/box"]);
});

Deno.test("a look that began before a change does not undo it", async () => {
  const values = new MemoryValues();
  const list = new BlockList(values.gateway());
  const release = values.holdNextRead("blocks");
  const looking = list.look();
  const changing = list.change("sandboxes/box", true);
  await changing;
  release();
  await looking;
  assert.deepEqual([...list.all], ["sandboxes/box"]);
});

Deno.test("the list is full before the store's value is, and what is there can be taken out", async () => {
  const values = new MemoryValues();
  const list = new BlockList(values.gateway());
  const long = `names/${"n".repeat(59_000)}` as const;
  const text = JSON.stringify(["sandboxes/box", long]);
  values.kept.set("blocks", { text, version: "0" });
  await assert.rejects(list.change(`names/${"x".repeat(5_000)}`, true), {
    code: "records_full",
  });
  await list.change("sandboxes/box", false);
  assert.deepEqual([...list.all], [long]);
});

Deno.test("a list that cannot be read stays as it was known, and nothing is written over it", async () => {
  const values = new MemoryValues();
  const list = new BlockList(values.gateway());
  await list.change("sandboxes/box", true);
  values.kept.set("blocks", { text: "{", version: "other" });
  const unreadable = {
    code: "records_unavailable",
    message: "No value that can be read: blocks",
  };
  await assert.rejects(list.look(), unreadable);
  await assert.rejects(list.change("sandboxes/a", true), unreadable);
  assert.deepEqual([...list.all], ["sandboxes/box"]);
  assert.equal(values.kept.get("blocks")?.text, "{");
});
