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
    const isBlocked = list.refusalOf(served)?.code === "preview_blocked";
    assert.equal(isBlocked, expected, JSON.stringify(served));
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

const POISON = ["{", "null", '{"sandboxes":[]}', ""];

/** What a gateway that starts knows of what is stored. */
async function started(values: MemoryValues) {
  const list = new BlockList(values.gateway());
  await list.look();
  const served = { sandboxId: "any", organizationId: undefined, name: "" };
  return { list, code: list.refusalOf(served)?.code };
}

for (const text of [...POISON, undefined]) {
  Deno.test(`a list that is ${text ?? "deleted"} unblocks nothing, at gateways that start neither, and a change heals it`, async () => {
    const values = new MemoryValues();
    const list = new BlockList(values.gateway());
    await list.change("sandboxes/box", true);
    const poisoned = { text: text ?? "", version: "other" };
    if (text === undefined) values.kept.delete("blocks");
    else values.kept.set("blocks", poisoned);
    await list.look();
    assert.deepEqual([...list.all], ["sandboxes/box"]);
    const late = await started(values);
    assert.deepEqual([...late.list.all], ["sandboxes/box"]);
    assert.deepEqual([late.list.source, late.code], ["copy", undefined]);
    await late.list.change("sandboxes/a", true);
    assert.equal(late.list.source, "list");
    const both = '["sandboxes/box","sandboxes/a"]';
    assert.equal(values.kept.get("blocks")?.text, both);
    assert.equal(values.kept.get("blocks,copy")?.text, both);
    const aside = values.kept.get("set-aside,blocks,other")?.text;
    assert.equal(aside, text);
    await list.look();
    assert.equal(list.all.size, 2);
  });
}

Deno.test("where neither list nor copy can be read, a gateway that starts refuses everything until the whole list is put", async () => {
  const values = new MemoryValues();
  for (const key of ["blocks", "blocks,copy"]) {
    values.kept.set(key, { text: "{", version: key });
  }
  const { list, code } = await started(values);
  assert.equal(code, "records_unavailable");
  assert.equal(list.source, undefined);
  await assert.rejects(list.change("sandboxes/a", true), {
    code: "records_unavailable",
    message: "No value that can be read: blocks",
  });
  assert.equal(values.kept.get("blocks")?.text, "{");
  await list.replace(["sandboxes/a", "sandboxes/a"]);
  assert.deepEqual([...list.all], ["sandboxes/a"]);
  const healed = await started(values);
  assert.deepEqual([healed.code, [...healed.list.all]], [
    undefined,
    ["sandboxes/a"],
  ]);
  for (const key of ["blocks", "blocks,copy"]) {
    assert.equal(values.kept.get(key)?.text, '["sandboxes/a"]');
  }
});

Deno.test("where nothing was ever blocked, nothing is missed", async () => {
  const { list, code } = await started(new MemoryValues());
  await list.look();
  assert.deepEqual([list.source, code], ["list", undefined]);
});

Deno.test("a gateway that runs knows what it has read when list and copy are both gone", async () => {
  const values = new MemoryValues();
  const list = new BlockList(values.gateway());
  await list.change("sandboxes/box", true);
  values.kept.clear();
  await list.look();
  assert.deepEqual([list.source, [...list.all]], ["memory", ["sandboxes/box"]]);
  await list.change("sandboxes/box", false);
  assert.deepEqual([list.source, [...list.all]], ["list", []]);
  assert.equal(values.kept.get("blocks")?.text, "[]");
});

Deno.test("a list that was stored before there were copies gets one, and a copy that failed is made later", async () => {
  const values = new MemoryValues();
  values.kept.set("blocks", { text: '["sandboxes/box"]', version: "old" });
  values.unwritable.add("blocks,copy");
  const { list } = await started(values);
  assert.equal(values.kept.has("blocks,copy"), false);
  values.unwritable.clear();
  await list.look();
  assert.equal(values.kept.get("blocks,copy")?.text, '["sandboxes/box"]');
  values.asked.length = 0;
  await list.look();
  assert.deepEqual(values.asked, ["read blocks"]);
});
