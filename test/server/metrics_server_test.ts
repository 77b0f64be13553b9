import assert from "node:assert/strict";
import type { Listener } from "../../src/server/listen.ts";
import {
  listenForMetrics,
  startMetricsServer,
} from "../../src/server/metrics_server.ts";
import { recordedLog } from "../support/event_log.ts";

async function withServer(
  render: () => string,
  use: (url: string) => Promise<void>,
  recorded = recordedLog(),
): Promise<void> {
  const server = startMetricsServer({
    hostname: "127.0.0.1",
    port: 0,
    render,
    log: recorded.log,
  });
  try {
    await use(`http://127.0.0.1:${server.port}`);
  } finally {
    await server.close();
  }
}

Deno.test("startMetricsServer() serves the metrics of the moment", async () => {
  let count = 0;
  await withServer(() => `a ${++count}\n`, async (url) => {
    for (const body of ["a 1\n", "a 2\n"]) {
      const response = await fetch(`${url}/metrics?x=y`);
      assert.equal(response.status, 200);
      assert.equal(await response.text(), body);
      assert.equal(
        response.headers.get("content-type"),
        "text/plain; version=0.0.4; charset=utf-8",
      );
      assert.equal(response.headers.get("cache-control"), "no-store");
    }
    const head = await fetch(`${url}/metrics`, { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), "");
  });
});

Deno.test("startMetricsServer() serves nothing else", async () => {
  await withServer(() => assert.fail("rendered"), async (url) => {
    for (const path of ["/", "/metrics/", "/metricsx", "/health"]) {
      const response = await fetch(`${url}${path}`);
      assert.equal(response.status, 404, path);
      assert.equal(await response.text(), "");
    }
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const response = await fetch(`${url}/metrics`, { method });
      await response.body?.cancel();
      assert.equal(response.status, 405, method);
      assert.equal(response.headers.get("allow"), "GET, HEAD");
    }
  });
});

Deno.test("startMetricsServer() answers 500 and logs why where the metrics cannot be told, and goes on", async () => {
  let isBroken = true;
  const recorded = recordedLog();
  await withServer(() => {
    if (isBroken) throw new Error("secret");
    return "a 1\n";
  }, async (url) => {
    const broken = await fetch(`${url}/metrics`);
    assert.equal(broken.status, 500);
    assert.equal(await broken.text(), "");
    const facts = await recorded.next("metrics not rendered");
    assert.deepEqual(facts, { reason: "secret" });
    isBroken = false;
    assert.equal(await (await fetch(`${url}/metrics`)).text(), "a 1\n");
  }, recorded);
});

Deno.test("startMetricsServer() frees its port when it is closed, idle connections or not", async () => {
  const options = {
    hostname: "127.0.0.1",
    render: () => "a 1\n",
    log: recordedLog().log,
  };
  const first = startMetricsServer({ ...options, port: 0 });
  const { port } = first;
  await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  assert.throws(
    () => startMetricsServer({ ...options, port }),
    Deno.errors.AddrInUse,
  );
  await first.close();
  const second = startMetricsServer({ ...options, port });
  await second.close();
});

Deno.test("listenForMetrics() logs that its listener has failed, which ends nothing else", async () => {
  const failure = Promise.withResolvers<never>();
  const { log, next } = recordedLog();
  const listener: Listener = {
    hostname: "127.0.0.1",
    port: 9,
    failed: failure.promise,
    startDraining() {},
    stopAccepting() {},
    close: () => Promise.resolve(),
  };
  const render = () => "";
  const started = listenForMetrics(
    { metrics: { hostname: "127.0.0.1", port: 9 } },
    { render, log, start: () => listener },
  );
  assert.equal(started, listener);
  failure.reject(
    new Error("Cannot accept connections", {
      cause: new Error("Too many open files (os error 24)"),
    }),
  );
  assert.deepEqual(await next("metrics are not served any more"), {
    reason: "Cannot accept connections: Too many open files (os error 24)",
  });
});
