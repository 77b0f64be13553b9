import assert from "node:assert/strict";
import { Turns } from "../../../src/lib/turns.ts";

Deno.test("work about one thing runs in its order, whatever becomes of it, and beside work about others", async () => {
  const turns = new Turns();
  const first = Promise.withResolvers<string>();
  const order: string[] = [];
  const one = turns.take("a", () => first.promise);
  const two = turns.take("a", () => {
    order.push("two");
    return Promise.reject(new Error("two"));
  });
  const three = turns.take("a", () => Promise.resolve(order.push("three")));
  const other = turns.take("b", () => Promise.resolve(order.push("other")));
  const idle = turns.idle("a").then(() => order.push("idle"));
  await turns.idle("c");
  await other;
  assert.deepEqual(order, ["other"]);
  first.resolve("one");
  assert.equal(await one, "one");
  await assert.rejects(two, /two/);
  await three;
  await idle;
  assert.deepEqual(order, ["other", "two", "three", "idle"]);
});
