/** The isolation of sandboxes from each other, and from strangers, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { KEEP_FRAGMENT } from "../../src/pages/fragment.ts";
import { RELOAD } from "../../src/pages/reload.ts";
import { WAIT } from "../../src/pages/waiting.ts";
import { HANDSHAKE } from "../conformance/ws.ts";
import {
  type Answer,
  BASE,
  DEMO,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../support/gateway.ts";
import {
  type LoginGateway,
  startLoginGateway,
} from "../support/login_gateway.ts";
import { exchangeRaw } from "../support/raw_client.ts";
import { type StartGateway, WORLDS } from "../support/worlds.ts";

/** A gateway in which alice is logged in to `locked`; `cookie` is that of her login, `sealed` its value. */
type LoggedIn = LoginGateway & {
  readonly cookie: string;
  readonly sealed: string;
};

async function logIn(gateway: LoginGateway): Promise<LoggedIn> {
  const browser = gateway.browser();
  const { page } = await browser.openAs("alice", `http://${LOCKED}/echo`);
  assert.equal(page.status, 200);
  const { name, value } =
    browser.jar.cookies.find(({ name }) =>
      name.startsWith("porthole-login-")
    ) ?? assert.fail("no login");
  return { ...gateway, cookie: `${name}=${value}`, sealed: value };
}

/** What a test starts in the world that it runs in. */
interface Start {
  readonly startGateway: StartGateway;
  withLogin(environment?: Record<string, string>): Promise<LoggedIn>;
  readonly test: Deno.TestContext;
}

/** Defines a test for both worlds. */
function test(name: string, body: (start: Start) => Promise<void>): void {
  for (const { suffix, startGateway, startLoginGateway } of WORLDS) {
    Deno.test(name + suffix, (test) =>
      body({
        startGateway,
        withLogin: async (environment = {}) =>
          await logIn(await startLoginGateway(environment)),
        test,
      }));
  }
}

/** Sends a head of exactly these lines, and returns the response as text. */
async function sendRaw(
  gateway: TestGateway,
  lines: readonly string[],
): Promise<string> {
  const head = [...lines, "Connection: close", "", ""].join("\r\n");
  return await exchangeRaw(await gateway.connect(), head);
}

/** The status of the response to a WebSocket handshake; the WebSocket is not used. */
async function upgrade(
  gateway: TestGateway,
  host: string,
  headers: Record<string, string>,
): Promise<number> {
  const fields = Object.entries(headers).map((field) => field.join(": "));
  using stream = await gateway.open(
    ["GET /ws HTTP/1.1", `Host: ${host}`, ...HANDSHAKE, ...fields, "", ""]
      .join("\r\n"),
  );
  const line = await stream.readUntil("\r\n");
  return Number(line.split(" ")[1]);
}

/** Fields that a browser sends to load a frame of a page. */
function frameOf(
  referer: string,
  site: "same-origin" | "same-site" | "cross-site",
): Record<string, string> {
  return {
    accept: "text/html",
    referer,
    "sec-fetch-site": site,
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "iframe",
  };
}

/** Fields that a browser sends for a page of another sandbox. */
const FROM_SIBLING: Readonly<
  Record<
    string,
    { method?: string; headers: Record<string, string>; code?: string }
  >
> = {
  "a fetch": {
    headers: {
      "origin": `http://${DEMO}`,
      "sec-fetch-site": "same-site",
      "sec-fetch-mode": "cors",
      "sec-fetch-dest": "empty",
    },
  },
  "a fetch without CORS": {
    headers: {
      "referer": `http://${DEMO}/`,
      "sec-fetch-site": "same-site",
      "sec-fetch-mode": "no-cors",
      "sec-fetch-dest": "empty",
    },
  },
  "an image without a Referer": {
    headers: {
      "sec-fetch-site": "same-site",
      "sec-fetch-mode": "no-cors",
      "sec-fetch-dest": "image",
    },
  },
  "a script over plain http": { headers: { referer: `http://${DEMO}/` } },
  "a simple POST": {
    method: "POST",
    headers: {
      "content-type": "text/plain",
      "origin": `http://${DEMO}`,
      "sec-fetch-site": "same-site",
      "sec-fetch-mode": "no-cors",
    },
  },
  "a POST over plain http": {
    method: "POST",
    headers: { "content-type": "text/plain", "origin": `http://${DEMO}` },
  },
  "a form": {
    method: "POST",
    headers: {
      "accept": "text/html",
      "content-type": "application/x-www-form-urlencoded",
      "origin": `http://${DEMO}`,
      "sec-fetch-site": "same-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    },
  },
  "a form that hides where it is from": {
    method: "POST",
    headers: {
      "accept": "text/html",
      "content-type": "application/x-www-form-urlencoded",
      "origin": "null",
      "sec-fetch-site": "same-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    },
  },
  "a DELETE": {
    method: "DELETE",
    headers: { "origin": `http://${DEMO}`, "sec-fetch-site": "same-site" },
  },
  "an event stream": {
    headers: {
      "accept": "text/event-stream",
      "origin": `http://${DEMO}`,
      "sec-fetch-site": "same-site",
      "sec-fetch-mode": "cors",
    },
  },
  "S4: a frame": {
    code: "frame_refused",
    headers: {
      "accept": "text/html",
      "referer": `http://${DEMO}/`,
      "sec-fetch-site": "same-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "iframe",
    },
  },
  "S4: a frame without a Referer": {
    code: "frame_refused",
    headers: {
      "accept": "text/html",
      "sec-fetch-site": "same-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "iframe",
    },
  },
  "S4: an object": {
    code: "frame_refused",
    headers: {
      "accept": "text/html",
      "referer": `http://${DEMO}/`,
      "sec-fetch-site": "same-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "object",
    },
  },
  "another scheme's page of the same name": {
    headers: { "origin": `https://${LOCKED}`, "sec-fetch-site": "cross-site" },
  },
  "another service's page on the same machine": {
    headers: {
      "origin": `http://${LOCKED}:8080`,
      "sec-fetch-site": "same-site",
    },
  },
};

/** What an app is told of its address must not change what opens it: that goes by the Origin that came. */
for (const mode of ["auto", "local", "pass"]) {
  test(`another sandbox's page neither reads nor writes on a visitor's login, with APP_ORIGIN=${mode}`, async ({ withLogin, test: t }) => {
    await using gateway = await withLogin({ APP_ORIGIN: mode });
    const { seen } = gateway.stack.runner;
    for (
      const [name, { method = "GET", headers, code }] of Object.entries(
        FROM_SIBLING,
      )
    ) {
      await t.step(name, async () => {
        const before = seen.length;
        const answer = await gateway.send(LOCKED, {
          method,
          path: "/echo",
          headers: { ...headers, cookie: gateway.cookie },
        });
        assert.equal(answer.status, 401);
        assert.equal(answer.code, code ?? "login_required");
        assert.equal(
          answer.headers.get("access-control-allow-credentials"),
          null,
        );
        assert.equal(seen.length, before);
      });
    }
    await t.step("but another port of the same sandbox does both", async () => {
      const origin = `http://5173-locked.${BASE}`;
      const answer = await gateway.send(LOCKED, {
        method: "POST",
        path: "/echo",
        headers: {
          cookie: gateway.cookie,
          origin,
          "sec-fetch-site": "same-site",
        },
      });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("access-control-allow-origin"), origin);
      assert.equal(
        answer.headers.get("access-control-allow-credentials"),
        "true",
      );
    });
  });

  test(`another sandbox's page opens no WebSocket on a visitor's login, Daytona's ports least of all, with APP_ORIGIN=${mode}`, async ({ withLogin }) => {
    await using gateway = await withLogin({ APP_ORIGIN: mode });
    const { cookie } = gateway;
    for (const port of [3000, 2280, 22222, 33333]) {
      const host = `${port}-locked.${BASE}`;
      for (const origin of [`http://${DEMO}`, "https://evil.test", "null"]) {
        assert.equal(
          await upgrade(gateway, host, { cookie, origin }),
          401,
          host,
        );
      }
    }
    const origin = `http://8080-locked.${BASE}`;
    assert.equal(await upgrade(gateway, LOCKED, { cookie, origin }), 101);
  });
}

test("S4: pages of the same sandbox and of ALLOWED_ORIGINS frame a preview on a visitor's login", async ({ withLogin }) => {
  await using gateway = await withLogin({
    ALLOWED_ORIGINS: "https://chat.example",
  });
  for (
    const [referer, site] of [
      [`http://5173-locked.${BASE}/`, "same-site"],
      [`http://${LOCKED}/a`, "same-origin"],
      ["https://chat.example/", "cross-site"],
    ] as const
  ) {
    const answer = await gateway.send(LOCKED, {
      path: "/echo",
      headers: { ...frameOf(referer, site), cookie: gateway.cookie },
    });
    assert.equal(answer.status, 200, referer);
  }
});

test("S4: what a session opens says who may frame it, beside the app's own policy; what needs none does not", async ({ withLogin }) => {
  await using gateway = await withLogin({
    ALLOWED_ORIGINS: "https://chat.example",
  });
  const { cookie } = gateway;
  const host = await gateway.serve((_, response) => {
    response.setHeader("content-type", "text/html");
    response.setHeader("content-security-policy", "default-src 'self'").end();
  }, "locked");
  const from = `http://5173-locked.${BASE}`;
  const framed = await gateway.send(host, {
    headers: { ...frameOf(`${from}/`, "same-site"), cookie },
  });
  assert.equal(
    framed.headers.get("content-security-policy"),
    `default-src 'self', frame-ancestors 'self' ${from} https://chat.example`,
  );
  const [remembered = ""] = framed.headers.getSetCookie()[0]?.split(";") ?? [];
  assert.equal(remembered, "porthole-framing-ports=5173");
  const inFrame = await gateway.send(host, {
    headers: {
      ...frameOf(`http://${host}/`, "same-origin"),
      cookie: `${cookie}; ${remembered}`,
    },
  });
  assert.equal(
    inFrame.headers.get("content-security-policy"),
    framed.headers.get("content-security-policy"),
  );
  assert.deepEqual(inFrame.headers.getSetCookie(), []);
  const byToken = await gateway.send(host, {
    headers: { "x-daytona-preview-token": KEYS.lockedToken },
  });
  assert.equal(
    byToken.headers.get("content-security-policy"),
    "default-src 'self'",
  );
});

test("S4: while an app still boots, its frame on another port is remembered, as the page there reloads by itself", async ({ withLogin }) => {
  await using gateway = await withLogin();
  const { cookie } = gateway;
  const headers = {
    ...frameOf(`http://5173-locked.${BASE}/`, "same-site"),
    cookie,
  };
  const { containers } = gateway.stack.runner;
  containers.get("locked")?.ports.set(4444, 1); // nothing listens there
  const booting = await gateway.send(`4444-locked.${BASE}`, { headers });
  assert.equal(booting.code, "port_closed");
  const [line = "", ...more] = booting.headers.getSetCookie();
  assert.match(line, /^porthole-framing-ports=5173; Path=\/;/);
  assert.deepEqual(more, []);
  const elsewhere = await gateway.send(`4444-locked.${BASE}`, {
    headers: { ...frameOf(`http://${DEMO}/`, "same-site"), cookie },
  });
  assert.deepEqual(elsewhere.headers.getSetCookie(), []);
});

test("S4: a frame leads to no login, not even a frame of the login itself", async ({ withLogin }) => {
  await using gateway = await withLogin();
  for (const referer of [`http://${DEMO}/`, `http://5173-locked.${BASE}/`]) {
    const headers = frameOf(referer, "same-site");
    const answer = await gateway.send(LOCKED, { path: "/a?b", headers });
    assert.equal(answer.status, 401);
    assert.equal(answer.code, "frame_refused");
    assert.equal(
      answer.headers.get("www-authenticate"),
      'Bearer realm="preview"',
    );
    assert.match(answer.body, /target="_blank"/);
    const login = await gateway.send(BASE, {
      path: `/login?return_to=${encodeURIComponent(`http://${LOCKED}/`)}`,
      headers: { ...headers, cookie: gateway.cookie },
    });
    assert.equal(login.status, 403);
    assert.equal(login.code, "cross_site_request");
  }
});

test("S4: a link with a preview token opens in a frame of an allowed page, which the next request still names", async ({ startGateway }) => {
  await using gateway = await startGateway({
    ALLOWED_ORIGINS: "https://chat.example",
  });
  const path = `/echo?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`;
  const headers = frameOf("https://chat.example/", "cross-site");
  const first = await gateway.send(LOCKED, { path, headers });
  assert.equal(first.status, 303);
  assert.equal(first.headers.get("referrer-policy"), "strict-origin");
  const [cookie = ""] = first.headers.getSetCookie()[0]?.split(";") ?? [];
  const next = await gateway.send(LOCKED, {
    path: "/echo",
    headers: { ...headers, cookie },
  });
  assert.equal(next.status, 200);
  const elsewhere = await gateway.send(LOCKED, {
    path: "/echo",
    headers: { ...frameOf("https://evil.example/", "cross-site"), cookie },
  });
  assert.equal(elsewhere.code, "frame_refused");
});

test("S14: no other port of the sandbox opens a WebSocket to Daytona's ports on a visitor's login", async ({ withLogin }) => {
  await using gateway = await withLogin({
    ALLOWED_ORIGINS: "https://dashboard.example",
  });
  const { cookie } = gateway;
  const { ports } = gateway.stack.runner.containers.get("locked") ??
    assert.fail("no such container");
  const app = ports.get(3000) ?? assert.fail("no such app");
  for (const port of [2280, 22222, 33333]) {
    ports.set(port, app);
    const host = `${port}-locked.${BASE}`;
    for (const origin of [`http://${LOCKED}`, `http://8080-locked.${BASE}`]) {
      assert.equal(await upgrade(gateway, host, { cookie, origin }), 401, host);
    }
    for (const origin of [`http://${host}`, "https://dashboard.example"]) {
      assert.equal(await upgrade(gateway, host, { cookie, origin }), 101, host);
    }
  }
});

test("a login's cookie reaches no app: at any position, in any field line, over HTTP and WebSocket", async ({ withLogin }) => {
  await using gateway = await withLogin();
  const { cookie, sealed } = gateway;
  const { seen } = gateway.stack.runner;
  for (const position of [0, 1, 2, 3]) {
    const pairs = ["a=1", "b=2", "b=2"];
    pairs.splice(position, 0, cookie);
    for (const separator of ["; ", ";"]) {
      await gateway.send(DEMO, {
        path: "/echo",
        headers: { cookie: pairs.join(separator) },
      });
      const fields = new Map(seen.at(-1)?.headers);
      assert.equal(fields.get("cookie"), `a=1${separator}b=2${separator}b=2`);
    }
  }
  await sendRaw(gateway, [
    "GET /echo HTTP/1.1",
    `Host: ${DEMO}`,
    "Cookie: a=1",
    `Cookie: ${cookie}`,
    `cookie: ${cookie}; b=2`,
  ]);
  assert.equal(new Map(seen.at(-1)?.headers).get("cookie"), "a=1; b=2");
  assert.equal(await upgrade(gateway, DEMO, { cookie: `${cookie}; c=3` }), 101);
  assert.equal(new Map(seen.at(-1)?.headers).get("cookie"), "c=3");
  assert(!JSON.stringify(seen).includes(sealed));
});

test("a session is worth nothing for another sandbox, whatever name its cookie is given", async ({ withLogin }) => {
  await using gateway = await withLogin();
  const { cookie, sealed } = gateway;
  const stopped = await gateway.send(`22222-stopped.${BASE}`, {
    headers: { cookie: `${cookie}; porthole-session=${sealed}` },
  });
  assert.equal(stopped.code, "login_required");
  const linked = await gateway.send(`22222-${KEYS.signedToken}.${BASE}`, {
    headers: { cookie: `porthole-session=${sealed}` },
  });
  assert.equal(linked.code, "signed_token_invalid");
});

test("cookies planted under our names open nothing and hide no login", async ({ withLogin }) => {
  await using gateway = await withLogin();
  const { cookie, sealed } = gateway;
  const name = cookie.slice(0, cookie.indexOf("="));
  const planted = [
    ...Array.from({ length: 7 }, (_, i) => `porthole-session=planted-${i}`),
    ...Array.from({ length: 7 }, (_, i) => `${name}=${sealed}${i}`),
  ];
  const alone = await gateway.send(LOCKED, {
    path: "/echo",
    headers: { cookie: planted.join("; ") },
  });
  assert.equal(alone.code, "login_required");
  const beside = await gateway.send(LOCKED, {
    path: "/echo",
    headers: { cookie: [...planted, cookie].join("; ") },
  });
  assert.equal(beside.status, 200);
});

test("an app sets no cookie under our names, and none for other sandboxes", async ({ startGateway }) => {
  await using gateway = await startGateway();
  const lines = [
    "porthole-login-abc=x; Domain=proxy.localhost; Path=/",
    "__Secure-porthole-login-abc=; Max-Age=0",
    "daytona-sandbox-auth-locked=x",
    "own=1; Path=/; HttpOnly",
    "wide=1; Domain=.Proxy.Localhost; Path=/",
  ];
  const host = await gateway.serve((_, response) => {
    response.setHeader("set-cookie", lines).end();
  });
  const answer = await gateway.send(host);
  assert.deepEqual(answer.headers.getSetCookie(), [
    "own=1; Path=/; HttpOnly",
    "wide=1; Path=/",
  ]);
});

test("a login returns to the configured domain, whatever host a client claims", async ({ withLogin }) => {
  await using gateway = await withLogin();
  const path = `/login?return_to=${encodeURIComponent(`http://${LOCKED}/`)}`;
  const answer = await gateway.send(BASE, {
    path,
    headers: {
      "x-forwarded-host": "evil.test",
      "forwarded": "host=evil.test",
      "x-forwarded-proto": "https",
    },
  });
  const location = new URL(answer.headers.get("location") ?? "");
  assert.equal(
    location.searchParams.get("redirect_uri"),
    `http://${BASE}/callback`,
  );
  const foreignHosts = [
    ["3000-locked.evil.test", "unknown_domain"],
    ["evil.test", "route_not_found"],
    [`x${BASE}`, "route_not_found"],
  ] as const;
  for (const [host, code] of foreignHosts) {
    const foreign = await gateway.send(host, {
      path,
      headers: { accept: "text/html" },
    });
    assert.equal(foreign.code, code, host);
    assert.equal(foreign.headers.get("location"), null);
  }
});

Deno.test("a client that invents addresses is still one client, to the throttle and to the API", async () => {
  await using gateway = await startGateway({ REFUSALS_PER_MINUTE: "3" });
  let answer: Answer;
  let tries = 0;
  do {
    answer = await gateway.send(LOCKED, {
      headers: {
        "authorization": `Bearer guess-${tries}`,
        "x-forwarded-for": `203.0.113.${tries}`,
        "x-real-ip": `203.0.113.${tries}`,
        "forwarded": `for=203.0.113.${tries}`,
      },
    });
  } while (answer.status === 401 && ++tries < 20);
  assert.equal(answer.code, "too_many_refusals");
  const told = gateway.stack.api.calls
    .filter(({ operation }) => operation === "hasSandboxAccess")
    .map(({ headers }) => headers.get("x-forwarded-for"));
  assert.deepEqual(new Set(told), new Set(["127.0.0.1"]));
});

test("an app's own bearer token causes no API call if a session admits the request", async ({ withLogin }) => {
  await using gateway = await withLogin();
  const before = gateway.stack.api.count("hasSandboxAccess");
  for (let i = 0; i < 5; i++) {
    const answer = await gateway.send(LOCKED, {
      path: "/echo",
      headers: { cookie: gateway.cookie, authorization: `Bearer app-${i}` },
    });
    assert.match(answer.body, new RegExp(`Bearer app-${i}`));
  }
  const { calls } = gateway.stack.api;
  assert(
    !JSON.stringify(calls.map(({ headers }) => [...headers]))
      .includes("Bearer app-"),
  );
  // The session itself may be checked with the API, by the user's token.
  assert(gateway.stack.api.count("hasSandboxAccess") <= before + 1);
});

test("the gateway's own answers are not cached, and send no Referer on", async ({ withLogin }) => {
  await using gateway = await withLogin();
  const navigation = { accept: "text/html", "sec-fetch-mode": "navigate" };
  const login = `/login?return_to=${encodeURIComponent(`http://${LOCKED}/`)}`;
  for (
    const [host, path, headers, status] of [
      [LOCKED, "/", {}, 401],
      [LOCKED, "/", navigation, 302],
      [
        LOCKED,
        `/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
        navigation,
        303,
      ],
      [`02280-demo.${BASE}`, "/", navigation, 400],
      [`3001-${KEYS.signedToken}.${BASE}`, "/", navigation, 401],
      [`3000-stopped.${BASE}`, "/", {}, 503],
      [BASE, login, navigation, 302],
      [BASE, "/callback?state=x&code=y", navigation, 400],
      [BASE, "/nothing", {}, 404],
    ] as const
  ) {
    const answer = await gateway.send(host, { path, headers });
    assert.equal(answer.status, status, host + path);
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.equal(answer.headers.get("referrer-policy"), "no-referrer");
    const vary = answer.headers.get("vary") ?? "";
    for (const name of ["Cookie", "Origin", "Authorization"]) {
      assert.match(vary, new RegExp(`\\b${name}\\b`), host + path);
    }
  }
});

test("the redirect that removes a preview token from an address stays on its host", async ({ startGateway }) => {
  await using gateway = await startGateway();
  for (
    const path of [
      "//evil.test/",
      "/\\evil.test/",
      "/%5cevil.test/",
      "/@evil.test/",
      "/%09//evil.test/",
      "/.evil.test/",
      "/x:y@evil.test",
      "/javascript:alert(1)",
    ]
  ) {
    const answer = await gateway.send(LOCKED, {
      path: `${path}?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
    });
    assert.equal(answer.status, 303);
    const location = answer.headers.get("location") ?? "";
    assert.equal(location, `http://${LOCKED}${path}`);
    assert.equal(new URL(location).host, LOCKED);
  }
});

/** What pages of ours may run, whatever was requested. */
const OUR_SCRIPTS: ReadonlySet<string> = new Set([
  RELOAD.text,
  WAIT.text,
  KEEP_FRAGMENT.text,
]);

test("our pages repeat nothing of the request, run no script but ours, and the one that acts cannot be framed", async ({ startGateway }) => {
  await using gateway = await startGateway();
  const mark = "<script>mark</script>";
  const encoded = encodeURIComponent(mark);
  for (
    const [host, path] of [
      [LOCKED, `/${mark}?${mark}`],
      [`2280-locked.${BASE}`, `/${encoded}?${encoded}`],
      [`3001-${KEYS.signedToken}.${BASE}`, `/${mark}`],
      [`3000-stopped.${BASE}`, `/${mark}`],
      [BASE, `/${mark}`],
      [BASE, `/login?return_to=${encoded}`],
      [
        BASE,
        `/callback?state=${encoded}&error=${encoded}&error_description=${encoded}`,
      ],
      [BASE, `/logout?sandbox=${encoded}`],
    ] as const
  ) {
    const answer = await gateway.send(host, {
      path,
      headers: {
        "accept": "text/html",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "embed",
        "referer": `http://x/${mark}`,
        "user-agent": mark,
      },
    });
    assert(answer.status >= 400, host + path);
    assert.doesNotMatch(answer.body, /mark/);
    const scripts = answer.body.matchAll(/<script[^>]*>([^]*?)<\/script>/g);
    for (const [, text = ""] of scripts) assert.ok(OUR_SCRIPTS.has(text), text);
    const policy = answer.headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'/, host + path);
    const [, sources = ""] = /; script-src ([^;]*)/.exec(policy) ?? [];
    assert.match(sources, /^(?:'sha256-[^']+' ?)*$/);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  }
  const logout = await gateway.send(BASE, { path: "/logout" });
  assert.match(
    logout.headers.get("content-security-policy") ?? "",
    /frame-ancestors 'none'/,
  );
});

test("nobody else's page logs a visitor out", async ({ withLogin }) => {
  await using gateway = await withLogin();
  for (
    const headers of [
      { origin: `http://${DEMO}` },
      { origin: `http://${LOCKED}` },
      { origin: "https://evil.test" },
      { origin: "null" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "cross-site", origin: "null" },
      { "sec-fetch-site": "same-site", origin: `http://${BASE}` },
    ]
  ) {
    const answer = await gateway.send(BASE, {
      method: "POST",
      path: "/logout",
      headers: {
        ...headers,
        "cookie": gateway.cookie,
        "content-type": "application/x-www-form-urlencoded",
      },
    });
    assert.equal(answer.code, "cross_site_request");
    assert.equal(answer.headers.get("set-cookie"), null);
  }
  const still = await gateway.send(LOCKED, {
    path: "/echo",
    headers: { cookie: gateway.cookie },
  });
  assert.equal(still.status, 200);
});

test("a request that names two hosts is refused, and reaches no runner", async ({ startGateway }) => {
  await using gateway = await startGateway();
  for (
    const lines of [
      ["GET / HTTP/1.1", `Host: ${DEMO}`, `Host: ${LOCKED}`],
      [`GET http://2280-demo.${BASE}/ HTTP/1.1`, `Host: ${DEMO}`],
      [`GET http://${DEMO}@2280-demo.${BASE}/ HTTP/1.1`, `Host: ${DEMO}`],
      ["GET / HTTP/1.1", `Host: ${DEMO}, ${LOCKED}`],
    ]
  ) {
    assert.match(
      await sendRaw(gateway, lines),
      /^HTTP\/1\.1 400 /,
      lines.join(),
    );
  }
  assert.equal(gateway.stack.runner.seen.length, 0);
});

test("every path of a preview host is the app's", async ({ startGateway }) => {
  await using gateway = await startGateway();
  const { seen } = gateway.stack.runner;
  for (
    const path of [
      "/health",
      "/ready",
      "/login?return_to=x",
      "/callback?code=1&state=2",
      "/logout",
      "/open?port=3000&sandbox=demo",
      "/docs",
      "/docs/apps",
      "/openapi.json",
      "/toolbox/locked/process/execute",
      "/accept-daytona-preview-warning",
    ]
  ) {
    const answer = await gateway.send(DEMO, { path });
    assert.equal(answer.code, null, path);
    assert.equal(
      seen.at(-1)?.target,
      `/sandboxes/demo/toolbox/proxy/3000${path}`,
    );
  }
});

Deno.test("no cookie opens the toolbox where that is served, whatever page or program sends it", async () => {
  await using gateway = await logIn(await startLoginGateway());
  const before = gateway.stack.runner.seen.length;
  for (const method of ["GET", "POST"]) {
    for (
      const fields of [{}, { "sec-fetch-site": "none" }, {
        "sec-fetch-mode": "navigate",
        "sec-fetch-site": "same-origin",
      }]
    ) {
      const answer = await gateway.send(BASE, {
        method,
        path: "/toolbox/locked/process/execute",
        headers: { cookie: gateway.cookie, ...fields },
      });
      assert.equal(answer.status, 401);
      assert.equal(answer.code, "login_required");
    }
  }
  assert.equal(gateway.stack.runner.seen.length, before);
});
