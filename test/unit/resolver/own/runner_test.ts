import assert from "node:assert/strict";
import type { DurableStore } from "../../../../src/cache/store.ts";
import { createSealer } from "../../../../src/lib/seal.ts";
import { placementCodec } from "../../../../src/resolver/own/runner.ts";

const KIND = "sandbox-runner-info";

const RUNNER = {
  proxyUrl: "http://runner-1:3003",
  apiUrl: "http://runner-1:8080",
  apiKey: "key-1",
};

function codecFor(daytonaKinds: readonly string[]) {
  const store = { daytonaKinds: new Set(daytonaKinds) };
  return placementCodec(
    KIND,
    store as unknown as DurableStore,
    createSealer({ secrets: ["secret"], purpose: "runner", now: Date.now }),
  );
}

Deno.test("labels and organization are stored as they were read, whether there are some, there are none, or nobody has looked", async () => {
  for (const kinds of [[KIND], []]) {
    const codec = codecFor(kinds);
    for (const labels of [{ "porthole.identity": "on" }, {}, null]) {
      const owner = labels && { labels, organizationId: "org-1" };
      const placement = { runner: RUNNER, owner };
      const stored = await codec.encode(placement, Date.now() + 60_000);
      assert.deepEqual(
        await codec.decode(JSON.parse(JSON.stringify(stored))),
        placement,
      );
    }
  }
});

Deno.test("in what Daytona's proxy or an older version wrote, nobody has looked for the owner", async () => {
  const { decode } = codecFor([KIND]);
  const { apiKey, proxyUrl, apiUrl } = RUNNER;
  for (
    const record of [
      { apiKey, apiUrl: proxyUrl },
      { apiKey, apiUrl: proxyUrl, proxyUrl, runnerApiUrl: apiUrl },
      { apiKey, proxyUrl, labels: { "porthole.app-origin": "local" } },
    ]
  ) {
    const placement = await decode(record);
    assert.equal(placement?.runner.apiKey, apiKey);
    assert.equal(placement.owner, null);
  }
});
