import ipaddr from "ipaddr.js";
import assert from "node:assert/strict";
import { Throttle } from "../../../src/auth/throttle.ts";
import type { ControlContext } from "../../../src/control/route.ts";
import { Dispatch } from "../../../src/gateway/dispatch.ts";
import type { SandboxExchange } from "../../../src/gateway/sandbox_exchange.ts";
import { InFlight } from "../../../src/proxy/in_flight.ts";
import { exchangeServices } from "../../support/exchange.ts";

/** A dispatcher for `p.test`, and what it passes on. */
function setUp({ baseDomains = ["p.test"] } = {}) {
  const exchanges: SandboxExchange[] = [];
  const contexts: ControlContext[] = [];
  const answers: (string | undefined)[] = [];
  function take(exchange: SandboxExchange): Promise<Response> {
    exchanges.push(exchange);
    return Promise.resolve(new Response());
  }
  const { services, records } = exchangeServices({
    scheme: "https",
    trustedProxies: [ipaddr.parseCIDR("10.0.0.0/8")],
  });
  const dispatch = new Dispatch({
    ...services,
    limits: { ...services.limits, concurrentExchanges: 8 },
    servesPaths: true,
    features: [],
    remoteSettings: { baseDomains, dashboardUrl: undefined },
    sandboxes: { preview: take, toolbox: take },
    buildLogs: {
      subjects: { ofBearer: () => undefined },
      grants: { recognizes: () => false },
      builds: { logOf: () => Promise.resolve(null) },
      throttle: new Throttle({
        refusalsPerMinute: 1,
        lookups: 1,
        maxClients: 1,
        now: () => 0,
      }),
      upstream: { request: () => Promise.reject(new Error("Not reached")) },
    },
    control(_, context) {
      contexts.push(context);
      return new Response();
    },
    ownRequests: new InFlight({
      concurrentExchanges: 10,
      exchangesPerSandbox: 0,
      exchangesPerClient: 10,
      tunnels: 0,
      tunnelsPerClient: 0,
    }),
    nextRequestId: () => "ours",
    onOwnAnswer: ({ error }) => answers.push(error),
  });
  async function send(
    url: string,
    peer: Deno.Addr,
    fields: Record<string, string> = {},
  ): Promise<Response> {
    const { host } = new URL(url);
    return await dispatch.handle(
      new Request(url, { headers: { host, ...fields } }),
      {
        remoteAddr: peer,
        completed: Promise.resolve(),
      } as Deno.ServeHandlerInfo,
    );
  }
  return { send, exchanges, contexts, answers, records };
}

function peerAt(hostname: string): Deno.NetAddr {
  return { transport: "tcp", hostname, port: 1 };
}

const PREVIEW = "http://3000-box.p.test/";

Deno.test("a peer is known by its own address, also where an IPv6 listener maps it", async () => {
  const { send, exchanges } = setUp();
  const addresses = [
    ["203.0.113.9", "203.0.113.9"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["::ffff:1", "::ffff:1"],
    ["2001:db8::ffff:1.2.3.4", "2001:db8::ffff:1.2.3.4"],
  ] as const;
  for (const [hostname] of addresses) await send(PREVIEW, peerAt(hostname));
  assert.deepEqual(
    exchanges.map(({ client }) => client.clientAddress),
    addresses.map(([, peer]) => peer),
  );
});

Deno.test("a request keeps the id that a trusted proxy gave it, and gets one of ours otherwise", async () => {
  const { send, exchanges } = setUp();
  for (
    const [peer, given] of [
      ["10.0.0.1", "theirs"],
      ["::ffff:10.0.0.1", "theirs"],
      ["203.0.113.9", "forged"],
      ["10.0.0.1", "two words"],
      ["10.0.0.1", "x".repeat(129)],
      ["10.0.0.1", ""],
    ] as const
  ) await send(PREVIEW, peerAt(peer), { "x-request-id": given });
  await send(PREVIEW, peerAt("10.0.0.1"));
  assert.deepEqual(
    exchanges.map(({ id }) => id),
    ["theirs", "theirs", "ours", "ours", "ours", "ours", "ours"],
  );
});

Deno.test("host and path decide who answers", async () => {
  const { send, exchanges, contexts, answers, records } = setUp();
  const peer = peerAt("203.0.113.9");
  const codes: (string | null)[] = [];
  for (
    const url of [
      "http://3000-box.p.test/toolbox/box/x",
      "http://p.test/toolbox/box/x",
      "http://p.test/snapshots/snap/build-logs?follow=true",
      "http://p.test/login",
      "http://gateway.internal/health",
      "http://10-box.elsewhere.test/ready?verbose",
      "http://10-box.elsewhere.test/readyness",
      "http://10-box.elsewhere.test/x/health",
      "http://0-box.p.test/",
      "http://p.test/toolbox/",
      `http://p.test/${"x".repeat(100)}`,
    ]
  ) {
    const response = await send(url, peer);
    codes.push(response.headers.get("x-porthole-error"));
  }
  assert.deepEqual(
    exchanges.map(({ route, target }) => `${route} ${target}`),
    [
      "preview /toolbox/box/x",
      "toolbox /x",
    ],
  );
  assert.deepEqual(records.map(({ route }) => route), ["build_logs"]);
  assert.deepEqual(contexts.map(({ authority, base }) => [authority, base]), [
    ["p.test", "p.test"],
    ["gateway.internal", undefined],
    ["10-box.elsewhere.test", undefined],
  ]);
  const refusals = [
    "unknown_domain",
    "unknown_domain",
    "bad_host",
    "bad_target",
    "target_too_long",
  ];
  assert.deepEqual(codes.filter((code) => code !== null), [
    "login_required", // by the handler of build logs
    ...refusals,
  ]);
  assert.deepEqual(answers, [undefined, undefined, undefined, ...refusals]);
});

Deno.test("a request that names two hosts is refused", async () => {
  const { send, exchanges } = setUp();
  const response = await send(PREVIEW, peerAt("203.0.113.9"), {
    host: "3000-other.p.test",
  });
  assert.equal(response.headers.get("x-porthole-error"), "bad_host");
  assert.deepEqual(exchanges, []);
});

Deno.test("the control plane is told which client to hold responsible", async () => {
  const { send, contexts } = setUp();
  const fields = { "x-forwarded-for": "198.51.100.7" };
  for (const peer of ["10.0.0.1", "203.0.113.9"]) {
    await send("http://p.test/login", peerAt(peer), fields);
  }
  assert.deepEqual(
    contexts.map(({ clientAddress }) => clientAddress),
    ["198.51.100.7", "203.0.113.9"],
  );
});

Deno.test("a preview below a domain that may still turn out to be ours is unavailable, not unknown", async () => {
  const { send } = setUp({ baseDomains: [] });
  const { status, headers } = await send(PREVIEW, peerAt("203.0.113.9"));
  assert.equal(headers.get("x-porthole-error"), "api_unreachable");
  assert.equal(status, 503);
});
