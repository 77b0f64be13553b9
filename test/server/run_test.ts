import assert from "node:assert/strict";
import type { TlsFiles } from "../../src/config/config.ts";
import type { Outcome } from "../../src/server/exit.ts";
import {
  type GatewayService,
  run,
  type RunOptions,
} from "../../src/server/run.ts";
import {
  CA,
  certificateFiles,
  freshKey,
  LOCALHOST,
  OTHER,
} from "../support/certificates.ts";
import { type RecordedLog, recordedLog } from "../support/event_log.ts";
import { type FakeSignals, fakeSignals } from "../support/signals.ts";

/** A service that does nothing but record its calls. */
interface FakeService extends GatewayService {
  readonly calls: string[];
  /** Lets {@linkcode GatewayService.drain} resolve. */
  readonly drained: PromiseWithResolvers<boolean>;
}

function fakeService(calls: string[] = []): FakeService {
  const drained = Promise.withResolvers<boolean>();
  return {
    calls,
    drained,
    fetch: () => new Response("ok"),
    renderMetrics: () => "a 1\n",
    checkUntilReady: () => Promise.resolve(),
    startDraining: () => void calls.push("startDraining"),
    waitUntilPortIdle(timeoutMs) {
      calls.push(`port ${timeoutMs}`);
      return Promise.resolve(true);
    },
    drain(timeoutMs) {
      calls.push(`drain ${timeoutMs}`);
      return drained.promise;
    },
    close() {
      calls.push("close");
      drained.resolve(false);
      return Promise.resolve();
    },
  };
}

/** A run under test. */
interface TestRun extends Pick<FakeSignals, "send"> {
  readonly service: FakeService;
  readonly recorded: RecordedLog;
  readonly outcome: Promise<Outcome>;
  /** Ends the shutdown delay. */
  readonly delayed: PromiseWithResolvers<void>;
  /** Advances the clock. */
  pass(ms: number): void;
  /** Resolves to the port once it listens. */
  port(): Promise<number>;
}

function startRun(
  differences: Partial<RunOptions> & {
    tls?: TlsFiles;
    port?: number;
    metricsPort?: number;
  } = {},
): TestRun {
  let now = 0;
  const service = fakeService();
  const recorded = recordedLog();
  const { addSignalListener, send } = fakeSignals();
  const delayed = Promise.withResolvers<void>();
  const { tls, port = 0, metricsPort, ...options } = differences;
  const outcome = run({
    config: {
      listen: { hostname: "127.0.0.1", port, trustedProxies: [], tls },
      limits: {
        concurrentExchanges: 1,
        exchangesPerSandbox: 1,
        tunnels: 1,
        targetBytes: 1,
        headerBytes: 1,
        headerFields: 1,
        bodyIdleTimeoutMs: 0,
        refusalsPerMinute: 1,
        tunnelBufferBytes: 1,
        shutdownDelayMs: 5000,
        shutdownTimeoutMs: 60_000,
      },
      metrics: metricsPort === undefined
        ? undefined
        : { hostname: "127.0.0.1", port: metricsPort },
    },
    createService: () => Promise.resolve(service),
    startFacts: { version: "1.2.3" },
    addSignalListener,
    log: recorded.log,
    sleep(ms) {
      service.calls.push(`sleep ${ms}`);
      return delayed.promise;
    },
    now: () => now,
    ...options,
  });
  return {
    service,
    recorded,
    outcome,
    delayed,
    send,
    pass: (ms) => now += ms,
    port: async () => Number((await recorded.next("listening")).port),
  };
}

async function statusAt(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  await response.body?.cancel();
  return response.status;
}

Deno.test("SIGTERM: not ready at once, served on during the delay, then drained for the rest of the time, then ended", async () => {
  const { service, recorded, outcome, delayed, ...process } = startRun();
  const port = await process.port();
  process.send("SIGTERM");
  await recorded.next("draining");
  assert.deepEqual(service.calls, ["startDraining", "sleep 5000"]);
  assert.equal(await statusAt(port), 200);

  process.pass(5000);
  delayed.resolve();
  service.drained.resolve(true);
  assert.deepEqual(await outcome, { code: 0 });
  assert.deepEqual(service.calls.slice(2), [
    "port 55000",
    "drain 55000",
    "close",
  ]);
  assert.deepEqual(recorded.events(), ["listening", "draining", "stopped"]);
  await assert.rejects(statusAt(port), TypeError);
});

Deno.test("SIGINT: drained without delay; a drain that takes too long is told, and ends as well", async () => {
  const { service, recorded, outcome, ...process } = startRun();
  await process.port();
  process.send("SIGINT");
  service.drained.resolve(false);
  assert.deepEqual(await outcome, { code: 0 });
  assert.deepEqual(service.calls, [
    "startDraining",
    "port 60000",
    "drain 60000",
    "close",
  ]);
  assert.match(recorded.events().join(), /drain timed out/);
});

Deno.test("a signal during the start ends it as soon as it has started", async () => {
  const started = Promise.withResolvers<GatewayService>();
  const service = fakeService();
  const { send, outcome } = startRun({ createService: () => started.promise });
  send("SIGINT");
  started.resolve(service);
  service.drained.resolve(true);
  assert.deepEqual(await outcome, { code: 0 });
  assert.deepEqual(service.calls, [
    "startDraining",
    "port 60000",
    "drain 60000",
    "close",
  ]);
});

Deno.test("a second signal ends it at once, whatever is waited for, with that signal's exit code", async () => {
  for (const first of ["SIGTERM", "SIGINT"] as const) {
    for (const [again, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
      const { recorded, outcome, ...process } = startRun();
      const port = await process.port();
      process.send(first);
      await recorded.next("draining");
      process.pass(1000);
      process.send(again);
      assert.deepEqual(await outcome, { code });
      await assert.rejects(statusAt(port), TypeError);
      process.delayed.resolve();
    }
  }
});

Deno.test("a port that is taken, and any other failure of the start, is code 1 and one line", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  await using files = await certificateFiles(LOCALHOST);
  for (const tls of [undefined, files]) {
    const { service, outcome } = startRun({
      port,
      ...(tls === undefined ? {} : { tls }),
    });
    assert.deepEqual(await outcome, {
      code: 1,
      reason: `Port ${port} is taken: set PROXY_PORT.`,
    });
    assert.deepEqual(service.calls, ["close"]);
  }
  const first = startRun();
  const shared = await first.port();
  const second = startRun({ port: shared });
  assert.deepEqual(await Promise.race([second.outcome, second.port()]), {
    code: 1,
    reason: `Port ${shared} is taken: set PROXY_PORT.`,
  });
  first.service.drained.resolve(true);
  first.send("SIGINT");
  await first.outcome;

  const broken = startRun({
    createService: () =>
      Promise.reject(new Error("No store", { cause: new Error("disk full") })),
  });
  assert.deepEqual(await broken.outcome, {
    code: 1,
    reason: "No store: disk full.",
  });
});

Deno.test("a certificate that cannot be used is code 2, before anything is started", async () => {
  const { cert } = LOCALHOST;
  await using tls = await certificateFiles({ cert, key: await freshKey() });
  const { outcome } = startRun({
    tls,
    createService: () => Promise.reject(new Error("Started")),
  });
  const { code, reason } = await outcome;
  assert.equal(code, 2);
  assert.match(reason ?? "", /^TLS_KEY_FILE: does not match .*\.$/);
});

Deno.test("SIGHUP puts a renewed certificate to use, and keeps the old one where the new one cannot be used", async () => {
  await using tls = await certificateFiles(LOCALHOST);
  const { service, recorded, outcome, ...process } = startRun({ tls });
  const { url } = await recorded.next("listening");
  const port = await process.port();
  assert.equal(url, `https://127.0.0.1:${port}/`);

  await tls.write({ cert: OTHER.cert, key: await freshKey() });
  process.send("SIGHUP");
  await recorded.next("new certificate refused, keeping the old one");
  await handshake(port, "localhost");

  await tls.write(OTHER);
  process.send("SIGHUP");
  await recorded.next("certificate replaced");
  await handshake(port, "other.test");

  process.send("SIGINT");
  service.drained.resolve(true);
  assert.deepEqual(await outcome, { code: 0 });
});

Deno.test("a renewed certificate is found without a signal too", async () => {
  await using tls = await certificateFiles(LOCALHOST);
  const { service, recorded, outcome, ...process } = startRun({
    tls,
    certificateCheckMs: 1,
  });
  const port = await process.port();
  await tls.write(OTHER);
  await recorded.next("certificate replaced");
  await handshake(port, "other.test");
  process.send("SIGINT");
  service.drained.resolve(true);
  assert.deepEqual(await outcome, { code: 0 });
});

Deno.test("metrics have a port of their own until the end, and one that is taken is code 1", async () => {
  const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port: metricsPort } = probe.addr;
  const taken = startRun({ metricsPort });
  assert.deepEqual(await taken.outcome, {
    code: 1,
    reason:
      `Cannot serve metrics on METRICS_PORT ${metricsPort} of 127.0.0.1: ` +
      "Address already in use (os error 98).",
  });
  probe.close();

  const { service, outcome, ...process } = startRun({ metricsPort });
  await process.port();
  const facts = await process.recorded.next("listening");
  assert.equal(facts.metricsPort, metricsPort);
  assert.equal(facts.version, "1.2.3");
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  assert.equal(await response.text(), "a 1\n");
  process.send("SIGINT");
  service.drained.resolve(true);
  assert.deepEqual(await outcome, { code: 0 });
});

/** Fails if the server's certificate is not for `name`. */
async function handshake(port: number, name: string): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  using tls = await Deno.startTls(conn, { hostname: name, caCerts: [CA] });
  await tls.handshake();
}

Deno.test("where the platform ends the process, no certificate is read", async () => {
  const { outcome } = startRun({
    addSignalListener: undefined,
    tls: { certFile: "data/none", keyFile: "data/none" },
    createService: () => Promise.reject(new Error("Got as far as this")),
  });
  assert.deepEqual(await outcome, { code: 1, reason: "Got as far as this." });
});
