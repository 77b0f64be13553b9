import assert from "node:assert/strict";
import {
  appOriginOn,
  NO_LABELS,
  ownerLabels,
  storedOwnerLabels,
} from "../../../src/resolver/owner_labels.ts";

Deno.test("ownerLabels() are those that somebody reads, and no others", () => {
  const own = {
    "porthole.app-origin": "local",
    "porthole.app-origin.3000": "pass",
    "porthole.identity": "on",
  };
  assert.deepEqual(
    ownerLabels({
      "app": "shop",
      "xporthole.identity": "on",
      "Porthole.Identity": "on",
      "porthole": "on",
      "porthole.other": "on",
      "porthole.identity.3000": "on",
      "porthole.identity\n": "on",
      "porthole.app-origin.": "local",
      "porthole.app-origin.03000": "local",
      "porthole.app-origin.x": "local",
      ...own,
    }),
    own,
  );
  assert.equal(ownerLabels({ app: "shop" }), NO_LABELS);
});

Deno.test("ownerLabels() keeps only so many, and none that is too long", () => {
  const labels = Array.from(
    { length: 1000 },
    (_, i) => [`porthole.app-origin.${i + 1}`, "local"],
  );
  const kept = ownerLabels(Object.fromEntries(labels));
  assert.equal(Object.keys(kept).length, 32);
  for (const name of ["porthole.identity", "porthole.app-origin.3000"]) {
    const longest = { [name]: "x".repeat(64) };
    assert.deepEqual(ownerLabels(longest), longest);
    assert.equal(ownerLabels({ [name]: "x".repeat(65) }), NO_LABELS);
  }
});

Deno.test("appOriginOn() prefers the port's wish to the sandbox's, and that to the gateway's setting", () => {
  const labels = {
    "porthole.app-origin": "local",
    "porthole.app-origin.3000": "auto",
  };
  assert.equal(appOriginOn(3000, labels, "pass"), "auto");
  assert.equal(appOriginOn(3001, labels, "pass"), "local");
  assert.equal(appOriginOn(3000, NO_LABELS, "pass"), "pass");
  const onePort = { "porthole.app-origin.3000": "local" };
  assert.equal(appOriginOn(3001, onePort, "auto"), "auto");
});

Deno.test("appOriginOn() takes a value that is no mode for no wish", () => {
  for (const value of ["Local", "", "__proto__", "other"]) {
    const labels = {
      "porthole.app-origin": "local",
      "porthole.app-origin.3000": value,
    };
    assert.equal(appOriginOn(3000, labels, "pass"), "local", value);
    const all = { "porthole.app-origin": value };
    assert.equal(appOriginOn(3000, all, "pass"), "pass", value);
  }
});

Deno.test("stored labels are texts by name, and nothing else is read", () => {
  const stored = { "porthole.identity": "on" };
  assert.deepEqual(storedOwnerLabels.parse(stored), stored);
  for (const value of [undefined, null, 1, "local", { a: 1 }, []]) {
    assert.equal(storedOwnerLabels.safeParse(value).success, false);
  }
});
