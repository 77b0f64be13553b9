import assert from "node:assert/strict";
import {
  entryIn,
  SHARD,
  withEntry,
} from "../../../../src/features/names/name_shards.ts";
import { nameOf } from "./name_of.ts";

Deno.test("what a gateway of another version has added to a shard, an entry or a name stays there when another host's changes", () => {
  const proof = { nonce: "n", target: "t", added: 4 };
  const stored = {
    entries: {
      "shop.test": {
        holder: { ...nameOf("shop.test"), proof, added: 3 },
        claims: [],
        added: 2,
      },
    },
    added: 1,
  };
  const shard = SHARD.schema.parse(stored);
  const other = { holder: nameOf("other.test"), claims: [] };
  const { value } = withEntry(shard, "other.test", other, 1000);
  assert.deepEqual(value, {
    ...stored,
    entries: { ...stored.entries, "other.test": other },
  });
  assert.deepEqual(entryIn(shard, "nobody.test", 1000), { claims: [] });
});
