import assert from "node:assert/strict";
import { ByteBudget } from "../../../../src/lib/byte_budget.ts";
import type { LineWriter } from "../../../../src/observability/line_writer.ts";
import type { GatewayService } from "../../../../src/server/run.ts";
import type {
  FromWorker,
  ToWorker,
} from "../../../../src/server/workers/messages.ts";
import { serveAsWorker } from "../../../../src/server/workers/serve_as_worker.ts";
import { configOf } from "../../../support/config.ts";
import { freePort } from "../../../support/free_port.ts";

/** A service that does nothing. */
function idleService(): GatewayService {
  return {
    fetch: () => new Response("ok"),
    buffers: new ByteBudget({ limitBytes: 1_000_000 }),
    renderMetrics: () => "a 1\n",
    certificateExpires: () => {},
    status: () => ({ sandboxes: [], limits: [], troubles: [] }),
    checkUntilReady: () => Promise.resolve(),
    startDraining() {},
    waitUntilPortIdle: () => Promise.resolve(true),
    drain: () => Promise.resolve(true),
    close: () => Promise.resolve(),
  };
}

/** Starts a worker on this thread; the caller holds the supervisor's end of its channel. */
function startWorker() {
  const config = configOf({
    PROXY_HOST: "127.0.0.1",
    PROXY_PORT: String(freePort()),
  });
  const { port1, port2 } = new MessageChannel();
  const heard: FromWorker[] = [];
  const waiting = new Set<() => void>();
  let lines: LineWriter | undefined;
  const worker = { confirmsAll: false };
  port1.onmessage = ({ data }) => {
    if (worker.confirmsAll && data.kind === "lines") send({ kind: "written" });
    heard.push(data);
    for (const look of waiting) look();
  };
  function send(message: ToWorker): void {
    port1.postMessage(message);
  }
  function next<K extends FromWorker["kind"]>(kind: K) {
    const { promise, resolve } = Promise.withResolvers<
      Extract<FromWorker, { kind: K }>
    >();
    function isOfKind(
      message: FromWorker,
    ): message is Extract<FromWorker, { kind: K }> {
      return message.kind === kind;
    }
    function look(): void {
      const index = heard.findIndex(isOfKind);
      const [found] = index < 0 ? [] : heard.splice(index, 1);
      if (found === undefined || !isOfKind(found)) return;
      waiting.delete(look);
      resolve(found);
    }
    waiting.add(look);
    look();
    return promise;
  }
  const ended = serveAsWorker(port2, {
    number: 3,
    version: "1.2.3",
    config,
    createService(_config, options) {
      lines = options.lines;
      return Promise.resolve(idleService());
    },
  });
  return Object.assign(worker, {
    ended,
    heard,
    next,
    send,
    write: (line: string) => lines?.write(line),
    port: config.listen.port,
    [Symbol.dispose]() {
      port1.close();
      port2.close();
    },
  });
}

async function textOf(
  message: Promise<{ readonly batch: Uint8Array }>,
): Promise<string> {
  return new TextDecoder().decode((await message).batch);
}

Deno.test("serveAsWorker() sends each batch of log lines after the last one was written, and its outcome after all of them", async () => {
  using worker = startWorker();
  const listening = await textOf(worker.next("lines"));
  assert.match(listening, /"message":"listening".*"worker":3/);
  const response = await fetch(`http://127.0.0.1:${worker.port}/`);
  assert.equal(await response.text(), "ok");
  worker.write("one\n");
  worker.write("two\n");
  worker.send({ kind: "signal", signal: "SIGINT" });
  worker.send({ kind: "render_metrics", looks: true });
  await worker.next("metrics");
  assert.deepEqual(worker.heard, []);

  worker.send({ kind: "written" });
  const rest = await textOf(worker.next("lines"));
  assert.match(rest, /^one\ntwo\n.*"draining"/s);
  worker.confirmsAll = true;
  worker.send({ kind: "written" });
  await worker.ended;
  const { outcome } = await worker.next("ended");
  assert.deepEqual(outcome, { code: 0 });
});

Deno.test("serveAsWorker() treats no signal as an echo of the first", async () => {
  using worker = startWorker();
  await worker.next("lines");
  worker.confirmsAll = true;
  worker.send({ kind: "written" });
  worker.send({ kind: "signal", signal: "SIGTERM" });
  worker.send({ kind: "signal", signal: "SIGTERM" });
  await worker.ended;
  const { outcome } = await worker.next("ended");
  assert.deepEqual(outcome, { code: 143 });
});

Deno.test("serveAsWorker() shares its port and sends its metrics", async () => {
  using worker = startWorker();
  await worker.next("lines");
  worker.send({ kind: "written" });
  using other = Deno.listen({
    hostname: "127.0.0.1",
    port: worker.port,
    reusePort: true,
  });
  assert.equal(other.addr.port, worker.port);
  worker.send({ kind: "render_metrics", looks: true });
  assert.equal((await worker.next("metrics")).metrics, "a 1\n");
  worker.send({ kind: "report" });
  const { report } = await worker.next("report");
  assert.deepEqual(report, { sandboxes: [], limits: [], troubles: [] });
  worker.send({ kind: "signal", signal: "SIGTERM" });
  await worker.next("lines");
  worker.confirmsAll = true;
  worker.send({ kind: "signal", signal: "SIGINT" });
  worker.send({ kind: "written" });
  assert.deepEqual((await worker.next("ended")).outcome, { code: 130 });
  await worker.ended;
});
