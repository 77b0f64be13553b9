/** Logins while the identity provider misbehaves, and how soon it is asked again. */
import assert from "node:assert/strict";
import type {
  Endpoint,
  OpenidProvider,
} from "../../scripts/stand_in/provider.ts";
import { startGateway } from "../support/gateway.ts";
import { skewClock } from "../support/skewed_clock.ts";

/** The pause before a provider that failed is asked again, ms. */
const PAUSE_MS = 5_000;

const NAVIGATION = {
  accept: "text/html",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
};

type Fault = (provider: OpenidProvider) => void;

function discoveryOf(body: Record<string, unknown>): Fault {
  return ({ rewrite }) => {
    rewrite.discovery = () => body;
  };
}

const FAULTS: Readonly<Record<string, Fault>> = {
  "is down": (provider) => provider.outage = 503,
  "is throttled": (provider) => provider.outage = 429,
  "resets": (provider) => provider.outage = "reset",
  "says nothing of itself": discoveryOf({}),
  "is another one": discoveryOf({ issuer: "https://other.test" }),
  "gives a number for an URL": ({ rewrite }) => {
    rewrite.discovery = (real) => ({ ...real, authorization_endpoint: 5 });
  },
};

function heal(provider: OpenidProvider): void {
  const endpoint: Endpoint = "discovery";
  provider.outage = undefined;
  delete provider.rewrite[endpoint];
}

Deno.test("a provider that", async (t) => {
  for (const [name, inject] of Object.entries(FAULTS)) {
    await t.step(name, async () => {
      using clock = skewClock();
      await using gateway = await startGateway();
      const { provider, api } = gateway.stack;
      async function login(): Promise<[number, string | null]> {
        const { status, headers } = await gateway.send("proxy.localhost", {
          path: "/login?return_to=http%3A%2F%2F3000-locked.proxy.localhost%2F",
          headers: NAVIGATION,
        });
        return [status, headers.get("x-porthole-error")];
      }
      // The gateway learns of the provider from the API.
      while (api.count("ConfigController_getConfig") === 0) {
        await gateway.send("proxy.localhost", { path: "/ready" });
      }

      inject(provider);
      const unavailable = [503, "login_unavailable"];
      const replies = await Promise.all(Array.from({ length: 8 }, login));
      assert.deepEqual(replies, replies.map(() => unavailable));
      // Nothing else depends on the provider.
      const preview = await gateway.send("3000-demo.proxy.localhost");
      assert.equal(preview.status, 200);

      heal(provider);
      clock.jump(PAUSE_MS);
      assert.deepEqual(await login(), [302, null]);

      // Once its metadata is cached, the provider may be down.
      inject(provider);
      assert.deepEqual(await login(), [302, null]);
    });
  }
});

Deno.test("a provider that failed is asked again though the clock was put back", async () => {
  using clock = skewClock();
  await using gateway = await startGateway();
  const { provider } = gateway.stack;
  provider.outage = 503;
  const isLoginUp = async () =>
    (await gateway.send("proxy.localhost", {
      path: "/login?return_to=http%3A%2F%2F3000-locked.proxy.localhost%2F",
      headers: NAVIGATION,
    })).status === 302;
  assert(!await isLoginUp());
  provider.outage = undefined;
  clock.jump(-3_600_000);
  let tries = 0;
  while (!await isLoginUp()) assert(tries++ < 100);
});
