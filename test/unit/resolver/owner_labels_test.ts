import assert from "node:assert/strict";
import {
  appOriginLabels,
  appOriginOn,
  NO_LABELS,
  storedAppOriginLabels,
} from "../../../src/resolver/app_origin_labels.ts";

Deno.test("appOriginLabels() reads the wishes for all ports and for one, and nothing else", () => {
  assert.deepEqual(
    appOriginLabels({
      "app": "shop",
      "porthole.app-origin": "local",
      "porthole.app-origin.3000": "pass",
      "porthole.app-origin.65535": "auto",
    }),
    { "*": "local", "3000": "pass", "65535": "auto" },
  );
  for (
    const labels of [
      {},
      { "porthole.app-origin": "Local" },
      { "porthole.app-origin": "" },
      { "porthole.app-origin": "__proto__" },
      { "porthole.app-origin.": "local" },
      { "porthole.app-origin.0": "local" },
      { "porthole.app-origin.03000": "local" },
      { "porthole.app-origin.65536": "local" },
      { "porthole.app-origin.__proto__": "local" },
      { "porthole.app-origin.3000.x": "local" },
      { "Porthole.App-Origin": "local" },
      { "xporthole.app-origin": "local" },
    ]
  ) assert.equal(appOriginLabels(labels), NO_LABELS);
});

Deno.test("appOriginLabels() keeps only so many", () => {
  const labels = Array.from(
    { length: 1000 },
    (_, i) => [`porthole.app-origin.${i + 1}`, "local"],
  );
  const kept = appOriginLabels(Object.fromEntries(labels));
  assert.equal(Object.keys(kept).length, 32);
});

Deno.test("appOriginOn() prefers the port's wish to the sandbox's, and that to the gateway's setting", () => {
  const labels = appOriginLabels({
    "porthole.app-origin": "local",
    "porthole.app-origin.3000": "auto",
  });
  assert.equal(appOriginOn(3000, labels, "pass"), "auto");
  assert.equal(appOriginOn(3001, labels, "pass"), "local");
  assert.equal(appOriginOn(3000, NO_LABELS, "pass"), "pass");
  const onePort = appOriginLabels({ "porthole.app-origin.3000": "local" });
  assert.equal(appOriginOn(3001, onePort, "auto"), "auto");
});

Deno.test("stored wishes that are not readable are none", () => {
  const stored = { "*": "local", "3000": "auto" };
  assert.deepEqual(storedAppOriginLabels.parse(stored), stored);
  for (const value of [undefined, null, 1, "local", { "*": "other" }, []]) {
    assert.equal(storedAppOriginLabels.parse(value), NO_LABELS);
  }
});
