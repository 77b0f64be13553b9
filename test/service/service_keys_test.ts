/** The keys of the installation's machines, which open nothing here, although the API admits them to every sandbox. */
import assert from "node:assert/strict";
import { KEYS, RUNNER_ID } from "../../scripts/stand_in/stack.ts";
import { collectLog } from "../support/collected_log.ts";
import {
  BASE,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../support/gateway.ts";

const MACHINES = [
  KEYS.service,
  KEYS.regionProxy,
  KEYS.otherRegionProxy,
  KEYS.runner,
  KEYS.sshGateway,
  KEYS.otelCollector,
  KEYS.healthCheck,
];

/** Everything that a bearer opens, and the code for one that does not. */
const DOORS: readonly {
  readonly host: string;
  readonly path: string;
  readonly method?: string;
  readonly body?: string;
  readonly refused: string;
}[] = [
  { host: LOCKED, path: "/echo", refused: "login_required" },
  { host: `22222-demo.${BASE}`, path: "/", refused: "login_required" },
  {
    host: BASE,
    path: "/toolbox/locked/process/execute",
    method: "POST",
    body: '{"command":"true"}',
    refused: "credential_invalid",
  },
  {
    host: BASE,
    path: "/sandboxes/locked/build-logs",
    refused: "build_log_not_found",
  },
  {
    host: BASE,
    path: "/snapshots/snap/build-logs",
    refused: "build_log_not_found",
  },
];

/** Starts a gateway; the sandbox `locked` and the snapshot `snap` were built. */
async function startWithBuilds(
  environment: Record<string, string> = {},
): Promise<TestGateway> {
  const gateway = await startGateway(environment);
  const { api, runner } = gateway.stack;
  runner.buildLogs.set("image", async function* () {
    yield "built\n";
  });
  api.sandbox("locked").snapshotRef = "image";
  const snapshot = { ref: "image", initialRunnerId: RUNNER_ID };
  api.state.snapshots.set("snap", snapshot);
  api.state.users.get(KEYS.user)?.add("snap");
  return gateway;
}

Deno.test("no key of a machine of the installation opens a preview, the toolbox or a build log", async () => {
  await using gateway = await startWithBuilds();
  for (const { host, refused, ...request } of DOORS) {
    for (const key of MACHINES) {
      const headers = { authorization: `Bearer ${key}` };
      const answer = await gateway.send(host, { ...request, headers });
      assert.equal(answer.code, refused, `${key} ${host}${request.path}`);
    }
  }
  assert.equal(gateway.stack.runner.seen.length, 0);
});

Deno.test("a user's API key opens what it may, after one more question about it", async () => {
  await using gateway = await startWithBuilds();
  const { api } = gateway.stack;
  const headers = { authorization: `Bearer ${KEYS.user}` };
  for (let i = 0; i < 3; i++) {
    const answer = await gateway.send(LOCKED, { path: "/echo", headers });
    assert.equal(answer.status, 200);
  }
  assert.equal(api.count("hasSandboxAccess"), 1);
  assert.equal(api.count("getCurrentApiKey"), 1);
  const log = await gateway.send(BASE, {
    path: "/sandboxes/locked/build-logs",
    headers,
  });
  assert.equal(log.body, "built\n");
});

Deno.test("a key costs one question for each further sandbox, and one that the API does not know no second one", async () => {
  await using gateway = await startGateway({ TRUSTED_PROXIES: "127.0.0.1" });
  const { api } = gateway.stack;
  const asked = async (key: string, ...hosts: readonly string[]) => {
    const before = api.calls.length;
    for (const host of hosts) {
      await gateway.send(host, {
        headers: {
          "authorization": `Bearer ${key}`,
          "x-forwarded-for": "192.0.2.7",
        },
      });
    }
    const calls = api.calls.slice(before)
      .filter(({ address }) => address === "192.0.2.7");
    return calls.map(({ operation }) => operation);
  };
  const terminal = `22222-demo.${BASE}`;
  assert.deepEqual(await asked(KEYS.user, LOCKED, terminal), [
    "hasSandboxAccess",
    "getCurrentApiKey",
    "hasSandboxAccess",
  ]);
  // The API admits it, so that it is asked whose it is, once.
  assert.deepEqual(await asked(KEYS.runner, LOCKED, terminal), [
    "hasSandboxAccess",
    "getCurrentApiKey",
    "hasSandboxAccess",
  ]);
  assert.deepEqual(await asked("nobodys", LOCKED), ["hasSandboxAccess"]);
});

Deno.test("a bearer that is no user's costs its client one refusal, not two", async () => {
  await using gateway = await startGateway({ REFUSALS_PER_MINUTE: "2" });
  const codes: (string | null)[] = [];
  for (let i = 0; i < 3; i++) {
    const answer = await gateway.send(BASE, {
      path: "/toolbox/locked/x",
      headers: { authorization: `Bearer guess-${i}` },
    });
    codes.push(answer.code);
  }
  assert.deepEqual(codes, [
    "credential_invalid",
    "credential_invalid",
    "too_many_refusals",
  ]);
  const { api } = gateway.stack;
  assert.equal(api.count("hasSandboxAccess"), 2);
  assert.equal(api.count("getCurrentApiKey"), 0);
});

Deno.test("while nobody can say whose a key is, it opens nothing, and that is not remembered", async () => {
  await using gateway = await startGateway();
  const { api } = gateway.stack;
  const headers = { authorization: `Bearer ${KEYS.user}` };
  api.fault = ({ operation }, answer) =>
    operation === "getCurrentApiKey"
      ? new Response(null, { status: 503 })
      : answer();
  const during = await gateway.send(LOCKED, { path: "/echo", headers });
  assert.deepEqual([during.status, during.code], [503, "api_unreachable"]);
  api.fault = undefined;
  const after = await gateway.send(LOCKED, { path: "/echo", headers });
  assert.equal(after.status, 200);
});

Deno.test("an API that cannot say whose a key is admits users as before, and the log warns of it at the start", async () => {
  await using log = await collectLog();
  await using gateway = await startWithBuilds();
  const { api } = gateway.stack;
  api.state.lacks.add("getCurrentApiKey");
  const warned = log.next(
    "the API cannot tell users from machines (GET /api-keys/current is 404): any runner's key opens every sandbox; update Daytona",
  );
  void gateway.service.checkUntilReady();
  assert.equal((await warned).level, "WARN");
  const headers = { authorization: `Bearer ${KEYS.user}` };
  for (const { host, ...request } of DOORS) {
    if (host.startsWith("22222")) continue;
    const answer = await gateway.send(host, { ...request, headers });
    assert.equal(answer.status, 200, request.path);
  }
  const warnings = log.records().filter(({ message }) =>
    String(message).includes("api-keys")
  );
  assert.equal(warnings.length, 1);
});
