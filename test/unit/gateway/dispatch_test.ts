import ipaddr from "ipaddr.js";
import assert from "node:assert/strict";
import type { ControlContext } from "../../../src/control/route.ts";
import type { ClientLeg } from "../../../src/downstream/http/reply.ts";
import type { SentAnswer } from "../../../src/downstream/http/untaken.ts";
import { GatewayError } from "../../../src/errors.ts";
import { Dispatch } from "../../../src/gateway/dispatch.ts";
import type { Feature } from "../../../src/gateway/feature.ts";
import { chainsOf } from "../../../src/gateway/chains.ts";
import { previewExchange } from "../../../src/gateway/preview_route.ts";
import type { SandboxExchange } from "../../../src/gateway/sandbox_route.ts";
import type { Logger } from "../../../src/observability/log.ts";
import { InFlight } from "../../../src/proxy/in_flight.ts";
import { recordedLog } from "../../support/event_log.ts";
import { exchangeServices } from "../../support/exchange.ts";
import { fakeClock } from "../../support/fake_clock.ts";
import { hostParser } from "../../support/names.ts";

/** A dispatcher for `p.test`, and what it passes on. */
function setUp(
  {
    baseDomains = ["p.test"],
    names = {},
    features = [],
    onParse = () => {},
    control = () => new Response(),
    ...given
  }: {
    readonly baseDomains?: string[];
    readonly names?: Parameters<typeof hostParser>[1];
    readonly onParse?: (authority: string) => void;
    readonly features?: readonly Feature[];
    readonly control?: () => Response | Promise<Response>;
    readonly scheme?: "http" | "https";
    readonly logger?: Logger;
    readonly clientLeg?: Partial<ClientLeg>;
  } = {},
) {
  const parseHost = hostParser(baseDomains, names);
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
    ...given,
  });
  const dispatch = new Dispatch({
    ...services,
    limits: { ...services.limits, concurrentExchanges: 8 },
    servesToolboxes: true,
    chains: chainsOf(features.map((each, index) => [`${index}`, each])),
    parseHost(authority) {
      onParse(authority);
      return parseHost(authority);
    },
    remoteSettings: { baseDomains, dashboardUrl: undefined },
    sandboxes: { preview: take, toolbox: take },
    control(_, context) {
      contexts.push(context);
      return control();
    },
    ownRequests: new InFlight({
      concurrentExchanges: 10,
      exchangesPerSandbox: 0,
      tunnelsPerSandbox: 0,
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
    method = "GET",
    signal: AbortSignal | null = null,
  ): Promise<Response> {
    const { host } = new URL(url);
    const headers = { host, ...fields };
    const request = new Request(url, { method, headers, signal });
    // As it came: the constructor resolves dot segments.
    Object.defineProperty(request, "url", { value: url });
    return await dispatch.handle(
      request,
      {
        remoteAddr: peer,
        completed: Promise.resolve(),
      } as Deno.ServeHandlerInfo,
    );
  }
  return { dispatch, send, exchanges, contexts, answers, records };
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
    exchanges.map(({ received }) => received.client.clientAddress),
    addresses.map(([, peer]) => peer),
  );
});

for (const scheme of ["http", "https"] as const) {
  Deno.test(`visitors by https of a trusted proxy are warned of ${scheme === "http" ? "once" : "never"}, with PROXY_PROTOCOL=${scheme}`, async () => {
    const { log, events } = recordedLog();
    const { send } = setUp({ scheme, logger: log });
    const proto = { "x-forwarded-proto": "https" };
    await send(PREVIEW, peerAt("203.0.113.9"), proto); // anybody can say so
    await send(PREVIEW, peerAt("10.0.0.1"), { "x-forwarded-proto": "http" });
    assert.deepEqual(events(), []);
    await send(PREVIEW, peerAt("10.0.0.1"), proto);
    await send(PREVIEW, peerAt("10.0.0.1"), proto);
    assert.equal(events().length, scheme === "http" ? 1 : 0);
    if (scheme === "http") {
      assert.match(JSON.stringify(events()), /set PROXY_PROTOCOL=https/);
    }
  });
}

Deno.test("once another gateway is to answer, what a front may ask there is refused, and all else is served, probes too", async () => {
  const { dispatch, send, answers } = setUp();
  const peer = peerAt("10.0.0.1");
  assert.equal((await send(PREVIEW, peer)).status, 200);
  dispatch.refuseNew();
  for (
    const [method, url, status] of [
      ["GET", PREVIEW, 503],
      ["HEAD", PREVIEW, 503],
      ["OPTIONS", PREVIEW, 503],
      ["GET", "http://p.test/", 503],
      ["POST", PREVIEW, 200],
      ["DELETE", PREVIEW, 200],
      ["GET", "http://10.0.0.7/ready", 200],
      ["GET", "http://10.0.0.7/health", 200],
    ] as const
  ) {
    const answer = await send(url, peer, {}, method);
    assert.equal(answer.status, status, `${method} ${url}`);
  }
  assert.equal(answers.filter((code) => code === "draining").length, 4);
});

Deno.test("an answer over HTTP/2 counts for its client, whose connection may be closed for it, but never a front's", async () => {
  const sent: SentAnswer[] = [];
  const untaken = {
    watch: () => assert.fail("of an app"),
    isFull: () => false,
    admit: (answer: SentAnswer) => sent.push(answer) > 0,
  };
  const { dispatch } = setUp({ clientLeg: { untaken } });
  const socket = { sentBytes: 0, close: () => {} };
  async function refuse(
    peer: string,
    url: string,
    more: Record<string, string> = {},
  ): Promise<void> {
    const headers = { "x-forwarded-for": "192.0.2.1", ...more };
    await dispatch.handle(new Request(url, { headers }), {
      remoteAddr: peerAt(peer),
      completed: Promise.resolve(),
      isHttp2: true,
      socket,
    });
  }
  const [front, client] = ["10.0.0.1", "203.0.113.9"];
  for (const peer of [front, client]) {
    await refuse(peer, PREVIEW, { host: "other.test" });
    await refuse(peer, "http://3000-box.none.test/");
  }
  dispatch.refuseNew();
  for (const peer of [front, client]) await refuse(peer, PREVIEW);
  const ofFront = { client: "192.0.2.1", socket: undefined };
  const ofClient = { client, socket };
  assert.deepEqual(
    sent.map(({ client, socket }) => ({ client, socket })),
    [ofFront, ofFront, ofClient, ofClient, ofFront, ofClient],
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
    exchanges.map(({ received }) => received.id),
    ["theirs", "theirs", "ours", "ours", "ours", "ours", "ours"],
  );
});

Deno.test("a request goes round once, also by a name: its host is parsed once", async () => {
  const parsed: string[] = [];
  const { send, exchanges, answers } = setUp({
    names: { "shop.p.test": { sandboxId: "box", port: 8000 } },
    onParse: (authority) => parsed.push(authority),
  });
  const hosts = ["p.test", "3000-box.p.test", "shop.p.test", "none.p.test"];
  for (const host of hosts) {
    await send(`http://${host}/`, peerAt("203.0.113.9"));
  }
  assert.deepEqual(parsed, hosts);
  assert.deepEqual(exchanges.map(({ route }) => route.port), [3000, 8000]);
  assert.deepEqual(answers, [undefined, "bad_host"]);
});

Deno.test("host and path decide who answers", async () => {
  const { send, exchanges, contexts, answers } = setUp();
  const peer = peerAt("203.0.113.9");
  const codes: (string | null)[] = [];
  for (
    const url of [
      "http://3000-box.p.test/toolbox/box/x",
      "http://p.test/toolbox/box/x",
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
    exchanges.map(({ route, received }) => `${route.kind} ${received.target}`),
    [
      "preview /toolbox/box/x",
      "toolbox /x",
    ],
  );
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
  assert.deepEqual(codes.filter((code) => code !== null), refusals);
  assert.deepEqual(answers, [undefined, undefined, undefined, ...refusals]);
});

Deno.test("what is suspended is refused by its name, and may look again later", async () => {
  const target = { sandboxId: "box", port: 3000, isSuspended: true };
  const { send, exchanges } = setUp({ names: { "www.shop.test": target } });
  const peer = peerAt("203.0.113.9");
  const response = await send("http://www.shop.test:8443/", peer);
  assert.equal(response.headers.get("x-porthole-error"), "name_suspended");
  assert.equal(response.status, 503);
  const { message } = await response.json();
  assert.match(message, /The DNS of www\.shop\.test:8443 has not pointed here/);
  assert.deepEqual(exchanges, []);
});

Deno.test("a name leads to the preview that it stands for, with whatever path, and one that is suspended is unavailable", async () => {
  const { send, exchanges, contexts, answers } = setUp({
    names: {
      "shop.p.test": { sandboxId: "box", port: 8000 },
      "shop.example": { sandboxId: "other", port: 3000 },
      "gone.p.test": { sandboxId: "box", port: 3000, isSuspended: true },
    },
  });
  const peer = peerAt("203.0.113.9");
  for (
    const url of [
      "http://shop.p.test/health",
      "http://SHOP.p.test.:443/toolbox/box/x",
      "http://shop.example:8443/login",
    ]
  ) await send(url, peer, { host: url.split("/")[2] ?? "" });
  assert.deepEqual(
    exchanges.map(({ route, received }) => [
      ...[route.kind, received.target, route.name],
      `${route.port}-${route.label}`,
    ]),
    [
      ["preview", "/health", "shop.p.test", "8000-box"],
      ["preview", "/toolbox/box/x", "shop.p.test", "8000-box"],
      ["preview", "/login", "shop.example:8443", "3000-other"],
    ],
  );
  const gone = await send("http://gone.p.test/", peer);
  assert.equal(gone.status, 503);
  await send("http://unknown.p.test/", peer);
  await send("http://unknown.example/", peer);
  assert.deepEqual(answers, ["name_suspended", "bad_host", undefined]);
  assert.deepEqual(contexts.map(({ base }) => base), [undefined]);
  assert.equal(exchanges.length, 3);
});

Deno.test("a name is unavailable, not unknown, while no base domain is known", async () => {
  const names = { "shop.p.test": { sandboxId: "box", port: 8000 } };
  const { send, answers } = setUp({ baseDomains: [], names });
  await send("http://shop.p.test/", peerAt("203.0.113.9"));
  assert.deepEqual(answers, ["api_unreachable"]);
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

Deno.test("a page whose client has left before its turn is not made", async () => {
  using clock = fakeClock();
  const made = Promise.withResolvers<Response>();
  const { send, contexts, answers } = setUp({ control: () => made.promise });
  const ask = (signal?: AbortSignal) =>
    send("http://p.test/docs", peerAt("203.0.113.9"), {}, "GET", signal);
  const pages = Array.from({ length: 8 }, () => ask());
  assert.equal(contexts.length, 8);
  const leaving = new AbortController();
  const gone = ask(leaving.signal);
  leaving.abort();
  clock.pass(1000);
  assert.equal((await gone).status, 499);
  made.resolve(new Response());
  await Promise.all(pages);
  assert.deepEqual([contexts.length, answers.length], [8, 8]);
});

Deno.test("a preview below a domain that may still turn out to be ours is unavailable, not unknown", async () => {
  const { send } = setUp({ baseDomains: [] });
  const { status, headers } = await send(PREVIEW, peerAt("203.0.113.9"));
  assert.equal(headers.get("x-porthole-error"), "api_unreachable");
  assert.equal(status, 503);
});

/** A feature that has paths of its own on previews; it knows those that end with `known`, and fails at `fails`. */
function ownPaths() {
  const asked: string[] = [];
  const feature: Feature = {
    answer: {
      onOwnPath(incoming, host, services) {
        const { method, target } = incoming;
        asked.push(`${method} ${target} of ${host.port}-${host.label}`);
        if (!/(?:known|fails)$/.test(target)) return undefined;
        return {
          exchange: previewExchange(incoming, host, services),
          handle: () =>
            target.endsWith("fails")
              ? Promise.reject(new GatewayError("route_not_found", "test"))
              : Promise.resolve(new Response("ours")),
        };
      },
    },
  };
  return { asked, feature };
}

Deno.test("paths below /.porthole/ of previews are a feature's, whatever the method, and a failure there becomes a response", async () => {
  const { asked, feature } = ownPaths();
  const { send, exchanges } = setUp({ features: [{}, feature] });
  const peer = peerAt("203.0.113.9");
  const url = "http://3000-box.p.test/.porthole/known";
  for (const method of ["GET", "HEAD", "OPTIONS", "POST", "DELETE"]) {
    assert.equal(await (await send(url, peer, {}, method)).text(), "ours");
  }
  const handshake = { upgrade: "websocket", connection: "Upgrade" };
  assert.equal(await (await send(url, peer, handshake)).text(), "ours");
  assert.equal(asked.length, 6);
  assert.equal(asked[0], "GET /.porthole/known of 3000-box");
  const failed = await send("http://3000-box.p.test/.porthole/fails", peer);
  assert.equal(failed.headers.get("x-porthole-error"), "route_not_found");
  assert.deepEqual(exchanges, []);
});

Deno.test("the first feature that knows such a path answers, and one that none knows is the app's", async () => {
  const [first, second] = [ownPaths(), ownPaths()];
  const { send, exchanges } = setUp({
    features: [first.feature, second.feature],
  });
  const peer = peerAt("203.0.113.9");
  await send("http://3000-box.p.test/.porthole/known", peer);
  assert.deepEqual([first.asked.length, second.asked.length], [1, 0]);
  await send("http://3000-box.p.test/.porthole/other", peer);
  assert.deepEqual([first.asked.length, second.asked.length], [2, 1]);
  assert.deepEqual(exchanges.map(({ received }) => received.target), [
    "/.porthole/other",
  ]);
});

Deno.test("only a target that begins with /.porthole/ as it came is ours, and on preview hosts only", async () => {
  const { asked, feature } = ownPaths();
  const { send, exchanges } = setUp({ features: [feature] });
  const peer = peerAt("203.0.113.9");
  const targets = [
    "/.porthole?known",
    "/%2eporthole/known",
    "/.porthole%2Fknown",
    "/.Porthole/known",
    "//.porthole/known",
    "/./.porthole/known",
    "/a/../.porthole/known",
    "/a/.porthole/known",
    "/?/.porthole/known",
  ];
  for (const target of targets) {
    await send(`http://3000-box.p.test${target}`, peer);
  }
  assert.deepEqual(exchanges.map(({ received }) => received.target), targets);
  await send("http://p.test/.porthole/known", peer);
  await send("http://p.test/toolbox/box/.porthole/known", peer);
  assert.deepEqual(asked, []);
  // What is not resolved is not the app's either.
  await send("http://3000-box.p.test/.porthole/../known", peer);
  assert.deepEqual(asked, ["GET /.porthole/../known of 3000-box"]);
});
