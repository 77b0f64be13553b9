import assert from "node:assert/strict";
import type { Listener } from "../../../src/downstream/http/listen.ts";
import { listenForMetrics } from "../../../src/server/metrics_server.ts";
import { recordedLog } from "../../support/event_log.ts";

function start(
  port: number,
  render: () => string,
  { log } = recordedLog(),
  pages: Record<string, (request: Request) => Response> = {},
): Listener {
  const address = { hostname: "127.0.0.1", port, statusPage: false };
  return listenForMetrics(address, { render, pages, log }) ?? assert.fail();
}

async function withServer(
  render: () => string,
  use: (url: string) => Promise<void>,
  recorded = recordedLog(),
): Promise<void> {
  const listener = start(0, render, recorded);
  try {
    await use(`http://127.0.0.1:${listener.port}`);
  } finally {
    await listener.close();
  }
}

Deno.test("/metrics has the metrics of the moment", async () => {
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

Deno.test("without pages beside it the metrics listener serves nothing but GET and HEAD of /metrics", async () => {
  await withServer(() => assert.fail("rendered"), async (url) => {
    for (const path of ["/", "/events", "/metrics/", "/metricsx", "/health"]) {
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

Deno.test("a page beside the metrics is served by its path, for GET and HEAD", async () => {
  const pages = { "/page": ({ url }: Request) => new Response(url) };
  const listener = start(0, () => "", recordedLog(), pages);
  const url = `http://127.0.0.1:${listener.port}`;
  const page = await fetch(`${url}/page?x`);
  assert.equal(await page.text(), `${url}/page?x`);
  const head = await fetch(`${url}/page`, { method: "HEAD" });
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  const post = await fetch(`${url}/page`, { method: "POST" });
  assert.deepEqual([post.status, await post.text()], [405, ""]);
  const other = await fetch(`${url}/page/`);
  assert.deepEqual([other.status, await other.text()], [404, ""]);
  await listener.close();
});

Deno.test("metrics that cannot be rendered are answered 500 and logged with the reason, and the next ones are served", async () => {
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

Deno.test("the metrics' port is free again once its listener is closed, idle connections or not", async () => {
  const first = start(0, () => "a 1\n");
  const { port } = first;
  await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  assert.throws(() => start(port, () => ""), {
    message: `Cannot serve metrics on METRICS_PORT ${port} of 127.0.0.1`,
  });
  await first.close();
  await start(port, () => "").close();
});

Deno.test("without METRICS_PORT no metrics are served", () => {
  const { log } = recordedLog();
  assert.equal(
    listenForMetrics(undefined, { render: () => "", pages: {}, log }),
    undefined,
  );
});

Deno.test("a metrics listener that fails is logged, and ends nothing else", async () => {
  const { serve } = Deno;
  const failure = Promise.reject(new Error("Broken"));
  Object.assign(Deno, {
    serve: () => ({ addr: { transport: "tcp" }, finished: failure }),
  });
  const recorded = recordedLog();
  try {
    start(9, () => "", recorded);
  } finally {
    Object.assign(Deno, { serve });
  }
  assert.deepEqual(await recorded.next("metrics are not served any more"), {
    reason: "Cannot accept connections: Broken",
  });
});
