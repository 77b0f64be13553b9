/** How the stand-in starts, stops, archives and refuses. */
import assert from "node:assert/strict";
import {
  type ApiSandbox,
  type ApiState,
  ORGANIZATION,
  REGION,
} from "../../../scripts/stand_in/api_state.ts";
import { call, JWT, startApi } from "./lone_api.ts";

type World = ReturnType<typeof startApi>;

/** An API whose only sandbox is in a state, and whose key of alice may start it. */
function startWorld(differences: Partial<ApiSandbox>): World {
  const world = startApi();
  const { api } = world;
  api.state.apiKeys.set("alice-key", { permissions: ["write:sandboxes"] });
  Object.assign(api.sandbox("s1"), differences);
  return world;
}

/** Sends a POST; its answer is the status with the sandbox's state, or with the message. */
async function post(
  { api }: World,
  path: string,
  bearer = "alice-key",
  headers: Record<string, string> = {},
): Promise<string> {
  const sent = { ...headers, method: "POST" };
  const { status, text } = await call(api, `/sandbox/s1/${path}`, bearer, sent);
  const { state, desiredState, message } = JSON.parse(text);
  return `${status} ${message ?? `${state}/${desiredState}`}`;
}

/** Sends a POST, and waits until it has changed the state. */
async function begin(world: World, path: string): Promise<Promise<string>[]> {
  const changed = Promise.withResolvers<void>();
  world.api.lifecycle.watchers.add(() => changed.resolve());
  const answer = post(world, path);
  await changed.promise;
  return [answer];
}

function stateOf({ api }: World): string {
  const { state, desiredState = state } = api.sandbox("s1");
  return `${state}/${desiredState}`;
}

Deno.test("the stand-in answers a start once the sandbox is started, with another preview token", async () => {
  const world = startWorld({ state: "stopped" });
  await using _ = world.api;
  const [answer] = await begin(world, "start");
  assert.equal(stateOf(world), "starting/started");
  assert.match(world.api.sandbox("s1").authToken, /^[a-z0-9_-]{32}$/);
  const token = world.api.sandbox("s1").authToken;
  world.clock.pass(3999);
  assert.equal(stateOf(world), "starting/started");
  world.clock.pass(1);
  assert.equal(await answer, "200 started/started");
  assert.equal(world.api.sandbox("s1").authToken, token);
  assert.equal(await post(world, "start"), "200 started/started");
  assert.equal(world.api.sandbox("s1").authToken, token);
});

Deno.test("the stand-in answers a start after 30 s at the latest, and goes on with it", async () => {
  const world = startWorld({ state: "stopped" });
  await using _ = world.api;
  world.api.lifecycle.jobs.startMs = 45_000;
  const [answer] = await begin(world, "start");
  world.clock.pass(30_000);
  assert.equal(await answer, "200 starting/started");
  world.clock.pass(15_000);
  assert.equal(stateOf(world), "started/started");
});

Deno.test("the stand-in finishes a start whose caller has left", async () => {
  const world = startWorld({ state: "stopped" });
  await using _ = world.api;
  const changed = Promise.withResolvers<void>();
  world.api.lifecycle.watchers.add(() => changed.resolve());
  const leaving = new AbortController();
  const answer = fetch(`${world.api.url}/sandbox/s1/start`, {
    method: "POST",
    headers: { authorization: "Bearer alice-key" },
    signal: leaving.signal,
  });
  await changed.promise;
  leaving.abort();
  await assert.rejects(answer);
  world.clock.pass(4000);
  assert.equal(stateOf(world), "started/started");
});

Deno.test("the stand-in lets one of several starts begin, and answers 409 to the others", async () => {
  const world = startWorld({ state: "stopped" });
  await using _ = world.api;
  const [first] = await begin(world, "start");
  const others = await Promise.all(
    [1, 2, 3, 4].map(() => post(world, "start")),
  );
  for (const other of others) {
    assert.equal(other, "409 Sandbox state change in progress");
  }
  assert.equal(
    await post(world, "stop"),
    "409 Sandbox state change in progress",
  );
  world.clock.pass(4000);
  assert.equal(await first, "200 started/started");
});

Deno.test("the stand-in answers the start of an archived sandbox at once, and restores it first", async () => {
  const world = startWorld({ state: "archived" });
  await using _ = world.api;
  assert.equal(await post(world, "start"), "200 archived/started");
  assert.equal(
    await post(world, "start"),
    "409 Sandbox state change in progress",
  );
  world.clock.pass(500);
  assert.equal(stateOf(world), "restoring/started");
  world.clock.pass(3000);
  assert.equal(stateOf(world), "started/started");
});

Deno.test("the stand-in stops and archives step by step, and a start breaks off the archiving", async () => {
  const world = startWorld({ state: "started" });
  await using _ = world.api;
  assert.equal(await post(world, "stop"), "200 started/stopped");
  world.clock.pass(100);
  assert.equal(stateOf(world), "stopping/stopped");
  world.clock.pass(800);
  assert.equal(stateOf(world), "stopped/stopped");
  assert.equal(await post(world, "archive"), "200 archiving/archived");
  world.clock.pass(14_999);
  const started = world.api.lifecycle.start(world.api.sandbox("s1"));
  assert.equal(stateOf(world), "archiving/started");
  world.clock.pass(1000);
  assert.equal(stateOf(world), "starting/started");
  world.clock.pass(4000);
  assert.equal(await started, undefined);
  assert.equal(stateOf(world), "started/started");
  await post(world, "stop");
  world.clock.pass(900);
  await post(world, "archive");
  world.clock.pass(15_000);
  assert.equal(stateOf(world), "archived/archived");
});

Deno.test("the stand-in destroys a sandbox in a moment, and does not know it after that", async () => {
  const world = startWorld({ state: "started" });
  await using _ = world.api;
  world.api.lifecycle.destroy(world.api.sandbox("s1"));
  assert.equal(stateOf(world), "destroying/destroyed");
  world.clock.pass(800);
  assert.equal(
    await post(world, "start"),
    "404 Sandbox with ID or name s1 not found",
  );
});

Deno.test("the stand-in fails a start in the runner's words, and recovers what can be", async () => {
  const world = startWorld({
    state: "stopped",
    startFailure: "failed to start container: no space left on device",
  });
  await using _ = world.api;
  const [answer] = await begin(world, "start");
  world.clock.pass(4000);
  assert.equal(
    await answer,
    "400 Sandbox failed to start: failed to start container: no space left on device",
  );
  const sandbox = world.api.sandbox("s1");
  assert.equal(sandbox.errorReason, sandbox.startFailure);
  assert.equal(
    await post(world, "start"),
    "400 Sandbox is in an errored state",
  );
  assert.equal(
    await post(world, "recover"),
    "400 Sandbox is not in a recoverable state",
  );
  delete sandbox.startFailure;
  sandbox.recoverable = true;
  assert.equal(
    await post(world, "start"),
    "400 Sandbox is in an errored state",
  );
  const [recovery] = await begin(world, "recover");
  world.clock.pass(4000);
  assert.equal(await recovery, "200 started/started");
});

Deno.test("the stand-in refuses a start for each reason of the real one", async (t) => {
  const quota =
    "To increase concurrency limits, upgrade your organization's Tier by visiting http://proxy.test/dashboard/limits.";
  const cases: [string, string, Partial<ApiSandbox>, (s: ApiState) => void][] =
    [
      ["suspended", "403 Organization is suspended: Payment method required", {
        state: "stopped",
      }, ({ organizations }) => {
        organizations.set(ORGANIZATION, {
          previewWarningEnabled: false,
          suspensionReason: "Payment method required",
        });
      }],
      ["CPUs", `400 Total CPU limit exceeded. Maximum allowed: 0.\n${quota}`, {
        state: "stopped",
      }, ({ organizations }) => {
        organizations.set(ORGANIZATION, {
          previewWarningEnabled: false,
          exceeded: "cpu",
        });
      }],
      [
        "memory",
        `400 Total memory limit exceeded. Maximum allowed: 0GiB.\n${quota}`,
        { state: "stopped" },
        ({ organizations }) => {
          organizations.set(ORGANIZATION, {
            previewWarningEnabled: false,
            exceeded: "memory",
          });
        },
      ],
      [
        "region",
        "403 Region local is not available to the organization for class container",
        { state: "stopped" },
        ({ regions }) => {
          regions.set(REGION, { isClosed: true });
        },
      ],
      ["paused", "422 Resuming is not supported for this sandbox", {
        state: "paused",
      }, () => {}],
      ["build failed", "400 Sandbox is in an errored state", {
        state: "build_failed",
      }, () => {}],
      ["pending", "409 Sandbox state change in progress", {
        state: "stopped",
        isPending: true,
      }, () => {}],
      ...["creating", "pulling_snapshot", "resuming", "stopping", "unknown"]
        .map(
          (state): typeof cases[number] => [
            state,
            "409 Sandbox state change in progress",
            { state },
            () => {},
          ],
        ),
    ];
  for (const [name, expected, differences, arrange] of cases) {
    await t.step(name, async () => {
      const world = startWorld(differences);
      await using _ = world.api;
      arrange(world.api.state);
      assert.equal(await post(world, "start"), expected);
    });
  }
});

Deno.test("the stand-in lets only members with the permission start a sandbox", async () => {
  const world = startWorld({ state: "started" });
  await using _ = world.api;
  const { state } = world.api;
  state.apiKeys.set("bob-key", {
    organizationId: "another",
    permissions: ["write:sandboxes"],
  });
  state.services.set("ssh-key", { role: "ssh-gateway" });
  const organization = { "x-daytona-organization-id": ORGANIZATION };
  const foreign = { "x-daytona-organization-id": "another" };
  const context = "403 Invalid authentication context";
  const cases: [bearer: string, Record<string, string>, string][] = [
    ["nobody's", {}, "401 Invalid credentials"],
    ["proxy-key", {}, context],
    ["proxy-key", organization, context],
    ["runner-key", {}, context],
    ["ssh-key", {}, context],
    ["bob-key", {}, "404 Sandbox with ID or name s1 not found"],
    ["bob-key", organization, "404 Sandbox with ID or name s1 not found"],
    [JWT, {}, context],
    [JWT, foreign, context],
    [JWT, organization, "200 started/started"],
    ["alice-key", {}, "200 started/started"],
  ];
  for (const [bearer, headers, expected] of cases) {
    assert.equal(await post(world, "start", bearer, headers), expected, bearer);
  }
});
