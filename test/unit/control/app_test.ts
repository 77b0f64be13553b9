import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { z } from "zod";
import { controlDescription } from "../../../src/control/app.ts";
import { type ErrorCode, GatewayError } from "../../../src/errors.ts";
import {
  CONTROL_COOKIES as COOKIES,
  FEATURE_DESCRIPTIONS,
  setUpControl as setUp,
} from "../../support/control.ts";
import { fakeClock } from "../../support/fake_clock.ts";

Deno.test("/health/stream is a response in two parts, of which the first does not wait for the second", async () => {
  using clock = fakeClock();
  const { response } = await setUp().send("/health/stream");
  const reader = response.body?.getReader() ?? assert.fail();
  async function next(): Promise<string | undefined> {
    const { done, value } = await reader.read();
    return done ? undefined : new TextDecoder().decode(value);
  }
  assert.equal(await next(), "one\n");
  let isSecondThere = false;
  const second = next().finally(() => isSecondThere = true);
  clock.pass(299);
  await turn();
  assert(!isSecondThere);
  clock.pass(1);
  assert.equal(await second, "two\n");
  assert.equal(await next(), undefined);
});

Deno.test("a client that leaves /health/stream leaves no timer behind", async () => {
  using clock = fakeClock();
  const { response } = await setUp().send("/health/stream");
  await response.body?.cancel();
  // It would write to what is closed.
  assert.doesNotThrow(() => clock.pass(1000));
});

Deno.test("/health/asset.js is another one each time, and marked like those of private previews", async () => {
  const { send } = setUp();
  const [one, other] = [
    await send("/health/asset.js"),
    await send("/health/asset.js"),
  ];
  const { headers } = one.response;
  assert.equal(headers.get("cache-control"), "private, max-age=60");
  assert.equal(headers.get("content-type"), "text/javascript");
  assert.notEqual(await one.response.text(), await other.response.text());
});

Deno.test("/openapi.json is the description that is generated without a running gateway", async () => {
  const { response } = await setUp().send("/openapi.json");
  const expected = controlDescription("0.0.0", FEATURE_DESCRIPTIONS);
  assert.deepEqual(await response.json(), JSON.parse(JSON.stringify(expected)));
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
  assert.equal(callbacks[0]?.caller.clientAddress, "203.0.113.9");
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
    ...formOf({ sandbox: "box" }),
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
  const { send, state, accessEvents } = setUp();
  await send(CALLBACK);
  await send("/logout", formOf({}));
  state.failure = new GatewayError("login_denied", "Declined");
  await send(CALLBACK);
  assert.deepEqual(accessEvents, [
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
