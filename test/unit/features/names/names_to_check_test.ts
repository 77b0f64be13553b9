import assert from "node:assert/strict";
import { namesToCheck } from "../../../../src/features/names/names_to_check.ts";
import { SharedNames } from "../../../../src/features/names/shared_names.ts";
import { MemoryValues } from "../../../support/memory_values.ts";
import { textFile } from "../../../support/text_file.ts";
import { nameOf } from "./name_of.ts";

const bases = ["preview.test"];

/** A store that has an alias, and custom domains in each state. */
async function filledStore() {
  const values = new MemoryValues();
  const book = new SharedNames({
    values: values.gateway(),
    now: Date.now,
    onChange() {},
  });
  const proof = { nonce: "some-nonce", target: "0target.preview.test" };
  const held = [
    nameOf("shop.preview.test"),
    nameOf("active.customer.test", { kind: "domain", proof }),
    nameOf("suspended.customer.test", {
      kind: "domain",
      state: "suspended",
      proof,
    }),
    nameOf("released.customer.test", { kind: "domain", state: "released" }),
  ];
  for (const holder of held) {
    await book.change(holder.host, () => ({ holder, claims: [] }));
  }
  const claim = nameOf("claimed.customer.test", { state: "pending", proof });
  await book.change(claim.host, () => ({ claims: [claim] }));
  return values;
}

Deno.test("all names are to be checked: those of the file, and members' that are not given up", async () => {
  const values = await filledStore();
  await using file = await textFile(JSON.stringify({
    "shop.preview.test": { sandbox: "other", port: 8000 },
    "own.operator.test": { sandbox: "other", port: 8000 },
  }));
  const { path } = file;
  const found = await namesToCheck(
    { mode: "members", path, bases },
    values.gateway(),
  );
  const described = found.map(({ host, sandboxId, port, state, disproof }) =>
    `${host} ${port}-${sandboxId} ${state}${disproof ? ", to be proven" : ""}`
  );
  assert.deepEqual(described.toSorted(), [
    "active.customer.test 3000-box active, to be proven",
    "claimed.customer.test 3000-box pending, to be proven",
    "own.operator.test 8000-other active",
    "shop.preview.test 8000-other active", // the file's counts
    "suspended.customer.test 3000-box suspended, to be proven",
  ]);
});

Deno.test("where members have no names, the store is not asked for them", async () => {
  const values = await filledStore();
  const before = values.asked.length;
  const none = { path: undefined, bases };
  assert.deepEqual(
    await namesToCheck({ mode: "off", ...none }, values.gateway()),
    [],
  );
  await using file = await textFile(
    '{"own.operator.test": {"sandbox": "other", "port": 8000}}',
  );
  const own = { mode: "operator", path: file.path, bases } as const;
  assert.equal((await namesToCheck(own, values.gateway())).length, 1);
  assert.equal(values.asked.length, before);
});

Deno.test("that the store is away is no answer", async () => {
  const values = await filledStore();
  values.isAway = true;
  const members = { mode: "members", path: undefined, bases } as const;
  const unavailable = { code: "records_unavailable" };
  await assert.rejects(namesToCheck(members, values.gateway()), unavailable);
});
