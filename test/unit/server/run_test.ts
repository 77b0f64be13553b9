import assert from "node:assert/strict";
import { ByteBudget } from "../../../src/stream/byte_budget.ts";
import type { TlsFiles } from "../../../src/config/config.ts";
import { StreamLineWriter } from "../../../src/observability/line_writer.ts";
import type { Outcome } from "../../../src/server/exit.ts";
import {
  type GatewayService,
  run,
  type RunOptions,
} from "../../../src/server/run.ts";
import {
  CA,
  certificateFiles,
  freshKey,
  LOCALHOST,
  OTHER,
} from "../../support/certificates.ts";
import { configOf } from "../../support/config.ts";
import { type RecordedLog, recordedLog } from "../../support/event_log.ts";
import { fakeClock } from "../../support/fake_clock.ts";
import { type FakeSignals, fakeSignals } from "../../support/signals.ts";

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
    tlsLimits: {
      buffers: new ByteBudget({ limitBytes: 1_000_000 }),
      maxIdleConnections: 100,
    },
    renderMetrics: () => "a 1\n",
    certificateExpires: () => {},
    metricsPages: {},
    checkUntilReady: () => Promise.resolve(),
    startDraining: () => void calls.push("startDraining"),
    refuseNew() {
      calls.push("refuseNew");
      return Promise.resolve();
    },
    waitUntilPortIdle(timeoutMs) {
      calls.push(`port ${timeoutMs}`);
      return Promise.resolve(true);
    },
    drain(timeoutMs, spreadMs) {
      calls.push(`drain ${timeoutMs} and ${spreadMs}`);
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
  /** Resolves to the port once it listens. */
  port(): Promise<number>;
}

/** Runs a fake service on a free port of 127.0.0.1, unless `env` and `differences` say otherwise. */
function startRun(
  env: Readonly<Record<string, string>> = {},
  differences: Partial<RunOptions> = {},
): TestRun {
  const config = configOf({
    DAYTONA_API_URL: "https://daytona.test/api",
    PROXY_API_KEY: "a-secret",
    PROXY_HOST: "127.0.0.1",
    PROXY_PORT: "0",
    SHUTDOWN_TIMEOUT_SEC: "60",
    ...env,
  });
  const service = fakeService();
  const recorded = recordedLog();
  const { addSignalListener, send } = fakeSignals();
  const outcome = run({
    config,
    version: "1.2.3",
    createService: () => Promise.resolve(service),
    lines: new StreamLineWriter(new WritableStream()),
    addSignalListener,
    isManaged: false,
    fetchesByProxy: false,
    hasSpans: false,
    log: recorded.log,
    ...differences,
  });
  return {
    service,
    recorded,
    outcome,
    send,
    port: async () => Number((await recorded.next("listening")).port),
  };
}

/** The variables that turn TLS on. */
function tlsOf({ certFile, keyFile }: TlsFiles): Record<string, string> {
  return { ENABLE_TLS: "true", TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile };
}

async function statusAt(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  await response.body?.cancel();
  return response.status;
}

Deno.test("after SIGTERM the gateway serves during the delay, drains for the rest of its time, and ends with code 0", async () => {
  using clock = fakeClock();
  const { service, recorded, outcome, ...process } = startRun();
  const port = await process.port();
  process.send("SIGTERM");
  await recorded.next("draining");
  clock.pass(4999);
  assert.equal(await statusAt(port), 200);
  assert.deepEqual(service.calls, ["startDraining"]);

  clock.pass(1);
  service.drained.resolve(true);
  assert.deepEqual(await outcome, { code: 0 });
  assert.deepEqual(service.calls.slice(1), [
    "refuseNew",
    "port 49000",
    "drain 49000 and 6000",
    "close",
  ]);
  assert.deepEqual(recorded.events(), ["listening", "draining", "stopped"]);
  await assert.rejects(statusAt(port), TypeError);
});

Deno.test("after SIGINT the gateway drains at once, logs that its time was too short, and ends with code 0", async () => {
  using _ = fakeClock();
  const { service, recorded, outcome, ...process } = startRun();
  await process.port();
  process.send("SIGINT");
  service.drained.resolve(false);
  assert.deepEqual(await outcome, { code: 0 });
  assert.deepEqual(service.calls, [
    "startDraining",
    "refuseNew",
    "port 54000",
    "drain 54000 and 6000",
    "close",
  ]);
  assert.match(recorded.events().join(), /drain timed out/);
});

Deno.test("the port that WebSockets have kept open closes once the service says so", async () => {
  using _ = fakeClock();
  const service = fakeService();
  service.waitUntilPortIdle = () => Promise.resolve(false);
  let port = 0;
  service.drain = async (_timeoutMs, _spreadMs, closePort) => {
    assert.equal(await statusAt(port), 200);
    await closePort?.();
    await assert.rejects(statusAt(port), TypeError);
    return false;
  };
  const process = startRun({}, {
    createService: () => Promise.resolve(service),
  });
  port = await process.port();
  process.send("SIGINT");
  assert.deepEqual(await process.outcome, { code: 0 });
});

Deno.test("a signal that arrives during the start ends the gateway as soon as it has started", async () => {
  using _ = fakeClock();
  const started = Promise.withResolvers<GatewayService>();
  const service = fakeService();
  const { send, outcome } = startRun({}, {
    createService: () => started.promise,
  });
  send("SIGINT");
  started.resolve(service);
  service.drained.resolve(true);
  assert.deepEqual(await outcome, { code: 0 });
  assert.deepEqual(service.calls, [
    "startDraining",
    "refuseNew",
    "port 54000",
    "drain 54000 and 6000",
    "close",
  ]);
});

Deno.test("a second signal ends the gateway at once, with that signal's exit code", async () => {
  for (const first of ["SIGTERM", "SIGINT"] as const) {
    for (const [again, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
      using clock = fakeClock();
      const { recorded, outcome, ...process } = startRun();
      const port = await process.port();
      process.send(first);
      await recorded.next("draining");
      clock.pass(1000);
      process.send(again);
      assert.deepEqual(await outcome, { code });
      await assert.rejects(statusAt(port), TypeError);
    }
  }
});

Deno.test("a start that fails, such as on a port that is taken, ends with code 1 and one line that says why", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  await using files = await certificateFiles(LOCALHOST);
  for (const env of [{}, tlsOf(files)]) {
    const { service, outcome } = startRun({
      ...env,
      PROXY_PORT: String(port),
    });
    assert.deepEqual(await outcome, {
      code: 1,
      reason: `Port ${port} is taken: set PROXY_PORT.`,
    });
    assert.deepEqual(service.calls, ["close"]);
  }
  const broken = startRun({}, {
    createService: () =>
      Promise.reject(new Error("No store", { cause: new Error("disk full") })),
  });
  assert.deepEqual(await broken.outcome, {
    code: 1,
    reason: "No store: disk full.",
  });
});

Deno.test("two gateways do not share a port", async () => {
  const first = startRun();
  const port = await first.port();
  const second = startRun({ PROXY_PORT: String(port) });
  assert.deepEqual(await Promise.race([second.outcome, second.port()]), {
    code: 1,
    reason: `Port ${port} is taken: set PROXY_PORT.`,
  });
  first.service.drained.resolve(true);
  first.send("SIGINT");
  await first.outcome;
});

Deno.test("a certificate that cannot be used ends the gateway with code 2 before anything else is started", async () => {
  const { cert } = LOCALHOST;
  await using files = await certificateFiles({ cert, key: await freshKey() });
  const { outcome } = startRun(tlsOf(files), {
    createService: () => Promise.reject(new Error("Started")),
  });
  const { code, reason } = await outcome;
  assert.equal(code, 2);
  assert.match(reason ?? "", /^TLS_KEY_FILE: does not match .*\.$/);
});

Deno.test("a renewed certificate is used after SIGHUP, and a minute later without it, unless it cannot be used", async () => {
  await using files = await certificateFiles(LOCALHOST);
  using clock = fakeClock();
  const { service, recorded, outcome, ...process } = startRun(tlsOf(files));
  const { url } = await recorded.next("listening");
  const port = await process.port();
  assert.equal(url, `https://127.0.0.1:${port}/`);

  await files.write({ cert: OTHER.cert, key: await freshKey() });
  process.send("SIGHUP");
  await recorded.next("new certificate refused, keeping the old one");
  await handshake(port, "localhost");

  await files.write(OTHER);
  process.send("SIGHUP");
  await recorded.next("certificate replaced");
  await handshake(port, "other.test");

  await files.write(LOCALHOST);
  const replaced = () =>
    recorded.events().filter((event) => event === "certificate replaced");
  while (replaced().length < 2) {
    clock.pass(1000);
    // The watchdog would take a listener that accepts nothing meanwhile for one that has failed.
    await handshake(port, "other.test").catch(() => {});
  }
  await handshake(port, "localhost");

  process.send("SIGINT");
  service.drained.resolve(true);
  assert.deepEqual(await outcome, { code: 0 });
});

Deno.test("metrics have a port of their own, and one that is taken ends the gateway with code 1", async () => {
  const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port: metricsPort } = probe.addr;
  const env = { METRICS_PORT: String(metricsPort) };
  const taken = startRun(env);
  assert.deepEqual(await taken.outcome, {
    code: 1,
    reason:
      `Cannot serve metrics on METRICS_PORT ${metricsPort} of 127.0.0.1: ` +
      "Address already in use (os error 98).",
  });
  probe.close();

  const { service, recorded, outcome, ...process } = startRun(env);
  await process.port();
  const facts = await recorded.next("listening");
  assert.equal(facts.metricsPort, metricsPort);
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  assert.equal(await response.text(), "a 1\n");
  process.send("SIGINT");
  service.drained.resolve(true);
  assert.deepEqual(await outcome, { code: 0 });
});

const HOSTED = {
  PROXY_API_KEY: "",
  DAYTONA_API_KEY: "dtn_a-secret",
  PROXY_DOMAIN: "preview.test",
};

Deno.test("the log says at the start what is configured and what the API tells, and no secret", async () => {
  for (
    const [env, expected] of [
      [{}, {
        domains: "from the API",
        apiUrl: "https://daytona.test/api",
        mode: "proxy",
        cache: "kv:",
        issuer: "from the API",
      }],
      [{
        PROXY_DOMAIN: "preview.test,proxy.test:4000",
        OIDC_DOMAIN: "https://id.test",
        OIDC_CLIENT_SECRET: "a-secret",
        CACHE_URL: "rediss://user:a-secret@redis.test",
        SESSION_SECRETS: "a-secret".repeat(4),
      }, {
        domains: "preview.test,proxy.test:4000",
        apiUrl: "https://daytona.test/api",
        mode: "proxy",
        cache: "redis",
        issuer: "https://id.test",
      }],
      [{ ...HOSTED, CACHE_URL: "none" }, {
        domains: "preview.test",
        apiUrl: "https://daytona.test/api",
        mode: "hosted",
        cache: "none",
        login: "nobody: LOGIN_ALLOW is not set",
      }],
      [{
        ...HOSTED,
        CACHE_URL: "none",
        OIDC_DOMAIN: "https://id.test",
        OIDC_CLIENT_ID: "porthole",
        LOGIN_ALLOW: "ann@example.com",
      }, {
        domains: "preview.test",
        apiUrl: "https://daytona.test/api",
        mode: "hosted",
        cache: "none",
        login: "by LOGIN_ALLOW",
        issuer: "https://id.test",
      }],
    ] as const
  ) {
    const { service, recorded, outcome, send } = startRun(env);
    const facts = await recorded.next("listening");
    const { url, port, metricsPort, ...others } = facts;
    assert.equal(url, `http://127.0.0.1:${port}/`);
    assert.equal(metricsPort, undefined);
    assert.deepEqual(others, { version: "1.2.3", ...expected });
    send("SIGINT");
    service.drained.resolve(true);
    await outcome;
  }
});

Deno.test("on a platform the gateway drains for 4 s, whatever is configured", async () => {
  using _ = fakeClock();
  const { service, outcome, ...process } = startRun({}, { isManaged: true });
  await process.port();
  process.send("SIGINT");
  service.drained.resolve(true);
  assert.deepEqual(await outcome, { code: 0 });
  assert.deepEqual(service.calls, [
    "startDraining",
    "port 3600",
    "drain 3600 and 400",
    "close",
  ]);
});

Deno.test("on a platform the gateway ends before it would be killed, 5 s after the signal", async () => {
  using clock = fakeClock();
  const { recorded, outcome, ...process } = startRun({}, { isManaged: true });
  const port = await process.port();
  process.send("SIGINT");
  await recorded.next("draining");
  clock.pass(4_900);
  assert.deepEqual(await outcome, { code: 130 });
  await assert.rejects(statusAt(port), TypeError);
});

Deno.test("no certificate is read where the platform terminates TLS", async () => {
  const files = { certFile: "data/none", keyFile: "data/none" };
  const { outcome } = startRun(tlsOf(files), {
    isManaged: true,
    createService: () => Promise.reject(new Error("Got as far as this")),
  });
  assert.deepEqual(await outcome, { code: 1, reason: "Got as far as this." });
});

/** Fails if the server's certificate is not for `name`. */
async function handshake(port: number, name: string): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  using tls = await Deno.startTls(conn, { hostname: name, caCerts: [CA] });
  await tls.handshake();
}
