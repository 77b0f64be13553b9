/** Previews in frames of other sites' pages: by a session that is for them, and where nobody needs one. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { WebSocket } from "ws";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import type { FrameTerms, Grant } from "../../src/auth/grants.ts";
import { fakeClock } from "../support/fake_clock.ts";
import {
  type Answer,
  BASE,
  DEMO,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../support/gateway.ts";
import {
  frameCookieOf,
  grantOf,
  SESSION_SECRETS,
  withGrants,
} from "../support/grants.ts";
import { startLoginGateway } from "../support/login_gateway.ts";
import { testInBothWorlds as test } from "../support/worlds.ts";

const GRANTS = withGrants();

const HTTPS = { PROXY_PROTOCOL: "https", SESSION_SECRETS };

const EMBEDDER = "https://product.example";

const TERMS: FrameTerms = {
  ancestors: [EMBEDDER],
  frame: "replace",
  cookies: "partition",
  isolate: null,
  bridge: [],
};

const SIGNED = `3000-${KEYS.signedToken}.${BASE}`;

/** Time between two rechecks, ms. */
const RECHECK_MS = 25_000;

/** What a browser sends to load a frame on a page. */
function frameOn(origin: string): Record<string, string> {
  return {
    accept: "text/html",
    referer: `${origin}/`,
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "iframe",
  };
}

/** What it sends for what the page in that frame loads. */
const WITHIN = {
  accept: "*/*",
  "sec-fetch-site": "same-origin",
  "sec-fetch-mode": "cors",
  "sec-fetch-dest": "empty",
};

/** A grant for frames, which the gateways of this file know. */
function framedGrant(differences: Partial<Grant> = {}): Grant {
  const expiresAt = Date.now() + 600_000;
  const id = crypto.randomUUID();
  const grant = grantOf({ id, expiresAt, frame: TERMS, ...differences });
  GRANTS.grants.set(`tg_${id}`, grant);
  return grant;
}

/** An app that no page may frame, by its own word, and that takes what the browser has stored for good. */
const app: RequestListener = ({ headers, url }, response) => {
  const isStored = headers["if-none-match"] === '"v1"';
  response.writeHead(isStored ? 304 : 200, {
    "content-type": url?.endsWith(".js") ? "text/javascript" : "text/html",
    "cache-control": "max-age=600",
    "etag": '"v1"',
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
    "set-cookie": "app=1; Path=/; SameSite=Lax",
  });
  response.end(isStored ? undefined : "the app");
};

/** The headers that tell who may frame a response, what is stored of it, and its cookies. */
function told({ headers }: Answer): Record<string, string | null> {
  return {
    policy: headers.get("content-security-policy"),
    options: headers.get("x-frame-options"),
    caching: headers.get("cache-control"),
    cookies: headers.get("set-cookie"),
  };
}

const IN_FRAME = {
  policy: `default-src 'self', frame-ancestors 'self' ${EMBEDDER}`,
  options: null,
  caching: "no-store",
  cookies: "app=1; Path=/; SameSite=None; Secure; Partitioned",
};

const AS_SENT = {
  policy: "default-src 'self'; frame-ancestors 'none'",
  options: "DENY",
  caching: "private, max-age=600",
  cookies: "app=1; Path=/; SameSite=Lax",
};

test("a page that a grant names shows an app that no page may frame, whole and with its cookies", async (startGateway) => {
  await using gateway = await startGateway(HTTPS);
  const host = await gateway.serve(app, "locked");
  const cookie = await frameCookieOf(framedGrant({ ports: [8000] }), {
    isHttps: true,
  });
  const stored = { "if-none-match": '"v1"' };
  for (const asked of [{}, stored]) {
    const headers = { ...frameOn(EMBEDDER), ...asked, cookie };
    const page = await gateway.send(host, { headers });
    assert.deepEqual([page.status, page.body], [200, "the app"]);
    assert.deepEqual(told(page), IN_FRAME);
  }
  // A link within the frame.
  const link = {
    ...frameOn(`https://${host}`),
    "sec-fetch-site": "same-origin",
  };
  const next = await gateway.send(host, { headers: { ...link, cookie } });
  assert.deepEqual(told(next), IN_FRAME);

  const headers = { ...WITHIN, ...stored, cookie };
  const script = await gateway.send(host, { path: "/a.js", headers });
  assert.equal(script.status, 304);
  assert.deepEqual(told(script), {
    policy: "default-src 'self'",
    options: null,
    caching: "private, max-age=600",
    cookies: IN_FRAME.cookies,
  });
});

test("no other page's frame, and no page's fetch, opens anything by a frame's session", async (startGateway) => {
  await using gateway = await startGateway(HTTPS);
  const cookie = await frameCookieOf(framedGrant(), { isHttps: true });
  const evil = "https://evil.example";
  const { referer: _, ...silent } = frameOn(EMBEDDER);
  const fetches = {
    ...WITHIN,
    "sec-fetch-site": "cross-site",
    origin: EMBEDDER,
    referer: `${EMBEDDER}/`,
  };
  for (
    const [name, headers, method] of [
      ["another site's frame", frameOn(evil)],
      ["a look-alike's", frameOn(`${EMBEDDER}.evil.example`)],
      ["the page at another port", frameOn(`${EMBEDDER}:8443`)],
      ["another sandbox's frame", frameOn(`https://${DEMO}`)],
      ["a page that does not say which it is", silent],
      ["a named page's fetch", fetches],
      ["its POST", { ...frameOn(EMBEDDER), origin: EMBEDDER }, "POST"],
      ["its image", {
        ...frameOn(EMBEDDER),
        "sec-fetch-mode": "no-cors",
        "sec-fetch-dest": "image",
      }],
    ] as [string, Record<string, string>, string?][]
  ) {
    const { status } = await gateway.send(LOCKED, {
      path: "/echo",
      method: method ?? "GET",
      headers: { ...headers, cookie },
    });
    assert.equal(status, 401, name);
  }
  assert.equal(gateway.stack.runner.seen.length, 0);
  // At another port and another sandbox it is nothing.
  for (const host of [`3001-locked.${BASE}`, `22222-locked.${BASE}`]) {
    const headers = { ...frameOn(EMBEDDER), cookie };
    const { status, code } = await gateway.send(host, { headers });
    assert.equal(status, 401, host);
    assert.notEqual(code, "grant_invalid", host);
  }
});

Deno.test("a token's session is for no frame of other pages, whatever its grant says", async () => {
  await using gateway = await startGateway(HTTPS);
  GRANTS.grants.set("tg_framed", framedGrant());
  const opened = await gateway.send(LOCKED, {
    path: "/?porthole_token=tg_framed&porthole_cookie=none",
    headers: frameOn(EMBEDDER),
  });
  assert.equal(opened.status, 303);
  const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
  const framed = await gateway.send(LOCKED, {
    headers: { ...frameOn(EMBEDDER), cookie },
  });
  assert.equal(framed.status, 401);
  const own = await gateway.send(LOCKED, { headers: { cookie } });
  const { policy } = told(own);
  assert.equal(policy, "frame-ancestors 'self'");
});

Deno.test("a frame's session that has ended is 401 grant_invalid, and leads to no login, though its grant goes on", async () => {
  await using gateway = await startLoginGateway({ SESSION_SECRETS });
  const past = { endsAt: Date.now() - 1 };
  const over = await frameCookieOf(framedGrant(), past);
  const revoked = framedGrant();
  const unknown = await frameCookieOf(revoked);
  GRANTS.grants.delete(`tg_${revoked.id}`);
  const within = { ...WITHIN, accept: "text/html" };
  for (const cookie of [over, unknown]) {
    for (const headers of [frameOn(EMBEDDER), within]) {
      const { status, code } = await gateway.send(LOCKED, {
        headers: { ...headers, cookie },
      });
      assert.deepEqual([status, code], [401, "grant_invalid"]);
    }
    const elsewhere = await gateway.send(LOCKED, {
      headers: { ...frameOn("https://evil.example"), cookie },
    });
    assert.deepEqual(
      [elsewhere.status, elsewhere.code],
      [401, "frame_refused"],
    );
  }
});

Deno.test("a WebSocket outlives its frame's session if the grant was renewed, and is cut when that ends", async () => {
  using clock = fakeClock();
  await using gateway = await startGateway({ SESSION_SECRETS });
  const grant = framedGrant({ expiresAt: Date.now() + 60_000 });
  const secret = `tg_${grant.id}`;
  const cookie = await frameCookieOf(grant);
  const url = `ws://127.0.0.1:${gateway.port}/ws`;
  const origin = `http://${LOCKED}`;
  const socket = new WebSocket(url, [], {
    headers: { host: LOCKED, cookie, origin },
  });
  await once(socket, "open");
  const closed = once(socket, "close");
  const renewed = { ...grant, expiresAt: Date.now() + 600_000 };
  GRANTS.grants.set(secret, renewed);
  for (let ms = 0; ms < 100_000; ms += RECHECK_MS) clock.pass(RECHECK_MS);
  const refused = await gateway.send(LOCKED, { headers: { cookie } });
  assert.equal(refused.code, "grant_invalid");
  socket.send("still there");
  const [echo] = await Promise.race([once(socket, "message"), closed]);
  assert.equal(String(echo), "still there");
  GRANTS.grants.delete(secret);
  clock.pass(RECHECK_MS);
  assert.equal((await closed)[0], 1008);
});

Deno.test("a public sandbox in a frame is shown on the frame's terms, and in a tab as to everybody", async () => {
  await using gateway = await startGateway(HTTPS);
  const host = await gateway.serve(app);
  const grant = framedGrant({ sandboxId: "demo", ports: [8000] });
  const cookie = await frameCookieOf(grant, { isHttps: true });
  for (let i = 0; i < 2; i++) { // known to be public, and not
    const framed = { ...frameOn(EMBEDDER), cookie };
    assert.deepEqual(
      told(await gateway.send(host, { headers: framed })),
      IN_FRAME,
    );
    const tab = { ...framed, "sec-fetch-dest": "document" };
    for (
      const headers of [
        tab,
        {},
        frameOn(EMBEDDER),
        { ...frameOn("https://evil.example"), cookie },
        { ...framed, cookie: "__Host-porthole-grant=forged" },
      ] as Record<string, string>[]
    ) {
      const answer = await gateway.send(host, { headers });
      assert.equal(answer.status, 200);
      assert.deepEqual(told(answer), AS_SENT);
    }
  }
});

/** The policies that these previews have, in a window and in a frame, as FRAME_ANCESTORS says. */
async function policiesOf(
  gateway: TestGateway,
  host: string,
): Promise<(string | null)[]> {
  const answers = [{}, frameOn(EMBEDDER)].map((headers) =>
    gateway.send(host, { headers })
  );
  return (await Promise.all(answers)).map((answer) =>
    told(answer).policy ?? null
  );
}

test("FRAME_ANCESTORS says who may frame public previews and signed links, and unset, anybody may", async (startGateway) => {
  const list = `https://a.example,${EMBEDDER}`;
  for (
    const [setting, expected] of [
      ["", null],
      ["none", "frame-ancestors 'self'"],
      [list, `frame-ancestors 'self' https://a.example ${EMBEDDER}`],
    ] as const
  ) {
    await using gateway = await startGateway({ FRAME_ANCESTORS: setting });
    for (const host of [DEMO, SIGNED]) {
      const policies = await policiesOf(gateway, host);
      assert.deepEqual(policies, [expected, expected], host);
    }
    const data = await gateway.send(DEMO, { path: "/bytes?size=1" });
    assert.equal(told(data).policy, null);
    // What a session opens is ALLOWED_ORIGINS' affair, and a program has no frames.
    const bearer = { authorization: `Bearer ${KEYS.user}` };
    const program = await gateway.send(LOCKED, { headers: bearer });
    assert.equal(told(program).policy, null);
  }
});

Deno.test("with FRAME_ANCESTORS, the sandbox's other ports may frame a public preview, and an app's own word stays", async () => {
  await using gateway = await startGateway({ FRAME_ANCESTORS: EMBEDDER });
  const own = frameOn(`http://5173-demo.${BASE}`);
  const framed = await gateway.send(DEMO, { headers: own });
  assert.equal(
    told(framed).policy,
    `frame-ancestors 'self' http://5173-demo.${BASE} ${EMBEDDER}`,
  );
  const listener: RequestListener = ({ url }, response) => {
    const name = url === "/csp" ? "content-security-policy" : "x-frame-options";
    const value = url === "/csp" ? "frame-ancestors 'none'" : "DENY";
    response.writeHead(200, { "content-type": "text/html", [name]: value });
    response.end();
  };
  const host = await gateway.serve(listener);
  const denied = await gateway.send(host);
  assert.deepEqual(
    [told(denied).policy, told(denied).options],
    [null, "DENY"],
  );
  const { policy } = told(await gateway.send(host, { path: "/csp" }));
  assert.equal(
    policy,
    `frame-ancestors 'none', frame-ancestors 'self' ${EMBEDDER}`,
  );
});

Deno.test("where caches in front keep public previews, FRAME_ANCESTORS says for all alike who may frame them", async () => {
  const env = { FRAME_ANCESTORS: EMBEDDER, EDGE_CACHE: "public" };
  await using gateway = await startGateway(env);
  const cookie = "porthole-framing-ports=8000";
  const own = { ...frameOn(`http://5173-demo.${BASE}`), cookie };
  const framed = await gateway.send(DEMO, { headers: own });
  assert.equal(told(framed).policy, `frame-ancestors 'self' ${EMBEDDER}`);
  assert.equal(framed.headers.get("set-cookie"), null);
});

test("without a frame's session and FRAME_ANCESTORS, an app's headers are what they are", async (startGateway) => {
  await using gateway = await startGateway(HTTPS);
  const pages = [
    [await gateway.serve(app), {}],
    [
      await gateway.serve(app, "locked"),
      { "x-daytona-preview-token": KEYS.lockedToken },
    ],
  ] as const;
  for (const [host, credential] of pages) {
    const stored = { "if-none-match": '"v1"' };
    for (const [asked, status] of [[{}, 200], [stored, 304]] as const) {
      for (const headers of [frameOn(EMBEDDER), WITHIN]) {
        const answer = await gateway.send(host, {
          headers: { ...headers, ...asked, ...credential },
        });
        assert.equal(answer.status, status);
        assert.deepEqual(told(answer), AS_SENT);
      }
    }
  }
});
