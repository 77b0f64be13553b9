/** A gateway in front of a Daytona whose own proxy is a gateway too, in the other mode. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { HOSTED_CERTIFICATE } from "../../scripts/stand_in/hosted_certificate.ts";
import { dialHosted } from "../../scripts/stand_in/hosted_dial.ts";
import {
  HOSTED_KEYS,
  type HostedStack,
  startHostedStack,
} from "../../scripts/stand_in/hosted_stack.ts";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { parseConfig } from "../../src/config/config.ts";
import { ByteBudget } from "../../src/stream/byte_budget.ts";
import type { GatewayService } from "../../src/server/run.ts";
import { listenTls } from "../../src/downstream/tls/listen_tls.ts";
import { SECTIONS } from "../../src/modules.ts";
import { createService } from "../../src/service.ts";
import {
  type Answer,
  BASE,
  DEMO,
  LOCKED,
  startGatewayOf,
  type TestGateway,
} from "../support/gateway.ts";
import { skewClock } from "../support/skewed_clock.ts";

const TOKEN = { "x-daytona-preview-token": KEYS.lockedToken };
const BROWSER = {
  accept: "text/html",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
};

/** The greatest date that there is. */
const NEVER = new Date(8.64e15);

interface Chain extends TestGateway {
  readonly stack: HostedStack;
}

/** Starts both; `inner` overrides the environment of the one in front of the runners. */
async function startChain(
  inner: Readonly<Record<string, string>> = {},
): Promise<Chain> {
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startHostedStack());
  const innerPort = await startInner(stack, inner, started);
  stack.api.state.config.proxyTemplateUrl =
    `https://{{PORT}}-{{sandboxId}}.hosted.localhost:${innerPort}`;
  const outer = started.use(
    await startGatewayOf(stack, {}, { dial: dialHosted }),
  );
  const owned = started.move();
  return { ...outer, stack, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function startInner(
  { environment, api }: HostedStack,
  overrides: Readonly<Record<string, string>>,
  started: AsyncDisposableStack,
): Promise<number> {
  const service = Promise.withResolvers<GatewayService>();
  const listener = await listenTls(
    async (request, info) => (await service.promise).fetch(request, info),
    { hostname: "127.0.0.1", port: 0 },
    {
      certificate: { ...HOSTED_CERTIFICATE, expiresAt: NEVER },
      buffers: new ByteBudget({ limitBytes: 64 * 1024 * 1024 }),
      maxIdleConnections: 1000,
    },
  );
  started.defer(() => listener.close());
  const { DAYTONA_API_KEY: _, ...rest } = environment;
  const result = parseConfig({
    ...rest,
    PROXY_API_KEY: KEYS.service,
    PROXY_PROTOCOL: "https",
    PROXY_DOMAIN: `hosted.localhost:${listener.port}`,
    DAYTONA_API_URL: api.url,
    ...overrides,
  }, SECTIONS);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  const gateway = await createService(result.config, { version: "0.0.0" });
  started.defer(() => gateway.close());
  service.resolve(gateway);
  return listener.port;
}

/** Fails if a header is there twice, at the app or at the visitor. */
function assertNoneTwice(answer: Answer): void {
  const lines = answer.json()["headers"] as readonly [string, string][];
  const received = answer.rawHeaders.filter((_, i) => i % 2 === 0);
  for (const names of [lines.map(([name]) => name), received]) {
    const lower = names.map((name) => name.toLowerCase());
    assert.deepEqual(lower, [...new Set(lower)]);
  }
}

for (const TRUSTED_PROXIES of ["", "127.0.0.1"]) {
  const how = TRUSTED_PROXIES === "" ? "does not trust" : "trusts";
  Deno.test(`a gateway serves what another serves that ${how} it: public, by token, by a member's key and by a link`, async () => {
    await using chain = await startChain({
      ...TRUSTED_PROXIES !== "" && { TRUSTED_PROXIES },
    });
    const path = "/echo?a=%20&b";
    const bearer = { authorization: `Bearer ${HOSTED_KEYS.member}` };
    for (
      const [host, headers] of [
        [DEMO, {}],
        [LOCKED, TOKEN],
        [LOCKED, bearer],
        [`3000-${KEYS.signedToken}.${BASE}`, {}],
      ] as const
    ) {
      const answer = await chain.send(host, { path, headers });
      assert.equal(answer.status, 200, host + answer.body);
      assert.equal(answer.json()["url"], path);
      assertNoneTwice(answer);
      const daytonas = [...answer.echoed().keys()].filter((name) =>
        name.startsWith("x-daytona-") || name === "authorization"
      );
      assert.deepEqual(daytonas, []);
    }
    const anonymous = await chain.send(LOCKED, { path });
    assert.equal(anonymous.code, "login_required");
  });
}

Deno.test("a WebSocket goes through both gateways", async () => {
  await using chain = await startChain();
  const socket = new WebSocket(`ws://127.0.0.1:${chain.port}/ws`, ["a"], {
    headers: { host: LOCKED, ...TOKEN },
  });
  await once(socket, "open");
  assert.equal(socket.protocol, "a");
  socket.send("hello");
  const [data] = await once(socket, "message");
  assert.equal(String(data), "hello");
  const closed = once(socket, "close");
  socket.close(4001, "done");
  assert.equal((await closed)[0], 4001);
});

Deno.test("what the inner gateway refuses, the outer one passes: its problem or page, and not its code as one of ours", async () => {
  await using chain = await startChain();
  for (
    const [label, status, code, title] of [
      ["3999-demo", 502, "port_closed", "Nothing is listening on this port"],
      ["3000-stopped", 503, "sandbox_stopped", "The sandbox is stopped"],
      [
        `8123-${KEYS.signedToken}`,
        401,
        "signed_token_invalid",
        "This preview link is not valid",
      ],
    ] as const
  ) {
    const host = `${label}.${BASE}`;
    const problem = await chain.send(host);
    assert.deepEqual([problem.status, problem.code], [status, null]);
    assert.equal(problem.json()["code"], code);
    const page = await chain.send(host, { headers: BROWSER });
    assert.deepEqual([page.status, page.code], [status, null]);
    assert(page.body.includes(`${title}</title>`), page.body);
  }
});

Deno.test("through both, the question about a link is a HEAD at the app, and what looks like a link is none's name", async () => {
  await using chain = await startChain();
  const host = `3000-${KEYS.signedToken}.${BASE}`;
  assert.equal((await chain.send(host, { path: "/echo" })).status, 200);
  assert.deepEqual(
    chain.stack.runner.seen.map(({ method, target }) => [
      method,
      target.replace(/^.*\/proxy\/3000/, ""),
    ]),
    [["HEAD", "/"], ["GET", "/echo"]],
  );
  const demo = chain.stack.api.state.sandboxes.get("demo");
  assert(demo);
  demo.name = "npx3godbmubw0l9p";
  const named = await chain.send(`3000-${demo.name}.${BASE}`);
  assert.equal(named.json()["code"], "signed_token_invalid");
});

Deno.test("a token that has changed opens through both, once what they know of the old one has ended", async () => {
  using clock = skewClock();
  await using chain = await startChain();
  const headers = { authorization: `Bearer ${HOSTED_KEYS.member}` };
  assert.equal((await chain.send(LOCKED, { headers })).status, 200);
  const sandbox = chain.stack.api.state.sandboxes.get("locked");
  assert(sandbox);
  sandbox.authToken = "rotated";
  clock.jump(121_000);
  assert.equal((await chain.send(LOCKED, { headers })).status, 200);
  const old = await chain.send(LOCKED, { headers: TOKEN });
  assert.equal(old.code, "credential_invalid");
});
