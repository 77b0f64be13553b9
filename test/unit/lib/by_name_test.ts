import assert from "node:assert/strict";
import { byName } from "../../../src/lib/by_name.ts";

Deno.test("a name is decided on once", () => {
  const asked: string[] = [];
  const isShort = byName((name) => {
    asked.push(name);
    return name.length < 5;
  });
  assert.deepEqual(["host", "cookie", "host", "cookie"].map(isShort), [
    true,
    false,
    true,
    false,
  ]);
  assert.deepEqual(asked, ["host", "cookie"]);
});

Deno.test("however many names a peer makes up, a thousand short ones are remembered", () => {
  let asked = 0;
  const decide = byName(() => {
    asked++;
    return "send";
  });
  const names = Array.from({ length: 1000 }, (_, index) => `x-${index}`);
  names.forEach(decide);
  names.forEach(decide);
  assert.equal(asked, 1000);

  decide("x-1000"); // forgets the others
  decide("x-1");
  assert.equal(asked, 1002);
});

Deno.test("a long name is decided on each time", () => {
  let asked = 0;
  const decide = byName(() => {
    asked++;
    return "send";
  });
  decide("x".repeat(65));
  decide("x".repeat(65));
  assert.equal(asked, 2);
});
