/** The doctor on its way through one preview: each hop, broken in turn, is the one that it names. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { doctorArguments } from "../../scripts/doctor/arguments.ts";
import type { Finding } from "../../scripts/doctor/finding.ts";
import { examinePreview } from "../../scripts/doctor/preview/examine.ts";
import { hopOfCode, HOPS } from "../../scripts/doctor/preview/hops.ts";
import type { PreviewRequest } from "../../scripts/doctor/preview/subject.ts";
import type { World } from "../../scripts/doctor/world.ts";
import { listenOnLoopback } from "../../scripts/stand_in/loopback.ts";
import { KEYS, RUNNER_ID } from "../../scripts/stand_in/stack.ts";
import { ERROR_CODES } from "../../src/error_codes.ts";
import { startFaultyFront } from "../support/faulty_front.ts";
import {
  type Patient,
  startHostedPatient,
  startPatient,
  TEST_WORLD,
} from "./doctor_world.ts";

/** A port of this machine on which nothing listens. */
const CLOSED_PORT = 9;

/** What differs from a look at port 3000 of `demo`. */
interface Differences extends Partial<PreviewRequest> {
  readonly env?: Readonly<Record<string, string>>;
  readonly world?: Partial<World>;
}

async function look(
  patient: Patient,
  { env = {}, world = {}, ...request }: Differences = {},
): Promise<{
  readonly states: readonly string[];
  readonly failed: readonly string[];
  find(name: string): Finding;
}> {
  const findings = await examinePreview(
    { ...patient.env, ...env },
    { ...TEST_WORLD, ...world },
    { sandboxId: "demo", port: 3000, path: "/", token: undefined, ...request },
  );
  return {
    states: findings.map(({ name, state }) => `${name}: ${state}`),
    failed: findings.filter(({ state }) => state === "failed")
      .map(({ name }) => name),
    find: (name) =>
      findings.find((each) => each.name === name) ?? assert.fail(name),
  };
}

Deno.test("doctor --sandbox goes through a preview that works, hop by hop", async () => {
  await using patient = await startPatient();
  const { states, find } = await look(patient, { path: "/ws" });
  assert.deepEqual(states, [
    "DNS: ok",
    "certificate: skipped", // plain http
    "front: ok",
    "gate: ok",
    "API: ok",
    "sandbox: ok",
    "runner: ok",
    "daemon: ok",
    "port: ok",
    "first byte: ok",
    "WebSocket: ok",
    "streaming: ok",
    "preview: ok",
  ]);
  assert.match(find("WebSocket").finding, /status 101 by the app/);
  assert.match(find("preview").finding, /^http:\/\/3000-demo\.proxy\S+ works/);
});

Deno.test("doctor --sandbox tells an app without WebSockets from a front that loses them", async () => {
  await using patient = await startPatient();
  const { find } = await look(patient);
  assert.equal(find("WebSocket").state, "ok");
  assert.match(find("WebSocket").finding, /404 by the app.*do reach/);
});

Deno.test("doctor --sandbox does not need the token of a private sandbox, but looks further with it", async () => {
  await using patient = await startPatient();
  const without = await look(patient, { sandboxId: "locked" });
  assert.deepEqual(without.failed, []);
  assert.match(without.find("gate").finding, /set PREVIEW_TOKEN/);
  assert.equal(without.find("first byte").state, "ok");
  assert.equal(without.find("WebSocket").state, "skipped");
  assert.match(without.find("preview").finding, /whoever has access/);

  const token = KEYS.lockedToken;
  const withToken = await look(patient, { sandboxId: "locked", token });
  assert.deepEqual(withToken.failed, []);
  assert.match(withToken.find("gate").finding, /lets the request through/);
  assert.equal(withToken.find("WebSocket").state, "ok");
});

Deno.test("doctor --sandbox does not keep a sandbox running", async () => {
  await using patient = await startPatient();
  await look(patient);
  assert.equal(patient.stack.api.count("updateLastActivity"), 0);
});

Deno.test("doctor --sandbox names the hop that fails", async (t) => {
  await using patient = await startPatient();
  const { stack, port } = patient;
  await using front = await startFaultyFront(port);
  const throughFront = { PROXY_DOMAIN: `proxy.localhost:${front.port}` };
  const demo = stack.runner.containers.get("demo") ?? assert.fail();

  async function step(
    fault: string,
    hop: typeof HOPS[number],
    words: RegExp,
    differences: Differences = {},
  ): Promise<void> {
    await t.step(`${hop}: ${fault}`, async () => {
      const { failed, find, states } = await look(patient, differences);
      assert.deepEqual(failed, [hop, "preview"], states.join("\n"));
      assert.match(find(hop).finding, words);
      assert.notEqual(find(hop).hint, undefined);
      assert.match(
        find("preview").finding,
        new RegExp(`fails at this hop: ${hop}\\.$`),
      );
    });
  }

  const named = { PROXY_DOMAIN: `preview.test:${port}` };
  await step("there is no record", "DNS", /no address for 3000-demo\.preview/, {
    env: named,
  });
  await step("no server answers", "DNS", /Cannot look up .*: no server/, {
    env: named,
    world: { resolve: () => Promise.reject(new Error("no server")) },
  });
  await step("the port speaks no TLS", "certificate", /TLS fails/, {
    env: { PROXY_PROTOCOL: "https" },
  });
  await step("nothing listens", "front", /nothing listens there/, {
    env: { PROXY_DOMAIN: `proxy.localhost:${CLOSED_PORT}` },
  });
  await step("the gateway serves another domain", "front", /route_not_found/, {
    env: named,
    world: { resolve: () => Promise.resolve(["127.0.0.1"]) },
  });
  front.faults = { answers: 502 };
  await step("it does not reach the gateway", "front", /502, is not the gate/, {
    env: throughFront,
  });
  front.faults = { host: "127.0.0.1:4000" };
  await step("it changes the Host", "front", /was not told that name/, {
    env: throughFront,
  });
  await step("a wrong token", "gate", /does not accept PREVIEW_TOKEN/, {
    sandboxId: "locked",
    token: "wrong",
  });
  await step("an unknown key", "API", /refuses the gateway's key: status 401/, {
    env: { PROXY_API_KEY: "nobodys-key" },
  });
  await step("stopped", "sandbox", /It is stopped/, { sandboxId: "stopped" });
  await step("unknown", "sandbox", /knows no sandbox nothing/, {
    sandboxId: "nothing",
  });

  const { runners } = stack.api.state;
  const record = runners.get(RUNNER_ID) ?? assert.fail();
  runners.set(RUNNER_ID, { ...record, proxyUrl: null });
  await step("it has not reported", "runner", /does not tell where/);
  runners.set(RUNNER_ID, {
    ...record,
    proxyUrl: `http://127.0.0.1:${CLOSED_PORT}`,
  });
  await step("it cannot be reached", "runner", /nothing listens there/);
  runners.set(RUNNER_ID, record);
  stack.runner.apiKey = "changed";
  await step("it has another key", "runner", /does not accept the key/);
  stack.runner.apiKey = KEYS.runner;
  stack.runner.containers.delete("demo");
  await step("it has lost the sandbox", "runner", /does not have the sandbox/);
  stack.runner.containers.set("demo", demo);
  demo.started = false;
  await step("it has not noticed yet", "runner", /the sandbox does not run/);
  demo.started = true;

  demo.daemonIsDown = true;
  await step("it is down", "daemon", /daemon in the sandbox does not answer/);
  demo.daemonIsDown = false;

  demo.ports.set(4567, CLOSED_PORT);
  await step("closed", "port", /Nothing listens on port 4567/, { port: 4567 });
  demo.ports.set(80, CLOSED_PORT);
  await step("closed, and not watched by the daemon", "port", /port 80 of/, {
    port: 80,
  });

  const silent = createServer();
  await using app = await listenOnLoopback(silent);
  demo.ports.set(8000, app.port);
  const deadlines = new Set<AbortController>();
  silent.on("request", () => {
    for (const deadline of deadlines) {
      deadline.abort(new DOMException("too late", "TimeoutError"));
    }
  });
  await t.step("first byte: an app that does not answer", async () => {
    const { failed, find } = await look(patient, {
      port: 8000,
      world: {
        deadline() {
          const deadline = new AbortController();
          deadlines.add(deadline);
          return deadline.signal;
        },
      },
    });
    assert.deepEqual(failed, ["first byte", "preview"]);
    assert.match(find("first byte").finding, /does not answer GET \/: no answ/);
    assert.match(find("preview").finding, /this hop: first byte\.$/);
  });
  const raw = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  demo.ports.set(8001, raw.addr.port);
  const dropping = (async () => {
    for await (const connection of raw) connection.close();
  })();
  await step("no HTTP", "first byte", /nothing that is HTTP/, { port: 8001 });
  raw.close();
  await dropping;

  front.faults = { dropsUpgrades: true };
  await step("the front loses Upgrade", "WebSocket", /ordinary request/, {
    env: throughFront,
    path: "/ws",
  });
  front.faults = { buffers: true };
  await step("the front buffers", "streaming", /keeps responses back/, {
    env: throughFront,
  });
  front.faults = {};
  await t.step("none, through a front without a fault", async () => {
    const { failed } = await look(patient, { env: throughFront, path: "/ws" });
    assert.deepEqual(failed, []);
  });

  await stack.api.stop();
  await step("it is down", "API", /does not answer: nothing listens/);
});

Deno.test("doctor --sandbox believes the gateway where it sees what this machine does not", async () => {
  await using patient = await startPatient();
  // All is well where this machine looks, which is not where the gateway does.
  await using other = await startPatient();
  const { DAYTONA_API_URL = "" } = other.env;
  patient.stack.runner.apiKey = "changed";
  const { failed, find } = await look(patient, { env: { DAYTONA_API_URL } });
  assert.deepEqual(failed, ["runner", "preview"]);
  assert.match(find("runner").finding, /gateway says runner_refused, although/);
});

Deno.test("doctor --sandbox looks through somebody else's Daytona by the token that its API tells", async () => {
  await using patient = await startHostedPatient();
  const { config } = patient.stack.api.state;
  // An address has no names below it.
  config.proxyTemplateUrl = config.proxyTemplateUrl
    .replace("127.0.0.1", "daytona.localhost");
  const { states, find } = await look(patient, { sandboxId: "locked" });
  assert.deepEqual(states, [
    "DNS: ok",
    "certificate: skipped",
    "front: ok",
    "gate: ok",
    "API: ok",
    "sandbox: ok",
    "runner: skipped",
    "daemon: skipped",
    "port: ok",
    "first byte: ok",
    "WebSocket: ok",
    "streaming: ok",
    "preview: ok",
  ]);
  assert.match(find("gate").finding, /lets the request through/);
  const { failed } = await look(patient, { sandboxId: "stopped" });
  assert.deepEqual(failed, ["sandbox", "preview"]);
});

Deno.test("each error code of the gateway is of a hop", () => {
  for (const code of ERROR_CODES) {
    assert(HOPS.includes(hopOfCode(code)), code);
  }
  assert.equal(hopOfCode("port_closed"), "port");
  assert.equal(hopOfCode("something_new"), "gate");
});

Deno.test("doctorArguments() takes a preview apart, and refuses what makes no sense", () => {
  assert.deepEqual(doctorArguments([]), {
    isJson: false,
    sandboxId: undefined,
    preview: undefined,
    names: false,
  });
  assert.equal(doctorArguments(["demo", "--json"])?.sandboxId, "demo");
  assert.deepEqual(
    doctorArguments(["--port=8000", "--json", "--sandbox", "demo"]),
    {
      isJson: true,
      sandboxId: undefined,
      preview: { sandboxId: "demo", port: 8000, path: "/" },
      names: false,
    },
  );
  assert.equal(doctorArguments(["--json", "--names"])?.names, true);
  assert.equal(
    doctorArguments(["--sandbox=demo", "--path=/a?b=c"])?.preview?.path,
    "/a?b=c",
  );
  for (
    const args of [
      ["--verbose"],
      ["a/b"],
      ["demo", "other"],
      ["--sandbox"],
      ["--sandbox", "a/b"],
      ["--sandbox", "demo", "other"],
      ["--sandbox", "demo", "--sandbox", "other"],
      ["--port", "3000"],
      ["--sandbox", "demo", "--port", "0x50"],
      ["--sandbox", "demo", "--port", "65536"],
      ["--sandbox", "demo", "--path", "a"],
      ["--names", "demo"],
      ["--names", "--sandbox", "demo"],
      ["--names", "--names"],
      ["--names=demo"],
    ]
  ) assert.equal(doctorArguments(args), undefined, args.join(" "));
});
