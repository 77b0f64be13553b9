import assert from "node:assert/strict";
import { sectionOf } from "../../../../src/config/section.ts";
import {
  compress,
  compressSettings,
} from "../../../../src/features/compress/compress_feature.ts";
import type { Feature } from "../../../../src/gateway/feature.ts";
import type { FeatureParts } from "../../../../src/gateway/feature_module.ts";
import type { PreviewExchange } from "../../../../src/gateway/sandbox_exchange.ts";
import type { ResponseBody } from "../../../../src/stream/response_body.ts";
import { configOf, problemsOf } from "../../../support/config.ts";

/** The feature, on a clock of the test's. */
function featureOf(now: () => number): Feature {
  const parts: Partial<FeatureParts> = {
    config: configOf({ COMPRESS: "static" }),
    now,
  };
  return compress.create(parts as FeatureParts) ?? assert.fail();
}

/** What becomes of a script for somebody at an address. */
function codingOf(
  feature: Feature,
  body: ResponseBody,
  { clientAddress = "192.0.2.1", hasMemory = true } = {},
): string | undefined {
  const x = {
    method: "GET",
    headers: new Headers({ "accept-encoding": "gzip" }),
    clientAddress,
    reply: { mayRead: () => hasMemory },
  } as unknown as PreviewExchange;
  const headers = [["content-type", "text/javascript"]] as const;
  const admission = { kind: "allow", sandboxId: "box", by: "public" } as const;
  const upstream = { status: 200, headers, body };
  const response = feature.relayed?.(upstream, x, admission) ?? assert.fail();
  assert(response.headers.some(([name]) => name === "vary"));
  return response.headers.find(([name]) => name === "content-encoding")?.[1];
}

Deno.test("compress reads its setting, is off by default, and refuses anything else", () => {
  for (const [env, isOn] of [[{}, false], [{ COMPRESS: "static" }, true]]) {
    assert.deepEqual(
      sectionOf(configOf(env as Record<string, string>), compressSettings),
      { isOn },
    );
  }
  assert.deepEqual(problemsOf({ COMPRESS: "all" }), ["COMPRESS"]);
  const off: Partial<FeatureParts> = { config: configOf({}) };
  assert.equal(compress.create(off as FeatureParts), undefined);
});

Deno.test("who has had 16 MiB compressed gets more as it is until time has passed; others do not", () => {
  let now = 0;
  const feature = featureOf(() => now);
  const body = () => new Uint8Array(4 * 1024 * 1024);
  for (let count = 0; count < 4; count++) {
    assert.equal(codingOf(feature, body()), "gzip");
  }
  assert.equal(codingOf(feature, body()), undefined);
  const clientAddress = "192.0.2.2";
  assert.equal(codingOf(feature, body(), { clientAddress }), "gzip");
  now += 1000;
  assert.equal(codingOf(feature, body()), "gzip");
});

Deno.test("after 64 MiB for several clients, everybody gets what the app sent until time has passed", () => {
  let now = 0;
  const feature = featureOf(() => now);
  for (let count = 0; count < 16; count++) {
    const clientAddress = `192.0.2.${count}`;
    const body = new Uint8Array(4 * 1024 * 1024);
    assert.equal(codingOf(feature, body, { clientAddress }), "gzip");
  }
  const next = () =>
    codingOf(feature, new Uint8Array(2000), { clientAddress: "192.0.2.9" });
  assert.equal(next(), undefined);
  now += 100;
  assert.equal(next(), "gzip");
});

Deno.test("what is on its way is compressed only if there is memory for that, and short noise stays as it is", () => {
  const feature = featureOf(() => 0);
  const body = { read: () => Promise.resolve(null), cancel() {} };
  assert.equal(codingOf(feature, body), "gzip");
  assert.equal(codingOf(feature, body, { hasMemory: false }), undefined);
  const noise = crypto.getRandomValues(new Uint8Array(2000));
  assert.equal(codingOf(feature, noise), undefined);
});
