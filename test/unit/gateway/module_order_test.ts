import assert from "node:assert/strict";
import { inOrder } from "../../../src/gateway/module_order.ts";

/** The names in order, of modules that have to come before these others. */
function orderOf(...modules: readonly [name: string, ...before: string[]][]) {
  const ordered = inOrder(modules.map(([name, ...before]) => ({
    name,
    before: Object.fromEntries(before.map((other) => [other, "a test"])),
  })));
  return ordered.map(({ name }) => name).join(" ");
}

Deno.test("modules keep their order, but for who has to come before another one", () => {
  assert.equal(orderOf(["a"], ["b"], ["c"]), "a b c");
  assert.equal(orderOf(["a"], ["b"], ["c", "a"]), "b c a");
  assert.equal(orderOf(["a"], ["b", "a"], ["c", "b"]), "c b a");
});

Deno.test("a module may come before one that is not there", () => {
  assert.equal(orderOf(["a"], ["b", "gone"]), "a b");
});

Deno.test("modules of which each has to come before another one, or of one name, end the start", () => {
  assert.throws(() => orderOf(["a"], ["b", "c"], ["c", "b"]), {
    message: "Cannot start: each of b, c is to come first",
  });
  assert.throws(() => orderOf(["a", "a"]), {
    message: "Cannot start: each of a is to come first",
  });
  assert.throws(() => orderOf(["a"], ["a"]), {
    message: "Cannot start with two modules of one name",
  });
});
