import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { StatusReport } from "../../../src/observability/status/report.ts";
import type { Listener } from "../../../src/downstream/http/listen.ts";
import { listenForMetrics } from "../../../src/server/metrics_server.ts";
import { send } from "../../support/send.ts";
import { recordedLog } from "../../support/event_log.ts";

const NO_REPORT: StatusReport = { sandboxes: [], limits: [], troubles: [] };

function report(): StatusReport {
  return NO_REPORT;
}

function start(
  port: number,
  render: () => string,
  { log } = recordedLog(),
): Listener {
  const address = { hostname: "127.0.0.1", port, statusPage: false };
  return listenForMetrics(address, { render, report, log }) ?? assert.fail();
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

Deno.test("without STATUS_PAGE the metrics listener serves nothing but GET and HEAD of /metrics", async () => {
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
    listenForMetrics(undefined, { render: () => "", report, log }),
    undefined,
  );
});

Deno.test("a metrics listener that fails is logged, and ends nothing else", async () => {
  const { serve } = Deno;
  const failure = Promise.reject(new Error("Too many open files"));
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
    reason: "Cannot accept connections: Too many open files",
  });
});

/** Uses a listener with a status page. */
async function withStatusPage(
  use: (port: number) => Promise<void>,
  hostname = "127.0.0.1",
): Promise<void> {
  const address = { hostname, port: 0, statusPage: true };
  const { log } = recordedLog();
  const listener = listenForMetrics(address, {
    render: () => 'porthole_build_info{version="1.2.3",deno="2"} 1\n',
    report,
    log,
  }) ?? assert.fail();
  try {
    await use(listener.port);
  } finally {
    await listener.close();
  }
}

Deno.test("the status page loads nothing from elsewhere, runs its own script only, and may be framed by nobody", async () => {
  await withStatusPage(async (port) => {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(response.status, 200);
    const policy = response.headers.get("content-security-policy") ?? "";
    for (
      const directive of [
        "default-src 'none'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
      ]
    ) assert(policy.includes(directive), policy);
    const html = await response.text();
    const scripts = [...html.matchAll(/<script[^>]*>([^]*?)<\/script>/g)];
    assert.equal(scripts.length, 1);
    const digest = createHash("sha256").update(scripts[0]?.[1] ?? "")
      .digest("base64");
    assert(policy.includes(`script-src 'sha256-${digest}'`), policy);
    assert.doesNotMatch(html, /(?:src|href)="(?!metrics"|data:)/);
  });
});

Deno.test("the status page's events come as long as somebody listens, and end with the listener", async () => {
  let ended: Promise<unknown> | undefined;
  await withStatusPage(async (port) => {
    const response = await fetch(`http://127.0.0.1:${port}/events`);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    const reader = response.body?.getReader() ?? assert.fail();
    const { value } = await reader.read();
    const text = new TextDecoder().decode(value);
    assert.match(text, /^data: \{"version":"1\.2\.3".*"isFirst":true\}\n\n$/);
    ended = reader.read();
    const head = await fetch(`http://127.0.0.1:${port}/events`, {
      method: "HEAD",
    });
    assert.equal(head.status, 200);
  });
  assert.deepEqual(await ended, { done: true, value: undefined });
});

Deno.test("whoever points a name of theirs at the metrics port reads no status page, and the scrape goes on", async () => {
  await withStatusPage(async (port) => {
    for (
      const [host, path, status] of [
        ["rebound.example.com", "/", 421],
        ["rebound.example.com", "/events", 421],
        ["rebound.example.com", "/metrics", 200],
        ["gateway-1", "/", 200],
      ] as const
    ) {
      // The events never end by themselves.
      const method = status === 200 ? "HEAD" : "GET";
      const answer = await send(`${host}:${port}`, { port, path, method });
      assert.equal(answer.status, status, `${host}${path}`);
    }
  });
});
