import assert from "node:assert/strict";
import type { DurableStore } from "../../../../src/cache/store.ts";
import type { PreviewUrl, Sandbox } from "../../../../src/daytona/api.ts";
import type { RemoteConfig } from "../../../../src/daytona/remote_config.ts";
import { GatewayError } from "../../../../src/errors.ts";
import { Background } from "../../../../src/lib/background.ts";
import { createSealer } from "../../../../src/lib/seal.ts";
import type { Destination } from "../../../../src/resolver/destination.ts";
import {
  HostedResolver,
  type Mismatch,
} from "../../../../src/resolver/hosted/hosted_resolver.ts";
import { sandboxCodec } from "../../../../src/resolver/hosted/hosted_sandbox.ts";
import { UNMETERED } from "../../../../src/resolver/lookup_cache.ts";
import { Refusal } from "../../../../src/resolver/refusals/refusal.ts";
import { fakeStore, manualClock, settled } from "../../cache/fakes.ts";
import { configOf } from "../../../support/config.ts";
import { loginRedirect, NO_UPSTREAM } from "../../../support/destination.ts";
import { sandboxWith } from "../../../support/sandbox_facts.ts";

const ID = "0b6f2c1e-7d3a-4f58-9a41-2f6f0c9d1e77";
const OTHER = "5f8a7c1e-95de-4b9c-8f0b-9e6d6a6b1c2d";
const DOMAIN = "hosted.example";

/** A resolver, and an organization's API behind it: ids by which sandboxes are found, and what is told of their ports. */
function setUp(store: DurableStore | null = null) {
  const { cache } = configOf();
  const clock = manualClock();
  const now = () => clock.now();
  const background = new Background(() => {});
  const api = {
    calls: [] as string[],
    isDown: false,
    /** The question that the API does not answer. */
    failing: undefined as string | undefined,
    sandboxes: new Map<string, Partial<Sandbox>>([[ID, {}]]),
    preview: (id: string, port: number): PreviewUrl | null => ({
      sandboxId: id,
      url: `https://${port}-${id}.${DOMAIN}`,
      token: api.token,
    }),
    token: "first-token",
    template: `https://{{PORT}}-{{sandboxId}}.${DOMAIN}` as string | null,
    regions: [] as string[],
    regionsGoOn: Promise.resolve(),
  };
  function answer<T>(call: string, value: () => T): Promise<T> {
    api.calls.push(call);
    return api.isDown || api.failing === call
      ? Promise.reject(new GatewayError("api_unreachable", "down"))
      : Promise.resolve().then(value);
  }
  const mistrusts: Mismatch[] = [];
  const resolver = new HostedResolver({
    sandboxById: (idOrName) =>
      answer(`sandbox ${idOrName}`, () => {
        const found = api.sandboxes.get(idOrName);
        return found === undefined
          ? null
          : { ...sandboxWith(idOrName, {}), ...found };
      }),
    previewUrlOf: (id, port) =>
      answer(`preview ${id}`, () => api.preview(id, port)),
    config: () => {
      const { template: proxyTemplateUrl } = api;
      const config: RemoteConfig = {
        oidc: null,
        ssoOidc: null,
        proxyTemplateUrl,
        proxyToolboxUrl: null,
        dashboardUrl: null,
      };
      return answer("config", () => config);
    },
    async regionProxyUrls() {
      const told = answer("regions", () => api.regions);
      await api.regionsGoOn;
      return await told;
    },
  }, {
    cache,
    store,
    now,
    onEvent() {},
    background,
    sealer: createSealer({ secrets: ["s".repeat(32)], purpose: "x", now }),
    appOrigin: "auto",
    upstream: NO_UPSTREAM,
    onPrivate() {},
    onMismatch: (reason) => mistrusts.push(reason),
  });
  return {
    api,
    clock,
    resolver,
    mistrusts,
    destinationOf: (id: string, port = 3000, isAnonymous = false) =>
      resolver.destinationOf(id, port, () => {}, isAnonymous),
    settled: () => background.settled(),
  };
}

function tokenIn(destination: Destination | null | undefined) {
  return destination?.headers
    .find(([name]) => name === "x-daytona-preview-token")?.[1];
}

Deno.test("a port is at its own name below Daytona's domain, with the sandbox's token, and without warning and CORS", async () => {
  const { destinationOf } = setUp();
  const destination = await destinationOf(ID, 8080);
  assert.deepEqual(destination?.origin, {
    tls: true,
    hostname: `8080-${ID}.${DOMAIN}`,
    port: 443,
    key: `https://8080-${ID}.${DOMAIN}:443`,
  });
  assert.equal(destination.authority, `8080-${ID}.${DOMAIN}`);
  assert.equal(destination.pathPrefix, "");
  assert.equal(destination.sandboxId, ID);
  assert.deepEqual(destination.headers, [
    ["x-daytona-preview-token", "first-token"],
    ["x-daytona-skip-preview-warning", "true"],
    ["x-daytona-disable-cors", "true"],
  ]);
});

Deno.test("one question of each kind does for all ports of a sandbox and all who ask at once, and none for a while", async () => {
  const { api, resolver, destinationOf, settled } = setUp();
  await Promise.all(
    Array.from({ length: 1000 }, async (_, n) => {
      await resolver.isPublic(ID, UNMETERED);
      return await destinationOf(ID, 1 + n % 20);
    }),
  );
  assert.deepEqual(api.calls.toSorted(), [
    "config",
    `preview ${ID}`,
    "regions",
    `sandbox ${ID}`,
  ]);
  await settled();
  assert.equal(resolver.isPublic(ID, UNMETERED), false);
  assert(!(resolver.destinationOf(ID, 3000, () => {}) instanceof Promise));
  assert.equal(api.calls.length, 4);
});

Deno.test("a public port gets no token, Daytona's own ports do, and nobody does who came without a credential", async () => {
  const { api, destinationOf } = setUp();
  api.sandboxes.set(ID, { public: true });
  assert.equal(tokenIn(await destinationOf(ID, 3000)), undefined);
  for (const port of [22222, 2280, 33333]) {
    assert.equal(tokenIn(await destinationOf(ID, port)), "first-token");
  }
  api.sandboxes.set(OTHER, { public: false });
  assert.equal(tokenIn(await destinationOf(OTHER, 3000)), "first-token");
  assert.equal(tokenIn(await destinationOf(OTHER, 3000, true)), undefined);
});

Deno.test("an impostor, whose name is another one's id, is not taken for it", async () => {
  const { api, destinationOf, mistrusts } = setUp();
  api.preview = (_, port) => ({
    sandboxId: OTHER,
    url: `https://${port}-${OTHER}.${DOMAIN}`,
    token: "impostors-token",
  });
  assert.equal(await destinationOf(ID), null);
  assert.deepEqual(mistrusts, ["another_sandbox"]);
});

Deno.test("an answer about the right sandbox counts only if its address is that sandbox's too", async () => {
  for (
    const url of [
      `https://3000-${OTHER}.${DOMAIN}`,
      `https://NaN-${ID}.${DOMAIN}`,
      `https://3001-${ID}.${DOMAIN}`,
      `https://${DOMAIN}/3000-${ID}.`,
      `https://3000-${ID}.${DOMAIN}/path`,
    ]
  ) {
    const { api, destinationOf, mistrusts } = setUp();
    api.preview = () => ({ sandboxId: ID, url, token: "t" });
    assert.equal(await destinationOf(ID), null, url);
    assert.deepEqual(mistrusts, ["another_sandbox"]);
  }
});

Deno.test("if the API finds an impostor by an id, there is no such sandbox", async () => {
  const { api, resolver, mistrusts } = setUp();
  api.sandboxes.set(ID, { id: OTHER, public: true });
  assert.equal(await resolver.isPublic(ID, UNMETERED), false);
  assert.deepEqual(mistrusts, ["another_sandbox"]);
});

Deno.test("a sandbox may be at the proxy of a region, by what that is, and nowhere else", async () => {
  const region = setUp();
  region.api.regions = ["https://eu.example:8443/"];
  region.api.preview = (sandboxId, port) => ({
    sandboxId,
    url: `https://${port}-${sandboxId}.eu.example:8443`,
    token: "t",
  });
  const destination = await region.destinationOf(ID);
  assert.equal(destination?.authority, `3000-${ID}.eu.example:8443`);

  for (
    const domain of [
      "https://evil.example",
      "https://eu.example",
      "http://eu.example:8443",
      `https://x.${DOMAIN}`,
    ]
  ) {
    const stranger = setUp();
    stranger.api.regions = ["https://eu.example:8443/"];
    stranger.api.preview = (sandboxId, port) => ({
      sandboxId,
      url: domain.replace("://", `://${port}-${sandboxId}.`),
      token: "t",
    });
    assert.equal(await stranger.destinationOf(ID), null, domain);
    assert.deepEqual(stranger.mistrusts, ["another_address"]);
  }
});

Deno.test("a region that is new is asked about, once in half a minute", async () => {
  const { api, clock, destinationOf } = setUp();
  await destinationOf(ID);
  api.sandboxes.set(OTHER, {});
  api.preview = (sandboxId, port) => ({
    sandboxId,
    url: `https://${port}-${sandboxId}.new.example`,
    token: "t",
  });
  assert.equal(await destinationOf(OTHER), null);
  api.regions = ["https://new.example"];
  clock.time += 6_000;
  assert.equal(await destinationOf(OTHER), null, "asked again too soon");
  clock.time += 30_000;
  assert.ok(await destinationOf(OTHER));
});

Deno.test("two sandboxes in regions that are new are found at once, in one question about the regions", async () => {
  const { api, resolver, destinationOf } = setUp();
  await destinationOf(ID);
  const regionOf = new Map([[ID, "eu"], [OTHER, "us"]]);
  api.sandboxes.set(OTHER, {});
  api.preview = (sandboxId, port) => ({
    sandboxId,
    url: `https://${port}-${sandboxId}.${regionOf.get(sandboxId)}.example`,
    token: "t",
  });
  api.regions = ["https://eu.example", "https://us.example"];
  const before = api.calls.length;
  const { promise, resolve } = Promise.withResolvers<void>();
  api.regionsGoOn = promise;
  const both = Promise.all([
    resolver.renewDestination(ID, 3000, false),
    destinationOf(OTHER),
  ]);
  for (let turns = 0; turns < 10; turns++) await settled();
  resolve();
  const [renewed, found] = await both;
  assert.equal(renewed?.authority, `3000-${ID}.eu.example`);
  assert.equal(found?.authority, `3000-${OTHER}.us.example`);
  const asked = api.calls.slice(before).filter((call) => call === "regions");
  assert.equal(asked.length, 1);
});

Deno.test("a region that is new is found once the API answers again, without a pause", async () => {
  const { api, destinationOf } = setUp();
  await destinationOf(ID);
  api.sandboxes.set(OTHER, {});
  api.preview = (sandboxId, port) => ({
    sandboxId,
    url: `https://${port}-${sandboxId}.new.example`,
    token: "t",
  });
  api.regions = ["https://new.example"];
  api.failing = "regions";
  await assert.rejects(async () => await destinationOf(OTHER), GatewayError);
  api.failing = undefined;
  assert.ok(await destinationOf(OTHER));
});

Deno.test("a name that can be a label is resolved to the id first, in one question, and is another cache's matter", async () => {
  const { api, resolver, destinationOf, settled } = setUp();
  api.sandboxes.set("shop", { id: ID, public: true });
  assert.equal(await resolver.isPublic("shop", UNMETERED), true);
  await settled();
  assert.equal(resolver.sandboxIdOf("shop"), ID);
  assert.equal(resolver.isPublic("shop", UNMETERED), true);
  const destination = await destinationOf(resolver.sandboxIdOf("shop"));
  assert.equal(destination?.authority, `3000-${ID}.${DOMAIN}`);
  assert.deepEqual(api.calls.filter((call) => /^[sp]/.test(call)), [
    "sandbox shop",
    `preview ${ID}`,
  ]);
});

Deno.test("an unknown sandbox, or one that is destroyed, is none, and its label is its id", async () => {
  const { api, resolver, destinationOf } = setUp();
  for (const label of [OTHER, "nobody"]) {
    assert.equal(await resolver.isPublic(label, UNMETERED), false);
    assert.equal(resolver.sandboxIdOf(label), label);
    assert.equal(await destinationOf(label), null);
  }
  assert.ok(api.calls.every((call) => call.startsWith("sandbox")));
});

Deno.test("the token is renewed when the known one is refused, in one question however many are, and again when that is", async () => {
  const { api, resolver, destinationOf } = setUp();
  let at = await destinationOf(ID) ?? assert.fail("none");
  for (const token of ["second-token", "third-token"]) {
    const before = api.calls.length;
    api.token = token;
    const failure = { at, kind: "not_accepted" } as const;
    const renewed = await Promise.all(
      Array.from(
        { length: 100 },
        () => resolver.renewDestination(ID, 3000, false, failure),
      ),
    );
    assert.ok(renewed.every((one) => tokenIn(one) === token), token);
    // Who was refused by the old one, but comes late, needs no question.
    const late = await resolver.renewDestination(ID, 3000, false, failure);
    assert.equal(tokenIn(late), token);
    assert.equal(api.calls.length - before, 2, token);
    at = renewed[0] ?? assert.fail("none");
  }
});

Deno.test("a destination that fails for another reason than its token is renewed too, without waiting for another one", async () => {
  const { api, resolver, destinationOf } = setUp();
  const at = await destinationOf(ID) ?? assert.fail("none");
  api.sandboxes.delete(ID);
  const failure = { at, kind: "not_there" } as const;
  assert.equal(await resolver.renewDestination(ID, 3000, false, failure), null);
});

Deno.test("a token is forgotten once its sandbox has been started", async () => {
  const { api, resolver, destinationOf } = setUp();
  assert.equal(tokenIn(await destinationOf(ID)), "first-token");
  api.token = "second-token";
  await resolver.forget(ID, { mark: "m", tiers: "both" });
  assert.equal(tokenIn(await destinationOf(ID)), "second-token");
});

Deno.test("with the API away, what is known keeps working for ten minutes, and an unknown sandbox is no answer", async () => {
  const { api, clock, resolver, destinationOf, settled } = setUp();
  await resolver.isPublic(ID, UNMETERED);
  await destinationOf(ID);
  api.isDown = true;
  for (let minute = 0; minute < 10; minute++) {
    clock.time += 60_000;
    assert.equal(tokenIn(await destinationOf(ID)), "first-token");
    await settled();
  }
  await assert.rejects(
    async () => await resolver.isPublic(OTHER, UNMETERED),
    (error) =>
      error instanceof GatewayError && error.code === "api_unreachable",
  );
});

Deno.test("a public sandbox counts as such for seven seconds, a private one for thirty", async () => {
  for (const [isPublic, sec] of [[true, 7], [false, 30]] as const) {
    const { api, clock, resolver } = setUp();
    api.sandboxes.set(ID, { public: isPublic });
    assert.equal(await resolver.isPublic(ID, UNMETERED), isPublic);
    api.sandboxes.set(ID, { public: !isPublic });
    clock.time += sec * 1000 - 1;
    assert.equal(await resolver.isPublic(ID, UNMETERED), isPublic);
    clock.time += 1;
    assert.equal(await resolver.isPublic(ID, UNMETERED), !isPublic);
  }
});

Deno.test("the labels of a sandbox's owner come with what is known of it, and a link has none", async () => {
  const { api, resolver } = setUp();
  const labels = { "porthole.identity": "on" };
  api.sandboxes.set(ID, { labels: { ...labels, team: "qa" } });
  assert.deepEqual(await resolver.labelsOf(ID, () => {}), labels);
  assert.deepEqual(await resolver.labelsOf(ID, assert.fail), labels);
  assert.deepEqual(api.calls, [`sandbox ${ID}`]);
  const link = resolver.linkIdOf("0123456789abcdef");
  assert.deepEqual(await resolver.labelsOf(link, assert.fail), {});
  assert.equal(api.calls.length, 1);
});

Deno.test("what an earlier version stored of a sandbox is not read, as it knew fewer labels", () => {
  const facts = { id: ID, public: true, organizationId: null };
  assert.equal(sandboxCodec.decode({ ...facts, labels: {} }), undefined);
  const stored = { ...facts, ownerLabels: {} };
  assert.deepEqual(sandboxCodec.decode(stored), stored);
});

Deno.test("of what the API says of a sandbox, only the facts are stored, and the token only sealed", async () => {
  const fake = fakeStore();
  const { api, destinationOf, settled } = setUp(fake.store);
  api.sandboxes.set(ID, {
    errorReason: "the runner's words",
    runnerId: "the-runner",
    labels: { team: "teamword", "porthole.app-origin": "pass" },
  });
  const destination = await destinationOf(ID);
  assert.equal(destination?.appOrigin, "pass");
  await settled();
  const stored = JSON.stringify([...fake.entries.values()]);
  for (const word of ["words", "the-runner", "teamword", "first-token"]) {
    assert.ok(!stored.includes(word), word);
  }
  assert.match(stored, /"public":false/);
  const other = setUp(fake.store);
  other.api.isDown = true;
  assert.equal(tokenIn(await other.destinationOf(ID)), "first-token");
});

Deno.test("what a link is called tells nothing of its token, and its port is at the installation's own domain", async () => {
  const { resolver, destinationOf } = setUp();
  const id = resolver.linkIdOf("abcdefgh12345678");
  assert.match(id, /^link:[\w-]{16}$/);
  const destination = await destinationOf(id);
  assert.equal(destination?.authority, `3000-abcdefgh12345678.${DOMAIN}`);
  assert.equal(tokenIn(destination), undefined);
  // A login is about the link then, which was the credential.
  const refusal = await destination.refusals.judge(
    { ...loginRedirect(`https://${destination.authority}/`), body: null },
    { method: "GET", sandboxId: id, sandboxPort: 3000 },
    destination,
  );
  assert(refusal instanceof Refusal);
  assert.equal(refusal.error.code, "signed_token_invalid");
  assert.equal(await destinationOf("link:unknown"), null);
});

Deno.test("the toolbox is not served", async () => {
  const { resolver } = setUp();
  await assert.rejects(
    async () => await resolver.destinationOf(ID, "toolbox", () => {}, false),
    (error) =>
      error instanceof GatewayError && error.code === "port_not_served",
  );
});
