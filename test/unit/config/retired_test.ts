import assert from "node:assert/strict";
import { SETTINGS } from "../../../src/config/config.ts";
import { findRetired, formatRetired } from "../../../src/config/retired.ts";

Deno.test("findRetired() finds WORKERS if it has a value, and says what takes its place", () => {
  const [found, ...others] = findRetired({ WORKERS: "auto", PATH: "/bin" });
  assert.equal(found?.name, "WORKERS");
  assert.match(found?.instead ?? "", /REUSE_PORT=true/);
  assert.deepEqual(others, []);
  assert.deepEqual(findRetired({ WORKERS: " ", REUSE_PORT: "true" }), []);
});

Deno.test("findRetired() finds COMPRESS, and says that a front compresses in its place", () => {
  for (const COMPRESS of ["static", "off"]) {
    const [found, ...others] = findRetired({ COMPRESS });
    assert.equal(found?.name, "COMPRESS");
    assert.match(found?.instead ?? "", /a front that compresses/);
    assert.deepEqual(others, []);
  }
});

Deno.test("findRetired() finds what only Daytona's own proxy reads, and says what takes its place", () => {
  const found = findRetired({
    COOKIE_DOMAIN: "example.com",
    OTEL_ENABLED: "true",
    ENVIRONMENT: "production",
  });
  assert.deepEqual(
    found.map(({ name, instead }) => [name, instead.split(/[ ,=]/)[0]]),
    [
      ["COOKIE_DOMAIN", "SESSION_SCOPE"],
      ["OTEL_ENABLED", "OTEL_DENO"],
      ["ENVIRONMENT", "OTEL_RESOURCE_ATTRIBUTES"],
    ],
  );
});

Deno.test("findRetired() finds no variable that is a setting", () => {
  const all = Object.fromEntries(
    Object.keys(SETTINGS).map((name) => [name, "1"]),
  );
  assert.deepEqual(findRetired(all), []);
});

Deno.test("formatRetired() has one line for each", () => {
  const line = formatRetired([{ name: "OLD", instead: "a new one" }]);
  assert.equal(line, "OLD has no effect. In its place: a new one.");
  assert.equal(formatRetired([]), "");
});
