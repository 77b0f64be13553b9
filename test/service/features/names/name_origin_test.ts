/** A name is the origin of its port, to the app and to browsers; tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { BASE, LOCKED } from "../../../support/gateway.ts";
import {
  frameCookieOf,
  grantOf,
  SESSION_SECRETS,
  withGrants,
} from "../../../support/grants.ts";
import {
  accepted,
  addressIn,
  APP,
  forwardedHostIn,
  handshake,
  LOCAL,
  OWN,
  request,
  response,
  valueOf,
  withApp,
} from "../../told_app.ts";
import {
  CUSTOM,
  OTHER,
  PANEL,
  SAFE,
  SHOP,
  STORE,
  testLoginsWithNames,
  testWithNames as test,
} from "./named_gateway.ts";

const GRANTS = withGrants();

const AT = { host: SHOP };
const ORIGIN = `http://${SHOP}`;

const EMBEDDER = "https://product.example";

/** What a browser sends to load a frame on a page. */
function frameOn(origin: string): Record<string, string> {
  return {
    accept: "text/html",
    referer: `${origin}/`,
    "sec-fetch-site": "same-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "iframe",
  };
}

test("an app is told the name as its address, and what its pages there ask for is its own", async (start) => {
  await withApp(
    start,
    (seen) => seen.headers.has("upgrade") ? accepted(seen) : response(204),
    async (
      gateway,
      seen,
    ) => {
      const headers = { origin: ORIGIN, referer: `${ORIGIN}/a?b` };
      for (const method of ["GET", "HEAD", "POST", "DELETE"]) {
        await request(gateway, method, headers, AT);
      }
      const [get, head, ...others] = seen.map(addressIn);
      const withoutOrigin = [undefined, `${ORIGIN}/a?b`, SHOP, "http"];
      assert.deepEqual([get, head], [withoutOrigin, withoutOrigin]);
      for (const other of others) {
        assert.deepEqual(other, [ORIGIN, `${ORIGIN}/a?b`, SHOP, "http"]);
      }
      seen.length = 0;
      const { status } = await handshake(gateway, { origin: ORIGIN }, AT);
      assert.equal(status, 101);
      assert.deepEqual(seen.map(addressIn), [[
        LOCAL,
        undefined,
        undefined,
        undefined,
      ]]);
    },
  );
});

test("with APP_ORIGIN=local, requests of the app's pages at the name say localhost alone", async (start) => {
  await withApp(start, () => response(204), async (gateway, seen) => {
    for (const method of ["GET", "POST"]) {
      await request(gateway, method, { origin: ORIGIN }, AT);
    }
    const local = [LOCAL, undefined, undefined, undefined];
    assert.deepEqual(seen.map(addressIn), [local, local]);
  }, { APP_ORIGIN: "local" });
});

test("the origins of the same port's other hosts reach the app as they came, and so does the name's at its preview host", async (start) => {
  await withApp(start, () => response(204), async (gateway, seen) => {
    const cases = [
      [SHOP, OWN],
      [SHOP, `http://${STORE}`],
      [SHOP, `${ORIGIN}:8443`],
      [APP, ORIGIN],
    ] as const;
    for (const [host, origin] of cases) {
      await request(gateway, "GET", { origin }, { host });
    }
    assert.deepEqual(
      seen.map(addressIn),
      cases.map(([host, origin]) => [origin, undefined, host, "http"]),
    );
  });
});

test("an app that answers 403 to its preview host is told of localhost there, and of its name where it knows that", async (start) => {
  await withApp(start, (seen) => {
    const host = forwardedHostIn(seen);
    return response(host === undefined || host === SHOP ? 204 : 403);
  }, async (gateway, seen) => {
    for (
      const [host, ...told] of [
        [APP, APP, undefined],
        [SHOP, SHOP],
        [APP, undefined],
        [STORE, STORE, undefined],
        [SHOP, SHOP],
      ] as const
    ) {
      seen.length = 0;
      const { status } = await request(gateway, "GET", {}, { host });
      assert.equal(status, 204, host);
      assert.deepEqual(seen.map(forwardedHostIn), told, host);
    }
  });
});

test("a redirect to the app's own address leads to the name, and one to another of its ports to the preview host of that", async (start) => {
  let location = "";
  await withApp(
    start,
    () => response(302, `Location: ${location}`),
    async (gateway) => {
      for (const port of ["", ":8443"]) {
        for (
          const [given, expected] of [
            [`${LOCAL}/a?b#c`, `${ORIGIN}${port}/a?b#c`],
            ["http://127.0.0.1:8000", `${ORIGIN}${port}`],
            [
              "http://localhost:5173/a",
              `http://5173-demo.${BASE}${port}/a`,
            ],
            ["http://localhost:3000/", `http://3000-demo.${BASE}${port}/`],
            ["/a", "/a"],
            [`${OWN}/a`, `${OWN}/a`],
            ["https://elsewhere.example/", "https://elsewhere.example/"],
          ] as const
        ) {
          location = given;
          const host = `${SHOP}${port}`;
          const answer = await request(gateway, "GET", {}, { host });
          assert.equal(valueOf(answer, "location"), expected, given);
        }
      }
    },
  );
});

test("hosts of one sandbox may read each other with credentials, names and preview hosts alike, and no other sandbox's may", async (start) => {
  await withApp(start, () => response(204), async (gateway) => {
    const token = { "x-daytona-preview-token": KEYS.lockedToken };
    async function allowed(host: string, origin: string, headers = {}) {
      const sent = { origin, ...headers };
      const answer = await request(gateway, "GET", sent, { host });
      assert.equal(valueOf(answer, "access-control-allow-origin"), origin);
      return valueOf(answer, "access-control-allow-credentials") === "true";
    }
    const demo = [SHOP, STORE, CUSTOM, PANEL, APP, `5173-demo.${BASE}`];
    const locked = [OTHER, SAFE, `8000-locked.${BASE}`, LOCKED];
    for (const host of [SHOP, CUSTOM, APP]) {
      for (const own of demo) assert(await allowed(host, `http://${own}`), own);
      for (
        const foreign of [
          ...locked.map((each) => `http://${each}`),
          `http://${BASE}`,
          `http://customer.example`,
          `${ORIGIN}:1`,
          `${ORIGIN}.`,
          `https://${SHOP}`,
          `http://x.${SHOP}`,
          "null",
        ]
      ) assert(!await allowed(host, foreign), `${foreign} at ${host}`);
    }
    for (const host of [OTHER, `8000-locked.${BASE}`]) {
      for (const own of locked) {
        assert(await allowed(host, `http://${own}`, token), own);
      }
      for (const foreign of demo) {
        assert(!await allowed(host, `http://${foreign}`, token), foreign);
      }
    }
  });
});

test("another sandbox's page at a name uses no session of a name, by a fetch, a frame or a WebSocket", async (start) => {
  await withApp(start, () => response(204), async (gateway) => {
    const path = `/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`;
    const window = { accept: "text/html", "sec-fetch-mode": "navigate" };
    const link = await request(gateway, "GET", window, { host: OTHER, path });
    const [cookie = ""] = valueOf(link, "set-cookie")?.split(";") ?? [];
    assert.match(cookie, /^porthole-session=/);
    const at = { host: OTHER };
    const fetches = { "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" };
    for (
      const [host, status] of [[OTHER, 204], [SAFE, 204], [SHOP, 401]] as const
    ) {
      const origin = `http://${host}`;
      for (
        const headers of [{ origin, ...fetches }, { referer: `${origin}/` }]
      ) {
        const sent = { ...headers, cookie };
        const answer = await request(gateway, "GET", sent, at);
        assert.equal(answer.status, status, origin);
      }
      const frame = { ...frameOn(origin), cookie };
      const framed = await request(gateway, "GET", frame, at);
      assert.equal(framed.status, status, origin);
      const socket = await handshake(gateway, { origin, cookie }, at);
      assert.equal(socket.status, status, origin);
    }
  });
});

test("an app's cookie is for the name and what is below it, and for no domain above it", async (start) => {
  let domain = "";
  await withApp(
    start,
    () => response(200, `Set-Cookie: a=1; Domain=${domain}; Path=/`),
    async (gateway) => {
      for (
        const [host, above] of [
          [SHOP, BASE],
          [CUSTOM, "customer.example"],
        ] as const
      ) {
        const wide = [above, `.${above}`, above.toUpperCase(), `${above}.`];
        const parent = above.slice(above.indexOf(".") + 1);
        for (domain of [...wide, parent, "localhost"]) {
          const answer = await request(gateway, "GET", {}, { host });
          assert.equal(valueOf(answer, "set-cookie"), "a=1; Path=/", domain);
        }
        for (domain of [host, `.${host}`, `x.${host}`]) {
          const answer = await request(gateway, "GET", {}, { host });
          const line = `a=1; Domain=${domain}; Path=/`;
          assert.equal(valueOf(answer, "set-cookie"), line);
        }
      }
    },
  );
});

test("S4: pages of the sandbox's names may frame its ports, and its other ports a name, where others may not", async (start) => {
  const page = response(200, "Content-Type: text/html");
  await withApp(start, () => page, async (gateway) => {
    const names = [SHOP, STORE, CUSTOM].map((name) => `http://${name}`);
    for (
      const [host, framer, ...expected] of [
        [
          SHOP,
          `http://${PANEL}`,
          `http://5173-demo.${BASE}`,
          `http://${PANEL}`,
        ],
        [SHOP, OWN, OWN, ...names],
        [APP, ORIGIN, OWN, ...names],
        [CUSTOM, ORIGIN, OWN, ...names],
        [SHOP, ORIGIN],
        [SHOP, `http://${OTHER}`],
        [APP, `http://${SAFE}`],
        [SHOP, EMBEDDER],
      ] as const
    ) {
      const answer = await request(gateway, "GET", frameOn(framer), { host });
      assert.equal(
        valueOf(answer, "content-security-policy"),
        ["frame-ancestors 'self'", ...expected].join(" "),
        `${framer} frames ${host}`,
      );
    }
  }, { FRAME_ANCESTORS: "none" });
});

test("a grant's frame opens at a name as at the preview host, for the pages that it names", async (start) => {
  const page = response(200, "Content-Type: text/html");
  await withApp(start, () => page, async (gateway) => {
    const grant = grantOf({
      id: crypto.randomUUID(),
      ports: [8000],
      expiresAt: Date.now() + 600_000,
      frame: {
        ancestors: [EMBEDDER],
        frame: "replace",
        cookies: "partition",
        isolate: null,
        bridge: [],
      },
    });
    GRANTS.grants.set(`tg_${grant.id}`, grant);
    const atName = await frameCookieOf(grant, { name: OTHER });
    const ask = (host: string, origin: string, cookie = atName) =>
      request(gateway, "GET", { ...frameOn(origin), cookie }, { host });
    const framed = await ask(OTHER, EMBEDDER);
    assert.equal(framed.status, 200);
    assert.equal(
      valueOf(framed, "content-security-policy"),
      `frame-ancestors 'self' ${EMBEDDER}`,
    );
    assert.equal((await ask(OTHER, "https://evil.example")).status, 401);
    assert.equal((await ask(SAFE, EMBEDDER)).status, 401); // another port's
    const preview = `8000-locked.${BASE}`;
    assert.equal((await ask(preview, EMBEDDER)).status, 401);
    const atPreview = await frameCookieOf(grant);
    assert.equal((await ask(preview, EMBEDDER, atPreview)).status, 200);
    assert.equal((await ask(OTHER, EMBEDDER, atPreview)).status, 401);
  }, { SESSION_SECRETS });
});

test("a link with a preview token at a name becomes a session of that name, whose cookie no other host gets", async (start) => {
  await using gateway = await start();
  const headers = { accept: "text/html", "sec-fetch-mode": "navigate" };
  const path = `/echo?a=1&DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`;
  const opened = await gateway.send(SAFE, { path, headers });
  assert.equal(opened.status, 303);
  assert.equal(opened.headers.get("location"), `http://${SAFE}/echo?a=1`);
  const [line = ""] = opened.headers.getSetCookie();
  assert.match(line, /^porthole-session=/);
  assert.doesNotMatch(line, /domain=/i);
  const [cookie = ""] = line.split(";");
  const page = await gateway.send(SAFE, {
    path: "/echo",
    headers: { ...headers, cookie },
  });
  assert.equal(page.status, 200);
  assert.equal(page.echoed().get("cookie"), undefined);
});

test("a name is asked for in any case, with a trailing dot or its scheme's port, and nothing around it is one", async (start) => {
  await using gateway = await start();
  await gateway.serve((_, response) => response.end("the app"));
  for (
    const host of [
      SHOP,
      SHOP.toUpperCase(),
      `${SHOP}.`,
      `${SHOP}:80`,
      `${SHOP}:8443`,
      CUSTOM,
      "App.Customer.Example.:80",
    ]
  ) {
    const { status, body } = await gateway.send(host);
    assert.deepEqual([status, body], [200, "the app"], host);
  }
  for (
    const [host, status, code] of [
      [`x.${SHOP}`, 400, "bad_host"],
      [`x${SHOP}`, 400, "bad_host"],
      [`${SHOP}..`, 400, "bad_host"],
      ["customer.example", 404, "route_not_found"],
      [`x.${CUSTOM}`, 404, "route_not_found"],
    ] as const
  ) {
    const answer = await gateway.send(host);
    assert.deepEqual([answer.status, answer.code], [status, code], host);
  }
});

test("the warning names the name, and is accepted for that host only", async (start) => {
  await using gateway = await start({ PREVIEW_WARNING_ENABLED: "true" });
  await gateway.serve((_, response) => response.end("the app"));
  const navigation = {
    accept: "text/html",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "none",
  };
  const warned = await gateway.send(SHOP, { headers: navigation });
  assert.equal(warned.headers.get("x-porthole-warning"), "1");
  assert(warned.body.includes(`<p class="host">${SHOP}</p>`));
  assert.doesNotMatch(warned.body, /8000-demo/);
  const acceptance = await gateway.send(SHOP, {
    method: "POST",
    path: "/accept-daytona-preview-warning?redirect=/",
    headers: { "sec-fetch-site": "same-origin", "content-length": "0" },
  });
  assert.equal(acceptance.headers.get("location"), `${ORIGIN}/`);
  const [line = ""] = acceptance.headers.getSetCookie();
  assert.doesNotMatch(line, /domain=/i);
  const headers = { ...navigation, cookie: line.split(";")[0] ?? "" };
  assert.equal((await gateway.send(SHOP, { headers })).body, "the app");
  const other = await gateway.send(OTHER, { headers });
  assert.equal(other.headers.get("x-porthole-warning"), "1");
});

testLoginsWithNames(
  "a login at the sandbox's preview hosts, whose cookie browsers send to its name as well, does not open that",
  async (start) => {
    await using gateway = await start();
    const browser = gateway.browser();
    const preview = gateway.at("3000-locked", "/echo");
    const { page } = await browser.openAs("alice", preview);
    assert.equal(page.status, 200);
    const named = gateway.at("safe", "/echo");
    const sent = browser.cookieAt(named);
    const [, sealed = ""] = /porthole-login-[^=]+=([^;]+)/.exec(sent) ?? [];
    assert.notEqual(sealed, "");
    // Nor does it under the name that the host's own session has.
    for (const cookie of [sent, `porthole-host-session=${sealed}`]) {
      const { host } = new URL(named);
      const headers = { cookie, "sec-fetch-mode": "navigate" };
      const answer = await gateway.send(host, { path: "/echo", headers });
      assert.equal(answer.status, 302);
      const location = answer.headers.get("location") ?? "";
      assert(location.startsWith(gateway.at("", "/login?return_to=")));
    }
    const { page: other } = await browser.open(preview, { follow: false });
    assert.equal(other.status, 200);
  },
);
