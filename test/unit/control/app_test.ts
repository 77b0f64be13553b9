import assert from "node:assert/strict";
import { z } from "zod";
import type { Callback, Login } from "../../../src/auth/login_flow.ts";
import { OwnCookies } from "../../../src/auth/own_cookies.ts";
import type { LoginSession, SessionSealer } from "../../../src/auth/session.ts";
import { controlDescription, createControl } from "../../../src/control/app.ts";
import { SandboxLogins } from "../../../src/control/sandbox_logins.ts";
import { type ErrorCode, GatewayError } from "../../../src/errors.ts";
import { recordedLog } from "../../support/event_log.ts";
import { fakeClock } from "../../support/fake_clock.ts";

const COOKIES = new OwnCookies({
  scheme: "https",
  sameSite: "lax",
  scope: "sandbox",
});
const SESSION: LoginSession = {
  kind: "login",
  id: "id",
  sandboxId: "box",
  expiresAt: 60_999,
};

/** The control plane of `p.test`, whose every login ends with `SESSION`. */
function setUp() {
  const recorded = recordedLog();
  const callbacks: Callback[] = [];
  /** What was told of logins and logouts. */
  const visits: unknown[] = [];
  const state = {
    baseDomains: ["p.test"],
    dashboardUrl: "https://daytona.test/dashboard",
    loginState: "on" as Login["state"],
    /** The failure of a callback or a logout, if it fails. */
    failure: undefined as Error | undefined,
    ended: [] as string[],
    /** The ends of further sessions by their sealed form, ms since the epoch. */
    sessions: new Map<string, number>(),
  };
  const login: Pick<Login, "state" | "hasSso" | "start" | "finish"> = {
    hasSso: false,
    get state() {
      return state.loginState;
    },
    start: ({ redirectUri, reauthenticate }) =>
      Promise.resolve({
        location: `https://id.test/?${redirectUri}&${reauthenticate}`,
        state: "state",
        sealed: "sealed",
      }),
    finish(callback) {
      callbacks.push(callback);
      return state.failure === undefined
        ? Promise.resolve({
          returnTo: {
            url: "https://3000-box.p.test/",
            host: {
              port: 3000,
              label: "box",
              base: "p.test",
              authoritySuffix: "p.test",
            },
          },
          challenge: undefined,
          login: { id: "id", expiresAt: Date.now() + 60_999 },
          subject: "alice",
        })
        : Promise.reject(state.failure);
    },
  };
  const sessions: Pick<SessionSealer, "open" | "seal"> = {
    seal: () => Promise.resolve("sealed"),
    open(sealed) {
      const expiresAt = state.sessions.get(sealed);
      return Promise.resolve(
        sealed === "sealed"
          ? SESSION
          : expiresAt === undefined
          ? undefined
          : { ...SESSION, expiresAt },
      );
    },
  };
  const control = createControl({
    version: "0.0.0",
    scheme: "https",
    cookies: COOKIES,
    remoteSettings: state,
    basePage: {
      links: [{ url: "https://3000-box.p.test/?a&b", text: "A <b>" }],
    },
    webhookSecrets: [],
    changes: { announce: () => Promise.resolve() },
    login,
    keptLogins: new SandboxLogins({
      cookies: COOKIES,
      sessions,
      logins: { grantsAccess: () => Promise.resolve(false) },
      now: Date.now,
    }),
    sessionScope: "sandbox",
    sessions,
    logins: {
      end({ id }) {
        state.ended.push(id);
        return state.failure === undefined
          ? Promise.resolve("alice")
          : Promise.reject(state.failure);
      },
    },
    readiness: {
      check: () => Promise.resolve({ status: "ready", checks: {} }),
    },
    visits: {
      loggedIn: (visit) => visits.push(["login", visit]),
      loginFailed: (error) => visits.push(["failed", error]),
      loggedOut: (visit) => visits.push(["logout", visit]),
    },
    logger: recorded.log,
  });
  /** The response to a request, with its error code and the names of the cookies that it sets. */
  async function send(
    path: string,
    init: RequestInit & { base?: string | null } = {},
  ) {
    const { base = "p.test", ...others } = init;
    const response = await control(
      new Request(`https://p.test${path}`, others),
      {
        requestId: "request",
        authority: "P.test",
        namesHost: true,
        base: base ?? undefined,
        clientAddress: "203.0.113.9",
      },
    );
    const lines = response.headers.getSetCookie();
    return {
      response,
      lines,
      status: response.status,
      code: response.headers.get("x-porthole-error"),
      names: lines.map((line) => line.slice(0, line.indexOf("="))),
    };
  }
  return { state, callbacks, visits, recorded, send };
}

Deno.test("/health/stream is a response in two parts, of which the first does not wait for the second", async () => {
  const { response } = await setUp().send("/health/stream");
  const reader = response.body?.getReader() ?? assert.fail();
  const texts: string[] = [];
  const times: number[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    texts.push(new TextDecoder().decode(value));
    times.push(performance.now());
  }
  assert.deepEqual(texts, ["one\n", "two\n"]);
  const [first = NaN, second = NaN] = times;
  assert(second - first > 200, `${second - first} ms`);
});

Deno.test("a client that leaves /health/stream leaves no timer behind", async () => {
  const { response } = await setUp().send("/health/stream");
  await response.body?.cancel(); // the sanitizer would find it
});

Deno.test("/openapi.json is the description that is generated without a running gateway", async () => {
  const { response } = await setUp().send("/openapi.json");
  const expected = JSON.parse(JSON.stringify(controlDescription("0.0.0")));
  assert.deepEqual(await response.json(), expected);
});

Deno.test("the page of the base domain has a form, what the operator links, /docs, /logout and the version, and is on base hosts only", async () => {
  const { send, state } = setUp();
  const { response, status } = await send("/");
  const html = await response.text();
  assert.equal(status, 200);
  assert.match(html, /<form action="\/open">/);
  assert.ok(html.includes("{port}-{sandbox}.p.test"));
  assert.ok(
    html.includes('href="https://3000-box.p.test/?a&amp;b">A &lt;b&gt;'),
  );
  for (const path of ["/docs", "/logout"]) {
    assert.ok(html.includes(`href="${path}"`));
  }
  assert.match(html, /Porthole 0\.0\.0/);
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.match(policy, /^default-src 'none'; .*; frame-ancestors 'none'$/);
  // Chromium would also hold it against the login that follows the form.
  assert.doesNotMatch(policy, /form-action|script/);
  assert.equal(response.headers.get("cache-control"), "no-store");

  state.loginState = "off";
  const plain = await (await send("/")).response.text();
  assert.doesNotMatch(plain, /logout/);

  for (const path of ["/", "/open?port=3000&sandbox=box"]) {
    const elsewhere = await send(path, { base: null });
    assert.deepEqual([elsewhere.status, elsewhere.code], [
      404,
      "route_not_found",
    ]);
  }
});

Deno.test("/open leads to the preview that the form names, below the very host that it is on", async () => {
  const { send, state } = setUp();
  for (
    const [query, location] of [
      ["port=3000&sandbox=box", "https://3000-box.p.test/"],
      ["port=+65535+&sandbox=+BOX_1-x", "https://65535-box_1-x.p.test/"],
      // Only what the form sends counts.
      ["port=1&sandbox=b&x=//evil.example", "https://1-b.p.test/"],
    ]
  ) {
    const { response, status } = await send(`/open?${query}`);
    assert.equal(status, 303);
    assert.equal(response.headers.get("location"), location);
  }
  // A host below one base domain can be that of another.
  state.baseDomains = ["box.p.test", "p.test"];
  const { status } = await send("/open?port=3000&sandbox=x.box");
  assert.equal(status, 400);
});

Deno.test("/open leads nowhere else, and says so on the page again", async () => {
  const { send } = setUp();
  const accept = { accept: "text/html" };
  for (
    const [port, sandbox] of [
      ["", ""],
      ["03000", "box"],
      ["0", "box"],
      ["65536", "box"],
      ["3e3", "box"],
      ["3000", ""],
      ["3000", "box.evil.example/"],
      ["3000", "box@evil.example"],
      ["3000", "//evil.example"],
      ["3000", "evil.example#"],
      ["3000", "evil.example\\"],
      ["3000", "a\r\nset-cookie:b"],
      ["3000", "böx"],
      ["3000", "x".repeat(58)],
      ["3000-a", "/../b"],
      // Together they would name the port 3000 of another sandbox, a-b.
      ["3000-a", "b"],
    ]
  ) {
    const query = new URLSearchParams({
      port: port ?? "",
      sandbox: sandbox ?? "",
    });
    const page = await send(`/open?${query}`, { headers: accept });
    assert.deepEqual(
      [page.status, page.code],
      [400, "bad_request"],
      `${query}`,
    );
    assert.equal(page.response.headers.get("location"), null);
    assert.match(await page.response.text(), /<p id="fault" role="alert">/);
    const plain = await send(`/open?${query}`);
    assert.deepEqual([plain.status, plain.code], [400, "bad_request"]);
    assert.match(
      plain.response.headers.get("content-type") ?? "",
      /problem\+json/,
    );
  }
  const hostile = new URLSearchParams({ port: '"><b>', sandbox: "'<i>" });
  const { response } = await send(`/open?${hostile}`, { headers: accept });
  const html = await response.text();
  assert.doesNotMatch(html, /<b>|<i>/);
  assert.ok(html.includes('value="&quot;&gt;&lt;b&gt;"'));
});

const TO_BOX = "/login?return_to=https%3A%2F%2F3000-box.p.test%2F";
const CALLBACK = "/callback?state=s&code=c";

Deno.test("/login is 404 without a provider or on other hosts, and 503 until the provider is known", async () => {
  for (
    const [loginState, base, baseDomains, status, code] of [
      ["off", "p.test", ["p.test"], 404, "route_not_found"],
      ["on", null, ["p.test"], 404, "route_not_found"],
      ["unknown", "p.test", ["p.test"], 503, "login_unavailable"],
      ["on", null, [], 503, "login_unavailable"],
    ] as const
  ) {
    const { send, state } = setUp();
    state.loginState = loginState;
    state.baseDomains = [...baseDomains];
    for (const path of [TO_BOX, CALLBACK]) {
      const answer = await send(path, { base });
      assert.deepEqual([answer.status, answer.code], [status, code]);
    }
  }
});

Deno.test("the log calls a parameter missing whatever language zod writes its messages in", async () => {
  z.config({ localeError: () => "anders" });
  try {
    for (
      const [path, reason] of [
        ["/login", "return_to: missing"],
        ["/logout?sandbox=..", "sandbox: anders"],
      ] as const
    ) {
      const { send, recorded } = setUp();
      assert.equal((await send(path)).code, "bad_request");
      assert.equal((await recorded.next("request refused")).reason, reason);
    }
  } finally {
    z.config(z.locales.en());
  }
});

Deno.test("a callback redirects to the preview with a session that lasts as long as its tokens", async () => {
  using _ = fakeClock();
  const { send, callbacks } = setUp();
  const { response, status, lines } = await send(CALLBACK);
  assert.equal(status, 303);
  assert.equal(response.headers.get("location"), "https://3000-box.p.test/");
  const session = lines.find((line) =>
    line.startsWith(COOKIES.loginSession("box"))
  );
  assert.match(session ?? "", /=sealed; Domain=p\.test; Path=\/; Max-Age=60;/);
  assert.equal(callbacks[0]?.redirectUri, "https://p.test/callback");
  assert.equal(callbacks[0]?.payer.clientAddress, "203.0.113.9");
});

Deno.test("a callback makes room for its session: the browser keeps the twelve logins that end last (S9)", async () => {
  const { send, state } = setUp();
  const pairs: string[] = [];
  function present(label: string, sealed: string, endsAt?: number): void {
    pairs.push(`${COOKIES.loginSession(label)}=${sealed}`);
    if (endsAt !== undefined) state.sessions.set(sealed, endsAt);
  }
  present("late", "late", 900);
  for (let i = 0; i < 9; i++) present(`n${i}`, `n${i}`, 500 + i);
  present("early", "early", 100);
  present("planted", "planted");
  present("twice", "planted");
  present("twice", "twice", 800);
  present("box", "sealed", 50);
  const headers = { cookie: pairs.join("; ") };
  const { names, lines } = await send(CALLBACK, { headers });
  const login = (label: string) => COOKIES.loginSession(label);
  assert.deepEqual(
    names.filter((name) => name.startsWith(COOKIES.loginSessionPrefix)),
    [login("planted"), login("early"), login("box")],
  );
  const expired = lines.find((line) => line.startsWith(login("early")));
  assert.match(expired ?? "", /=; Domain=p\.test; Path=\/; Max-Age=0;/);

  const [first, ...few] = pairs.slice(0, 12);
  const kept = await send(CALLBACK, {
    headers: { cookie: [first, ...few.slice(0, 9)].join("; ") },
  });
  assert.deepEqual(
    kept.names.filter((name) => name.startsWith(COOKIES.loginSessionPrefix)),
    [login("box")],
  );
});

Deno.test("a failed callback ends its login, unless the provider is down or the gateway is at fault", async () => {
  const { send, state, callbacks } = setUp();
  for (
    const [failure, over] of [
      ["login_denied", 1],
      ["login_failed", 1],
      ["login_expired", 1],
      ["no_access", 2],
      ["login_unavailable", 0],
      [undefined, 0],
    ] as const satisfies readonly (readonly [ErrorCode | undefined, number])[]
  ) {
    state.failure = failure === undefined
      ? new TypeError("A defect")
      : new GatewayError(failure, "");
    const { code, names } = await send(CALLBACK);
    assert.equal(code, failure ?? "internal");
    assert.deepEqual(
      names.map((name) => name.startsWith(COOKIES.transactionPrefix)),
      [true, false].slice(0, over),
    );
    assert.equal(names[1], over === 2 ? COOKIES.otherAccount : undefined);
  }
  assert.equal(callbacks.length, 6);
});

Deno.test("the logout page is on base hosts only", async () => {
  const { send } = setUp();
  for (const method of ["GET", "HEAD"]) {
    assert.equal((await send("/logout", { method })).status, 200);
    const elsewhere = await send("/logout", { method, base: null });
    assert.equal(elsewhere.status, 404);
    assert.equal(elsewhere.code, "route_not_found");
  }
});

Deno.test("S14: without a login, the logout page offers only to delete cookies", async () => {
  const { send, state } = setUp();
  for (const loginState of ["on", "unknown", "off"] as const) {
    state.loginState = loginState;
    const { response, status } = await send("/logout");
    const text = await response.text();
    assert.equal(status, 200);
    assert.equal(
      text.includes("<button>Log out</button>"),
      loginState !== "off",
    );
    assert(text.includes("Delete all cookies</button>"));
  }
});

/** A form of the page, as a browser sends it. */
function formOf(fields: Record<string, string>): RequestInit {
  const body = new URLSearchParams(fields).toString();
  return {
    method: "POST",
    body,
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "content-length": String(body.length),
      "origin": "https://p.test",
      "cookie": `${COOKIES.loginSession("box")}=sealed; ${
        COOKIES.loginSession("other")
      }=expired; app=1`,
    },
  };
}

Deno.test("a logout ends one sandbox's session or all of them, and expires the cookies", async () => {
  for (
    const [fields, others] of [
      [{ sandbox: "box" }, []],
      [{}, [COOKIES.loginSession("other")]],
    ] as const
  ) {
    const { send, state } = setUp();
    const { response, status, names } = await send("/logout", formOf(fields));
    assert.equal(status, 200);
    assert.match(await response.text(), /<a href="\/">/);
    assert.deepEqual(state.ended, ["id"]);
    assert.deepEqual(names, [
      COOKIES.loggedIn("box"),
      COOKIES.loginSession("box"),
      ...others,
      COOKIES.otherAccount,
    ]);
  }
});

Deno.test("whoever logged out is asked for an account until a login has succeeded, however often they begin one", async () => {
  const { send, state } = setUp();
  const { lines } = await send("/logout", formOf({ sandbox: "box" }));
  const [cookie = ""] = lines.at(-1)?.split(";") ?? [];
  const headers = { cookie };
  for (const _ of ["begun", "begun again"]) {
    const { response, names } = await send(TO_BOX, { headers });
    assert.match(response.headers.get("location") ?? "", /&true$/);
    assert.equal(names.includes(COOKIES.otherAccount), false);
  }
  state.failure = new GatewayError("login_denied", "");
  const denied = await send(CALLBACK, { headers });
  assert.equal(denied.names.includes(COOKIES.otherAccount), false);
  state.failure = undefined;
  const done = await send(CALLBACK, { headers });
  const forgotten = done.lines.find((line) =>
    line.startsWith(`${COOKIES.otherAccount}=;`)
  );
  assert.match(forgotten ?? "", /Max-Age=0;/);
  const next = await send(TO_BOX);
  assert.match(next.response.headers.get("location") ?? "", /&false$/);
});

Deno.test("a login without access has the next ones ask for ten minutes, and takes nothing from the 30 days after a logout", async () => {
  const { send, state } = setUp();
  function markIn(lines: readonly string[]): string | undefined {
    return lines.find((line) => line.startsWith(`${COOKIES.otherAccount}=`));
  }
  const loggedOut = await send("/logout", formOf({}));
  const ofLogout = markIn(loggedOut.lines) ?? "";
  assert.match(ofLogout, /; Max-Age=2592000;/);
  state.failure = new GatewayError("no_access", "");
  const refused = await send(CALLBACK);
  const ofRefusal = markIn(refused.lines) ?? "";
  assert.match(ofRefusal, /; Max-Age=600;/);
  for (const [mark, next] of [[ofRefusal, ofRefusal], [ofLogout]] as const) {
    const [cookie = ""] = mark.split(";");
    const again = await send(CALLBACK, { headers: { cookie } });
    assert.equal(markIn(again.lines), next);
  }
});

Deno.test("S14: where nobody logs in, deleting cookies leaves no mark for the next login", async () => {
  const { send, state } = setUp();
  state.loginState = "off";
  const { names } = await send("/logout", formOf({ cookies: "delete" }));
  assert.equal(names.includes(COOKIES.otherAccount), false);
});

Deno.test("a logout that could not be stored is answered 503 and keeps the cookie for another attempt", async () => {
  const { send, state } = setUp();
  state.failure = new GatewayError("logout_incomplete", "");
  const { status, code, names } = await send("/logout", formOf({}));
  assert.deepEqual([status, code], [503, "logout_incomplete"]);
  assert.deepEqual(names, []);
});

Deno.test("a logout needs a short form with Content-Length, from the gateway's own page or no browser", async () => {
  const { send, state } = setUp();
  const form = formOf({ sandbox: "box" });
  const headers = new Headers(form.headers);
  function withField(name: string, value: string | null): RequestInit {
    const changed = new Headers(headers);
    if (value === null) changed.delete(name);
    else changed.set(name, value);
    return { ...form, headers: changed };
  }
  for (
    const [init, code] of [
      [withField("content-length", null), "bad_request"],
      [withField("content-length", "10000"), "bad_request"],
      [withField("content-length", "1, 1"), "bad_request"],
      [withField("origin", "https://3000-evil.p.test"), "cross_site_request"],
      [withField("origin", "null"), "cross_site_request"],
      [formOf({ sandbox: "../box" }), "bad_request"],
      [{ ...form, base: null }, "route_not_found"],
    ] as const
  ) assert.equal((await send("/logout", init)).code, code);
  assert.deepEqual(state.ended, []);
  assert.equal((await send("/logout", withField("origin", null))).status, 200);
});

Deno.test("S11: a logout whose form does not arrive is given up after ten seconds", async () => {
  using clock = fakeClock();
  const { send, state } = setUp();
  const reading = Promise.withResolvers<void>();
  const answer = send("/logout", {
    ...formOf({}),
    body: new ReadableStream({
      pull: () => reading.resolve(),
      cancel: () => assert.fail("cancelled while a read waits"),
    }, { highWaterMark: 0 }),
  });
  await reading.promise;
  clock.pass(10_000);
  const { status, code } = await answer;
  assert.deepEqual([status, code], [408, "upload_stalled"]);
  assert.deepEqual(state.ended, []);
});

Deno.test("a login, its failure and a logout are told with the user and the sandbox", async () => {
  const { send, state, visits } = setUp();
  await send(CALLBACK);
  await send("/logout", formOf({}));
  state.failure = new GatewayError("login_denied", "Declined");
  await send(CALLBACK);
  assert.deepEqual(visits, [
    ["login", {
      requestId: "request",
      sandboxId: "box",
      port: 3000,
      sub: "alice",
    }],
    ["logout", { requestId: "request", sandboxId: "box", sub: "alice" }],
    ["failed", state.failure],
  ]);
});
