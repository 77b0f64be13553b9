import assert from "node:assert/strict";
import { NameTable } from "../../../../src/features/names/name_table.ts";
import { SharedNames } from "../../../../src/features/names/shared_names.ts";
import { tlsAsk } from "../../../../src/features/names/tls_ask.ts";
import { MemoryValues } from "../../../support/memory_values.ts";
import { nameOf } from "./name_of.ts";

const ALIAS = nameOf("shop.preview.test");

/** Custom domains in each state, an alias, and a name of the operator's file. */
function filledTable(): NameTable {
  const table = new NameTable(() => {});
  const file = { sandboxId: "demo", port: 3000 };
  table.replaceFile(new Map([["shop.operator.test", file]]));
  const states = ["active", "pending", "suspended", "released"] as const;
  table.replaceShared([
    ALIAS,
    ...states.map((state) =>
      nameOf(`${state}.customer.test`, { kind: "domain", state })
    ),
  ]);
  return table;
}

function asker(table = filledTable()): (query: string) => Response {
  const answer = tlsAsk(table, () => ["preview.test"]);
  return (query) =>
    answer(new Request(`http://127.0.0.1:9464/tls/ask${query}`));
}

Deno.test("names in force and base domains may have a certificate", () => {
  const ask = asker();
  for (
    const host of [
      "shop.operator.test",
      "shop.preview.test",
      "active.customer.test",
      "Active.Customer.TEST",
      "preview.test",
    ]
  ) assert.equal(ask(`?domain=${host}`).status, 200, host);
});

Deno.test("hosts that are no names, or none yet or any more, may have no certificate", () => {
  const ask = asker();
  for (
    const host of [
      "pending.customer.test",
      "suspended.customer.test",
      "released.customer.test",
      "www.active.customer.test",
      "customer.test",
      "active.customer.test.",
      "active.customer.test:443",
      "active.customer.test%00",
      "127.0.0.1",
      "[::1]",
      "*.preview.test",
      "other.preview.test",
    ]
  ) assert.equal(ask(`?domain=${host}`).status, 403, host);
});

Deno.test("a preview host may have no certificate of its own: the wildcard's is for it", () => {
  const ask = asker();
  assert.equal(ask("?domain=3000-demo.preview.test").status, 403);
});

Deno.test("a question about no host is 400, and no answer may be stored or says anything", async () => {
  const ask = asker();
  for (const query of ["", "?", "?domain=", "?host=shop.preview.test"]) {
    assert.equal(ask(query).status, 400, query);
  }
  const response = ask("?domain=shop.preview.test");
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(await response.text(), "");
});

Deno.test("made-up names cost no question to the store, and while it is away its names are told all the same", async () => {
  const store = new MemoryValues();
  const table = new NameTable(() => {});
  const book = new SharedNames({
    values: store.gateway(),
    now: Date.now,
    onChange: (names) => table.replaceShared(names),
  });
  await book.look();
  await book.change(ALIAS.host, () => ({ holder: ALIAS, claims: [] }));
  store.isAway = true;
  await assert.rejects(book.look(), { code: "records_unavailable" });
  const before = store.asked.length;
  const ask = asker(table);
  for (let i = 0; i < 10_000; i++) {
    const host = `${crypto.randomUUID()}.preview.test`;
    assert.equal(ask(`?domain=${host}`).status, 403, host);
  }
  assert.equal(ask(`?domain=${ALIAS.host}`).status, 200);
  assert.equal(store.asked.length, before);
});
