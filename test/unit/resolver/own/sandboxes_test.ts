import assert from "node:assert/strict";
import type { DurableStore } from "../../../../src/cache/store.ts";
import type { Runner } from "../../../../src/daytona/api.ts";
import { GatewayError } from "../../../../src/errors.ts";
import { Background } from "../../../../src/lib/background.ts";
import { createSealer } from "../../../../src/lib/seal.ts";
import type { Destination } from "../../../../src/resolver/destination.ts";
import { UNMETERED } from "../../../../src/resolver/lookup_cache.ts";
import { SandboxResolver } from "../../../../src/resolver/own/sandboxes.ts";
import { SandboxStates } from "../../../../src/resolver/sandbox_states.ts";
import { fakeStore, manualClock } from "../../cache/fakes.ts";
import { configOf } from "../../../support/config.ts";
import { destinationOn, NO_UPSTREAM } from "../../../support/destination.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { sandboxWith } from "../../../support/sandbox_facts.ts";
import { turn } from "../../../support/upstream.ts";

const FIRST: Runner = {
  id: "first",
  proxyUrl: "http://runner.internal:3000",
  apiUrl: "http://runner.internal:3001",
  apiKey: "runner-secret",
};
const SECOND: Runner = { ...FIRST, id: "second", apiKey: "another-secret" };

/** A resolver, and the API behind it. */
function setUp(store: DurableStore | null = null) {
  const { cache } = configOf();
  const clock = manualClock();
  const now = () => clock.now();
  const background = new Background(() => {});
  const api = {
    runner: FIRST as Runner | null,
    calls: [] as string[],
    /** Null if the API shows no record. */
    labels: {} as Record<string, string> | Error | null | Promise<never>,
    labelReads: 0,
    organizationId: null as string | null,
    runnerIdInRecords: null as string | null,
    /** The id in answers about sandboxes, if it is not the one that was asked for. */
    otherId: undefined as string | undefined,
  };
  const states = new SandboxStates({
    async sandboxById(id) {
      api.labelReads++;
      const labels = await api.labels;
      if (labels instanceof Error) throw labels;
      return labels && {
        ...sandboxWith(api.otherId ?? id, labels),
        organizationId: api.organizationId,
        runnerId: api.runnerIdInRecords,
      };
    },
  }, { maxEntries: 10, now, background, onStarted() {} });
  const sandboxes = new SandboxResolver({
    isSandboxPublic(id) {
      api.calls.push(`public ${id}`);
      return Promise.resolve(id === "open");
    },
    runnerOfSandbox(id) {
      api.calls.push(`runner ${id}`);
      return Promise.resolve(api.runner);
    },
    recordOf: (id) => states.recordOf(id),
  }, {
    cache,
    store,
    now,
    onEvent() {},
    background,
    sealer: createSealer({ secrets: ["s".repeat(32)], purpose: "runner", now }),
    appOrigin: "auto",
    upstream: NO_UPSTREAM,
    onPrivate() {},
  });
  return {
    api,
    clock,
    sandboxes,
    destinationOf: (id: string) => sandboxes.destinationOf(id, 3000, () => {}),
    settled: () => background.settled(),
  };
}

/** Where port 3000 of the sandbox `box` is on a runner. */
function at(runner: Runner): Destination {
  return destinationOn(runner, "box");
}

Deno.test("SandboxResolver remembers which sandboxes are public", async () => {
  const { sandboxes } = setUp();
  assert(sandboxes.isPublic("open", UNMETERED) instanceof Promise);
  assert.equal(await sandboxes.isPublic("open", UNMETERED), true);
  assert.equal(await sandboxes.isPublic("box", UNMETERED), false);
  assert.equal(sandboxes.isPublic("open", UNMETERED), true);
  assert.equal(sandboxes.isPublic("box", UNMETERED), false);
});

Deno.test("SandboxResolver looks up an unknown runner while it asks whether the sandbox is public", async () => {
  const { api, clock, destinationOf, sandboxes, settled } = setUp();
  await sandboxes.isPublic("box", UNMETERED);
  await settled();
  assert.deepEqual(api.calls, ["public box", "runner box"]);
  assert.deepEqual(await destinationOf("box"), at(FIRST));
  clock.time += 60_000; // past the TTL of "not public", but not of a runner
  await sandboxes.isPublic("box", UNMETERED);
  await settled();
  assert.deepEqual(api.calls, ["public box", "runner box", "public box"]);
});

Deno.test("SandboxResolver does not ask for the runner of a sandbox that is on one that it knows, until that is past its TTL", async () => {
  const { api, clock, destinationOf, sandboxes, settled } = setUp();
  api.runnerIdInRecords = "first";
  await destinationOf("other");
  assert.equal(await sandboxes.isPublic("open", UNMETERED), true);
  await settled();
  assert.deepEqual(await destinationOf("box"), at(FIRST));
  assert.deepEqual(
    [api.labelReads, api.calls],
    [3, ["runner other", "public open"]],
  );
  api.runnerIdInRecords = "second";
  api.runner = SECOND;
  await destinationOf("on-another");
  api.runnerIdInRecords = null;
  await destinationOf("archived");
  assert.deepEqual(
    api.calls.slice(2),
    ["runner on-another", "runner archived"],
  );
  api.runnerIdInRecords = "first";
  clock.time += 121_000;
  await destinationOf("later");
  assert.equal(api.calls.at(-1), "runner later");
});

Deno.test("SandboxResolver renews where a sandbox is although it knows the runner, and knows what is new of that", async () => {
  const { api, destinationOf, sandboxes } = setUp();
  api.runnerIdInRecords = "first";
  await destinationOf("box");
  const moved = { ...FIRST, apiKey: "rotated" };
  api.runner = moved;
  assert.deepEqual(await sandboxes.renewDestination("box", 3000), at(moved));
  assert.deepEqual(api.calls, ["runner box", "runner box"]);
  const { headers } = await destinationOf("other") ?? assert.fail();
  assert.deepEqual(headers, at(moved).headers);
  assert.equal(api.calls.length, 2);
});

Deno.test("SandboxResolver renews where a sandbox is although nobody tells its labels, as long as those of before count", async () => {
  const { api, destinationOf, sandboxes } = setUp();
  api.labels = { "porthole.app-origin": "local" };
  await destinationOf("box");
  api.labels = new GatewayError("api_unreachable", "status 503");
  api.runner = SECOND;
  const renewed = await sandboxes.renewDestination("box", 3000);
  assert.deepEqual(
    [renewed?.headers, renewed?.appOrigin],
    [at(SECOND).headers, "local"],
  );
  assert.deepEqual(await destinationOf("box"), {
    ...at(FIRST),
    appOrigin: "local",
  }, "what was known stays");
  await assert.rejects(sandboxes.renewDestination("new", 3000), {
    code: "api_unreachable",
  });
});

Deno.test("SandboxResolver does not wait longer than a second for a record to name a runner that it knows", async () => {
  using elapsed = fakeClock();
  elapsed.pass(1);
  const { api, destinationOf, sandboxes } = setUp();
  api.runnerIdInRecords = "first";
  await destinationOf("other");
  api.labels = new Promise(() => {});
  const asked = sandboxes.destinationOf("box", "toolbox", () => {});
  await turn();
  assert.equal(api.calls.length, 1);
  elapsed.pass(1000);
  assert.equal((await asked)?.toolboxPrefix, at(FIRST).toolboxPrefix);
  assert.deepEqual(api.calls, ["runner other", "runner box"]);
});

Deno.test("SandboxResolver renews a runner at most once per pause, however many requests fail", async () => {
  using elapsed = fakeClock();
  const { api, destinationOf, sandboxes } = setUp();
  await destinationOf("box");
  api.runner = SECOND;
  const renewed = await Promise.all(
    Array.from({ length: 10 }, () => sandboxes.renewDestination("box", 3000)),
  );
  for (const one of renewed) assert.deepEqual(one, at(SECOND));
  elapsed.pass(5000);
  await sandboxes.renewDestination("box", 3000);
  assert.equal(api.calls.length, 2);
  assert.deepEqual(await destinationOf("box"), at(SECOND));
  assert.equal(api.calls.length, 2);

  await sandboxes.renewDestination("other", 3000);
  elapsed.pass(1);
  api.runner = null;
  assert.equal(await sandboxes.renewDestination("box", 3000), null);
  assert.equal(await destinationOf("box"), null);
  assert.deepEqual(api.calls.slice(2), ["runner other", "runner box"]);
});

Deno.test("SandboxResolver forgets where a sandbox is that has been started: at the next request it asks", async () => {
  const { api, destinationOf, sandboxes } = setUp();
  await sandboxes.renewDestination("box", 3000);
  api.runner = SECOND;
  await sandboxes.forget("box", { mark: "m", tiers: "both" });
  assert.deepEqual(await destinationOf("box"), at(SECOND));
  api.runner = FIRST;
  assert.deepEqual(await sandboxes.renewDestination("box", 3000), at(FIRST));
});

Deno.test("SandboxResolver reads runners that another gateway stored, sealed", async () => {
  const { store, entries } = fakeStore({ shared: true });
  const first = setUp(store);
  await first.destinationOf("box");
  first.api.runner = null;
  await first.destinationOf("gone");
  await first.settled();
  assert.doesNotMatch(JSON.stringify([...entries]), /secret|runner\.internal/);

  const second = setUp(store);
  assert.deepEqual(await second.destinationOf("box"), at(FIRST));
  assert.equal(await second.destinationOf("gone"), null);
  assert.deepEqual(second.api.calls, []);
});

Deno.test("SandboxResolver ignores a stored runner that no gateway sealed", async () => {
  const { store, entries } = fakeStore({ shared: true });
  const first = setUp(store);
  await first.destinationOf("box");
  await first.settled();
  for (const value of ["planted", { ...FIRST, id: "first" }, 1]) {
    for (const [key, entry] of entries) entries.set(key, { ...entry, value });
    const { api, destinationOf, settled } = setUp(store);
    api.runner = SECOND;
    assert.deepEqual(await destinationOf("box"), at(SECOND));
    await settled();
  }
});

Deno.test("SandboxResolver ends the pause between renewals although the clock was set back", async () => {
  using elapsed = fakeClock();
  elapsed.pass(1);
  const { api, clock, sandboxes } = setUp();
  await sandboxes.renewDestination("box", 3000);
  clock.time -= 3_600_000;
  elapsed.pass(5001);
  await sandboxes.renewDestination("box", 3000);
  assert.deepEqual(api.calls, ["runner box", "runner box"]);
});

Deno.test("SandboxResolver renews a runner without waiting for the durable tier", async () => {
  const written = Promise.withResolvers<void>();
  const { sandboxes, settled } = setUp({
    shared: true,
    get: () => Promise.resolve("absent"),
    set: () => written.promise,
    delete: () => written.promise,
    claim: () => Promise.resolve("unavailable"),
    release: () => Promise.resolve(),
    announce: () => Promise.resolve(),
    listen() {},
    close() {},
  });
  assert.deepEqual(await sandboxes.renewDestination("box", 3000), at(FIRST));
  written.resolve();
  await settled();
});

const LOCAL = { "porthole.app-origin": "local" };

Deno.test("SandboxResolver reads a sandbox's labels once beside its runner, whatever the port", async () => {
  const { api, clock, sandboxes, settled } = setUp();
  api.labels = { ...LOCAL, "porthole.app-origin.5173": "pass" };
  async function modeOn(port: number): Promise<string | undefined> {
    return (await sandboxes.destinationOf("box", port, () => {}))?.appOrigin;
  }
  assert.equal(await modeOn(3000), "local");
  assert.equal(await modeOn(5173), "pass");
  assert.equal(api.labelReads, 1);
  api.labels = {};
  clock.time += 100_000; // renewed in the background
  await modeOn(3000);
  await settled();
  assert.equal(await modeOn(3000), "auto");
  assert.equal(api.labelReads, 2);
});

Deno.test("SandboxResolver tells the labels and organization of a sandbox's owner, which it reads beside its runner, once", async () => {
  const { api, sandboxes, destinationOf } = setUp();
  api.labels = { ...LOCAL, team: "qa" };
  api.organizationId = "org-1";
  const told = await Promise.all([
    destinationOf("box"),
    sandboxes.labelsOf("box", () => {}),
  ]);
  assert.deepEqual(told[1], LOCAL);
  assert.deepEqual(await sandboxes.labelsOf("box", assert.fail), LOCAL);
  assert.equal(told[0]?.organizationId, "org-1");
  assert.deepEqual([api.labelReads, api.calls], [1, ["runner box"]]);
});

Deno.test("SandboxResolver tells whose sandbox a toolbox is of, and reads that once for all that follows", async () => {
  const { api, sandboxes, destinationOf } = setUp();
  api.labels = LOCAL;
  api.organizationId = "org-1";
  const toolbox = await sandboxes.destinationOf("box", "toolbox", () => {});
  assert.equal(toolbox?.organizationId, "org-1");
  assert.deepEqual(await sandboxes.labelsOf("box", () => {}), LOCAL);
  assert.equal((await destinationOf("box"))?.appOrigin, "local");
  assert.deepEqual([api.labelReads, api.calls], [1, ["runner box"]]);
});

Deno.test("SandboxResolver reads whose a sandbox is that another program stored without that", async () => {
  const { store, entries } = fakeStore({ shared: true });
  const first = setUp(store);
  await first.destinationOf("box");
  await first.settled();
  const [[key, entry] = assert.fail()] = entries;
  const daytonas = Object.assign(store, {
    daytonaKinds: new Set(["sandbox-runner-info"]),
  });
  const { apiKey, proxyUrl: apiUrl } = FIRST;
  entries.set(key, { ...entry, value: { apiKey, apiUrl } });
  for (const port of [3000, "toolbox"] as const) {
    const { api, sandboxes, settled } = setUp(daytonas);
    api.labels = LOCAL;
    api.organizationId = "org-1";
    const found = await sandboxes.destinationOf("box", port, () => {});
    assert.equal(found?.organizationId, "org-1");
    const app = await sandboxes.destinationOf("box", 3000, () => {});
    assert.equal(app?.appOrigin, "local");
    assert.deepEqual([api.labelReads, api.calls], [1, []]);
    await settled();
    entries.set(key, { ...entry, value: { apiKey, apiUrl } });
  }
});

const UNREACHABLE = new GatewayError("api_unreachable", "status 503");

Deno.test("SandboxResolver finds no sandbox whose labels nobody has told, and keeps those that it knows", async () => {
  const { api, clock, sandboxes, destinationOf, settled } = setUp();
  const labelsOf = () => sandboxes.labelsOf("box", () => {});
  api.labels = UNREACHABLE;
  await assert.rejects(async () => await destinationOf("box"), UNREACHABLE);
  await assert.rejects(async () => await labelsOf(), UNREACHABLE);
  const atToolbox = await sandboxes
    .destinationOf("box", "toolbox", () => {});
  assert.equal(atToolbox?.pathPrefix, at(FIRST).toolboxPrefix);
  await assert.rejects(async () => await labelsOf(), {
    code: "api_unreachable",
  });
  const known: readonly Record<string, string>[] = [LOCAL, {}];
  for (const labels of known) {
    clock.time += 200_000;
    api.labels = labels;
    assert.deepEqual(await labelsOf(), labels);
    api.labels = UNREACHABLE;
    clock.time += 100_000; // renewed in the background
    await destinationOf("box");
    await settled();
    assert.deepEqual(await labelsOf(), labels);
    clock.time += 30_000; // past its TTL
    assert.deepEqual(await labelsOf(), labels);
    await settled();
  }
  clock.time += 720_000; // past what an outage extends that by
  await assert.rejects(async () => await labelsOf(), {
    code: "api_unreachable",
  });
});

Deno.test("SandboxResolver finds no sandbox whose record the API does not show, once what it knows is past its TTL, also in an outage that follows", async () => {
  const { api, clock, sandboxes, destinationOf, settled } = setUp();
  const labelsOf = async () => await sandboxes.labelsOf("box", () => {});
  const notShown = { code: "sandbox_not_shown" };
  api.labels = null;
  await assert.rejects(async () => await destinationOf("box"), notShown);
  await assert.rejects(labelsOf, notShown);
  api.labels = LOCAL;
  clock.time += 2_001;
  assert.deepEqual(await labelsOf(), LOCAL);
  api.labels = null;
  clock.time += 119_000;
  assert.deepEqual(await labelsOf(), LOCAL);
  await settled();
  assert.deepEqual(await labelsOf(), LOCAL);
  clock.time += 2_001;
  await assert.rejects(labelsOf, notShown);
  await assert.rejects(sandboxes.renewDestination("box", 3000), notShown);
  api.labels = UNREACHABLE;
  clock.time += 2_001;
  await assert.rejects(labelsOf, { code: "api_unreachable" });
  await assert.rejects(sandboxes.renewDestination("box", 3000), {
    code: "api_unreachable",
  });
});

Deno.test("SandboxResolver finds a toolbox whose record the API does not show", async () => {
  const { api, sandboxes } = setUp();
  api.labels = null;
  const toolbox = () => sandboxes.destinationOf("box", "toolbox", () => {});
  assert.equal((await toolbox())?.pathPrefix, at(FIRST).toolboxPrefix);
  await toolbox();
  assert.equal(api.labelReads, 1);
});

Deno.test("SandboxResolver tells no labels of a sandbox that has neither a record nor a runner: it is gone", async () => {
  const { api, clock, sandboxes, destinationOf } = setUp();
  api.labels = LOCAL;
  await destinationOf("box");
  api.labels = null;
  api.runner = null;
  clock.time += 121_000;
  assert.equal(await destinationOf("box"), null);
  assert.deepEqual(await sandboxes.labelsOf("box", () => {}), {});
});

Deno.test("SandboxResolver finds a toolbox that was asked for beside a port, although nobody tells the labels", async () => {
  const { api, sandboxes, destinationOf } = setUp();
  api.labels = UNREACHABLE;
  const [ofPort, atToolbox] = await Promise.allSettled([
    destinationOf("box"),
    sandboxes.destinationOf("box", "toolbox", () => {}),
  ]);
  assert.equal(ofPort.status, "rejected");
  assert.equal(atToolbox.status, "fulfilled");
  assert.deepEqual(api.calls, ["runner box", "runner box"]);
});

Deno.test("SandboxResolver asks for labels alone of a sandbox that had no runner a moment ago", async () => {
  const { api, clock, sandboxes, settled } = setUp();
  api.runner = null;
  api.labels = LOCAL;
  await sandboxes.isPublic("box", UNMETERED);
  await settled();
  assert.deepEqual(await sandboxes.labelsOf("box", assert.fail), LOCAL);
  assert.deepEqual(api.calls, ["public box", "runner box"]);
  clock.time += 2_001;
  assert.deepEqual(await sandboxes.labelsOf("box", () => {}), LOCAL);
  assert.deepEqual(api.calls, ["public box", "runner box", "runner box"]);
});

Deno.test("SandboxResolver stores no labels that the API has not told", async () => {
  const { store } = fakeStore({ shared: true });
  const first = setUp(store);
  first.api.labels = UNREACHABLE;
  await assert.rejects(async () =>
    await first.sandboxes.labelsOf("box", () => {})
  );
  await first.sandboxes.isPublic("box", UNMETERED);
  await first.settled();
  await first.sandboxes.destinationOf("box", "toolbox", () => {});
  await first.settled();
  const second = setUp(store);
  second.api.labels = LOCAL;
  assert.deepEqual(await second.sandboxes.labelsOf("box", () => {}), LOCAL);
  await second.settled();
  // Where they are known, what fails takes none from others.
  second.api.labels = UNREACHABLE;
  second.clock.time += 130_000;
  assert.deepEqual(await second.sandboxes.labelsOf("box", () => {}), LOCAL);
  await second.settled();
  const third = setUp(store);
  third.api.labels = UNREACHABLE;
  assert.deepEqual(await third.sandboxes.labelsOf("box", () => {}), LOCAL);
});

Deno.test("SandboxResolver knows the owner of before where a toolbox did without, but not as the one of now", async () => {
  const { api, clock, sandboxes } = setUp();
  const labelsOf = () => sandboxes.labelsOf("box", () => {});
  const toolbox = () => sandboxes.destinationOf("box", "toolbox", () => {});
  api.labels = LOCAL;
  api.organizationId = "org-1";
  await labelsOf();
  clock.time += 130_000;
  api.labels = UNREACHABLE;
  assert.equal((await toolbox())?.organizationId, "org-1");
  assert.deepEqual(await labelsOf(), LOCAL);
  api.labels = {};
  clock.time += 2_001;
  assert.deepEqual(await labelsOf(), {});
  assert.deepEqual(sandboxes.labelsOf("box", () => {}), {});
});

Deno.test("SandboxResolver asks whose a toolbox is once in 5 s while nobody tells", async () => {
  const { api, clock, sandboxes } = setUp();
  const toolbox = () => sandboxes.destinationOf("box", "toolbox", () => {});
  api.labels = UNREACHABLE;
  for (let i = 0; i < 3; i++) {
    assert.equal((await toolbox())?.organizationId, undefined);
  }
  assert(!(toolbox() instanceof Promise));
  assert.equal(api.labelReads, 1);
  clock.time += 5_001;
  api.labels = LOCAL;
  api.organizationId = "org-1";
  assert.equal((await toolbox())?.organizationId, "org-1");
  assert.deepEqual([api.labelReads, api.calls], [2, ["runner box"]]);
});

Deno.test("SandboxResolver tells the labels of a sandbox that is archived, and so nowhere", async () => {
  const { api, sandboxes, destinationOf } = setUp();
  api.runner = null;
  api.labels = LOCAL;
  assert.deepEqual(await sandboxes.labelsOf("box", () => {}), LOCAL);
  assert.equal(await destinationOf("box"), null);
  assert.deepEqual(await sandboxes.labelsOf("box", () => {}), LOCAL);
  api.labels = UNREACHABLE;
  await assert.rejects(
    async () => await sandboxes.labelsOf("other", () => {}),
    {
      code: "api_unreachable",
    },
  );
});

Deno.test("SandboxResolver ignores the labels of a sandbox that has the id of another for its name", async () => {
  const { api, clock, destinationOf, settled } = setUp();
  api.otherId = "foreign";
  api.labels = LOCAL;
  await assert.rejects(async () => await destinationOf("box"), {
    code: "api_unreachable",
  });

  api.otherId = undefined;
  clock.time += 600_000;
  assert.equal((await destinationOf("box"))?.appOrigin, "local");
  await settled();

  api.otherId = "foreign";
  api.labels = { "porthole.app-origin": "pass" };
  clock.time += 600_000;
  assert.equal((await destinationOf("box"))?.appOrigin, "local");
});

Deno.test("SandboxResolver does not wait longer than a second for labels, if it knows those of before", async () => {
  using elapsed = fakeClock();
  elapsed.pass(1);
  const { api, clock, sandboxes, destinationOf } = setUp();
  api.labels = LOCAL;
  await destinationOf("box");
  clock.time += 130_000;
  api.labels = UNREACHABLE;
  await sandboxes.destinationOf("box", "toolbox", () => {});
  api.labels = new Promise(() => {});
  const found = destinationOf("box");
  await turn();
  elapsed.pass(1000);
  assert.equal((await found)?.appOrigin, "local");
});

Deno.test("SandboxResolver serves labels past their TTL while the API is slow, but not to who waits for those of now", async () => {
  using elapsed = fakeClock();
  const { api, clock, sandboxes } = setUp();
  api.labels = LOCAL;
  const labelsOf = () => sandboxes.labelsOf("box", () => {});
  assert.deepEqual(await labelsOf(), LOCAL);
  clock.time += 121_000;
  const slow = Promise.withResolvers<never>();
  api.labels = slow.promise;
  const asked = labelsOf();
  await turn();
  elapsed.pass(300);
  assert.deepEqual(await asked, LOCAL);
  const refreshed = sandboxes.refreshLabels("box");
  const pass = { "porthole.app-origin": "pass" };
  slow.resolve(pass as never);
  await refreshed;
  assert.deepEqual(sandboxes.labelsOf("box", () => {}), pass);
  assert.equal(api.labelReads, 2);
});

Deno.test("SandboxResolver waits for labels that nobody knows, and heeds a late answer about others", async () => {
  using elapsed = fakeClock();
  elapsed.pass(1);
  const { api, clock, sandboxes } = setUp();
  const slow = Promise.withResolvers<never>();
  api.labels = slow.promise;
  const asked = sandboxes.labelsOf("box", () => {});
  await turn();
  elapsed.pass(10_000);
  slow.resolve(LOCAL as never);
  assert.deepEqual(await asked, LOCAL);
  clock.time += 130_000;
  api.labels = UNREACHABLE;
  await sandboxes.destinationOf("box", "toolbox", () => {});
  const slower = Promise.withResolvers<never>();
  api.labels = slower.promise;
  const again = sandboxes.labelsOf("box", () => {});
  await turn();
  elapsed.pass(1000);
  assert.deepEqual(await again, LOCAL);
  slower.resolve({} as never);
  await turn();
  assert.deepEqual(sandboxes.labelsOf("box", () => {}), {});
});

Deno.test("SandboxResolver reads labels and organization that another gateway stored, and nothing else of a sandbox is stored", async () => {
  const { store, entries } = fakeStore({ shared: true });
  const first = setUp(store);
  first.api.labels = { ...LOCAL, secret: "label-secret" };
  first.api.organizationId = "org-1";
  await first.destinationOf("box");
  await first.settled();
  const second = setUp(store);
  const { appOrigin, organizationId } = await second.destinationOf("box") ??
    assert.fail();
  assert.deepEqual([appOrigin, organizationId], ["local", "org-1"]);
  assert.equal(second.api.labelReads, 0);
  const sealer = createSealer({
    secrets: ["s".repeat(32)],
    purpose: "runner",
    now: () => first.clock.now(),
  });
  const [entry] = entries.values();
  assert.deepEqual(await sealer.open(String(entry?.value)), {
    runner: FIRST,
    owner: { labels: LOCAL, organizationId: "org-1" },
  });
});
