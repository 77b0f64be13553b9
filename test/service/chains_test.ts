/** Two features that join the same chain, on the complete service: both count, or the start says that they do not go together. */
import assert from "node:assert/strict";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { GatewayError } from "../../src/errors.ts";
import type { Feature } from "../../src/gateway/feature.ts";
import type { FeatureModule } from "../../src/gateway/feature_module.ts";
import { FEATURES } from "../../src/modules.ts";
import type { Served } from "../../src/proxy/stream_handle.ts";
import { BASE, DEMO, LOCKED, startGateway } from "../support/gateway.ts";
import type { SendOptions } from "../support/send.ts";

/** All features, and these. */
function withThese(...own: readonly [name: string, feature: Feature][]) {
  const modules = own.map(([name, feature]): FeatureModule => ({
    name,
    create: () => feature,
  }));
  return { features: [...FEATURES, ...modules] };
}

/** One that forbids what a sandbox serves. */
function forbidding(sandboxId: string): Feature {
  return {
    guard: (served) =>
      served.sandboxId === sandboxId
        ? new GatewayError("port_off", "Of the test")
        : undefined,
  };
}

Deno.test("what any feature forbids is served to nobody", async () => {
  const options = withThese(
    ["first", forbidding("demo")],
    ["second", forbidding("locked")],
  );
  await using gateway = await startGateway({}, options);
  const headers = { "x-daytona-preview-token": "locked-token" };
  for (const host of [DEMO, LOCKED]) {
    const { code } = await gateway.send(host, { path: "/echo", headers });
    assert.equal(code, "port_off", host);
  }
  assert.deepEqual(gateway.stack.runner.seen, []);
});

Deno.test("a feature that forbids is asked once for each request, before anything comes of it", async () => {
  const asked: Served[] = [];
  let forbids = false;
  const options = withThese(["counting", {
    guard(served) {
      asked.push(served);
      return forbids ? new GatewayError("port_off", "Of the test") : undefined;
    },
  }], ["answering", {
    answer: {
      admitted: ({ route }) =>
        route.appTarget === "/ours"
          ? Promise.resolve(new Response("ours"))
          : undefined,
    },
  }]);
  await using gateway = await startGateway({}, options);
  const token = { "x-daytona-preview-token": KEYS.lockedToken };
  const authorization = `Bearer ${KEYS.user}`;
  const upgrade = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
  };
  const requests: [what: string, host: string, request: SendOptions][] = [
    ["the app", DEMO, { path: "/echo" }],
    ["a private app", LOCKED, { headers: token }],
    ["an upload", DEMO, { method: "POST", path: "/echo", body: "text" }],
    ["a handshake that is none", DEMO, { headers: upgrade }],
    ["a link", LOCKED, {
      path: `/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
    }],
    ["an answer in place of the app's", DEMO, { path: "/ours" }],
    ["a sandbox that is stopped", `3000-stopped.${BASE}`, {}],
    ["a toolbox", BASE, {
      path: "/toolbox/demo/toolbox/files",
      headers: { authorization },
    }],
  ];
  for (const [what, host, request] of requests) {
    asked.length = 0;
    const { code } = await gateway.send(host, request);
    assert.notEqual(code, "port_off", what);
    assert.equal(asked.length, 1, what);
  }
  const { runner } = gateway.stack;
  const { length } = runner.seen;
  forbids = true;
  for (const [what, host, request] of requests) {
    asked.length = 0;
    const { code, headers } = await gateway.send(host, request);
    assert.equal(code, "port_off", what);
    assert.equal(headers.get("set-cookie"), null, what);
    assert.equal(asked.length, 1, what);
  }
  assert.equal(runner.seen.length, length);
});

Deno.test("every feature that observes sees the exchanges that it wants", async () => {
  const seen: string[] = [];
  function observing(name: string, wanted: number): Feature {
    return {
      watch: {
        exchanges: {
          wants: ({ status }) => status === wanted,
          see: (sandboxId, _, facts) =>
            seen.push(`${name} ${sandboxId} ${facts().status}`),
        },
      },
    };
  }
  const options = withThese(
    ["first", observing("first", 200)],
    ["second", observing("second", 200)],
    ["third", observing("third", 401)],
  );
  await using gateway = await startGateway({}, options);
  await gateway.send(DEMO, { path: "/echo" });
  await gateway.send(LOCKED, { path: "/echo" });
  assert.deepEqual(seen, [
    "first demo 200",
    "second demo 200",
    "third locked 401",
  ]);
});

Deno.test("a gateway whose logins are to be for hosts does not start where no feature keeps such logins", async () => {
  const features = FEATURES.filter(({ name }) => name !== "handover");
  const environment = { SESSION_SCOPE: "host", CACHE_URL: "none" };
  const started = startGateway(environment, { features });
  await assert.rejects(started, /Cannot start with SESSION_SCOPE=host/);
});

Deno.test("two features with one place for both stop the start, which names them", async () => {
  const ownersViewOf = () => "https://p.test/";
  const page = { "/ours": () => new Response() };
  for (
    const [feature, what] of [
      [{ control: { ownersViewOf } }, "ownersViewOf"],
      [{ control: { brand: () => undefined } }, "brand"],
      [{ control: { metricsPages: page } }, "/ours"],
    ] as const
  ) {
    const options = withThese(["first", feature], ["second", feature]);
    const environment = { INSPECT: "false", CACHE_URL: "none" };
    const started = startGateway(environment, options);
    await assert.rejects(started, (error: Error) => {
      for (const word of ["first", "second", what]) {
        assert(error.message.includes(word), error.message);
      }
      return true;
    });
  }
});
