/** The Start button: who gets it, what a press does, and who cannot press it, tested on the complete service. */
import assert from "node:assert/strict";
import type { Stack } from "../../../../scripts/stand_in/stack.ts";
import { ORGANIZATION } from "../../../../scripts/stand_in/api_state.ts";
import { HOSTED_KEYS } from "../../../../scripts/stand_in/hosted_stack.ts";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { START_PATH } from "../../../../src/features/wake/start_form.ts";
import {
  startHostedGateway,
  startHostedLoginGateway,
} from "../../../support/hosted_gateway.ts";
import type { Browser, Hop } from "../../../support/login.ts";
import { valuesOf } from "../../../../src/http/headers.ts";
import type { FeatureModule } from "../../../../src/gateway/feature_module.ts";
import { GatewayError } from "../../../../src/errors.ts";
import { FEATURES } from "../../../../src/modules.ts";
import {
  LOCKED,
  startGateway,
  type TestGateway,
} from "../../../support/gateway.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { startLoginGateway } from "../../../support/login_gateway.ts";
import { SESSION_SCOPES } from "../../../support/session_scopes.ts";
import { skewClock } from "../../../support/skewed_clock.ts";
import { testLoginsInBothWorlds as test } from "../../../support/worlds.ts";
import { assertEventually } from "../../../support/assert_eventually.ts";
import { fakeClock } from "../../../support/fake_clock.ts";

const PRESS = { WAKE: "press" };
const PAGE = { "accept": "text/html", "sec-fetch-mode": "navigate" };
const BUTTON = /<form method="post" action="\/porthole-start-sandbox">/;

/** A gateway whose sandbox `locked` is stopped, at an API that starts at once. */
async function startAsleep(environment: Record<string, string> = {}) {
  const gateway = await startLoginGateway({ ...PRESS, ...environment });
  const { stack } = gateway;
  putToSleep(stack);
  /** The page that a user sees after the login. */
  async function pageOf(
    user: string,
    { host = "3000-locked", path = "/deep?a=b", browser = gateway.browser() } =
      {},
  ): Promise<{ browser: Browser; page: Hop }> {
    const { page } = await browser.openAs(user, gateway.at(host, path));
    return { browser, page };
  }
  return { ...gateway, pageOf };
}

function putToSleep({ api, runner }: Pick<Stack, "api" | "runner">): void {
  const sandbox = api.sandbox("locked");
  sandbox.state = "stopped";
  delete sandbox.desiredState;
  const container = runner.containers.get("locked") ?? assert.fail("none");
  container.started = false;
  api.lifecycle.jobs.startMs = 0;
  api.lifecycle.jobs.restoreMs = 0;
}

function codeOf({ headers }: Hop): string | null {
  return headers.get("x-porthole-error");
}

function ticketOf({ body }: Hop): string {
  return /name="ticket" value="([^"]+)"/.exec(body)?.[1] ?? assert.fail(body);
}

for (const scope of SESSION_SCOPES) {
  Deno.test(`who has logged in for '${scope}' starts the sandbox by the button, with their own token, and lands where they were`, async () => {
    await using gateway = await startAsleep({ SESSION_SCOPE: scope });
    const { stack: { api } } = gateway;
    const { browser, page } = await gateway.pageOf("alice");
    assert.equal(codeOf(page), "sandbox_stopped");
    assert.match(page.body, BUTTON);
    assert.doesNotMatch(page.body, /then reload/, "it does that by itself");
    assert.equal(api.count("startSandbox"), 0);
    const pressed = await browser.submit(page, { follow: false });
    assert.equal(pressed.page.status, 303);
    assert.equal(
      pressed.page.headers.get("location"),
      gateway.at("3000-locked", "/deep?a=b"),
    );
    assert.equal(api.count("startSandbox"), 1);
    assert.equal(api.sandbox("locked").state, "started");
    const { page: app } = await browser.open(gateway.at("3000-locked"));
    assert.equal(app.status, 200);
  });
}

Deno.test("a start that takes longer is waited for on the page that reloads, without another start", async () => {
  await using gateway = await startAsleep();
  const { stack: { api } } = gateway;
  api.lifecycle.jobs.startMs = 3_600_000;
  const { browser, page } = await gateway.pageOf("alice");
  const { page: waiting } = await browser.submit(page);
  assert.equal(codeOf(waiting), "sandbox_starting");
  assert.match(waiting.body, /reloads by itself/);
  const { page: again } = await browser.submit(page);
  assert.equal(codeOf(again), "sandbox_starting");
  assert.equal(api.count("startSandbox"), 1);
});

Deno.test("an archived sandbox is started by the button as well, and then restored", async () => {
  await using gateway = await startAsleep();
  const { stack: { api, runner } } = gateway;
  api.sandbox("locked").state = "archived";
  runner.containers.delete("locked");
  api.lifecycle.jobs.restoreMs = 3_600_000;
  const { browser, page } = await gateway.pageOf("alice");
  assert.equal(codeOf(page), "sandbox_archived");
  const { page: waiting } = await browser.submit(page);
  assert.equal(codeOf(waiting), "sandbox_restoring");
  assert.equal(api.count("startSandbox"), 1);
});

/** What keeps Daytona from a start, and how the page tells that. */
const REFUSALS: readonly [
  why: string,
  prepare: (stack: Stack) => void,
  status: number,
  code: string,
  text: RegExp,
][] = [
  [
    "the organization is suspended",
    ({ api }) => organizationOf(api).suspensionReason = "Payment required",
    503,
    "start_refused",
    /Organization is suspended: Payment required/,
  ],
  [
    "a quota is used up",
    ({ api }) => organizationOf(api).exceeded = "cpu",
    503,
    "start_refused",
    /Total CPU limit exceeded/,
  ],
  [
    "it cannot be resumed",
    ({ api }) => api.sandbox("locked").state = "paused",
    503,
    "start_refused",
    /Resuming is not supported/,
  ],
  [
    "its runner fails",
    ({ api }) => api.sandbox("locked").startFailure = "no space left",
    503,
    "start_refused",
    /failed to start: no space left/,
  ],
  [
    "the user belongs to another organization",
    ({ api }) => api.state.memberships.set("alice", new Set()),
    403,
    "start_not_allowed",
    /may not start this sandbox/,
  ],
  [
    "there are too many starts",
    ({ api }) =>
      api.state.limits = { sandboxLifecycle: { limit: 0, ttlMs: 9000 } },
    429,
    "start_throttled",
    /too many starts/,
  ],
];

function organizationOf({ state }: Stack["api"]) {
  const organization = state.organizations.get(ORGANIZATION) ??
    { previewWarningEnabled: false };
  state.organizations.set(ORGANIZATION, organization);
  return organization;
}

for (const [why, prepare, status, code, text] of REFUSALS) {
  Deno.test(`the page says that a sandbox is not started as ${why}, and does not try again by itself`, async () => {
    await using gateway = await startAsleep();
    prepare(gateway.stack);
    const { browser, page } = await gateway.pageOf("alice");
    assert.match(page.body, BUTTON);
    const { page: refused } = await browser.submit(page);
    assert.deepEqual([refused.status, codeOf(refused)], [status, code]);
    assert.match(refused.body, text);
    assert.match(refused.body, /href="[^"]+\/deep\?a=b"[^>]*>Try again<\/a>/);
    assert.doesNotMatch(refused.body, /data-seconds|http-equiv="refresh"/);
    assert.equal(gateway.stack.api.count("startSandbox"), 1);
  });
}

Deno.test("a sandbox whose state somebody else is changing is led back to, and not refused", async () => {
  await using gateway = await startAsleep();
  const { api } = gateway.stack;
  const { browser, page } = await gateway.pageOf("alice");
  api.sandbox("locked").isPending = true;
  const { page: back } = await browser.submit(page, { follow: false });
  assert.equal(back.status, 303);
  assert.equal(api.count("startSandbox"), 1);
});

Deno.test("while the API is down, nothing starts, and a press ends on a page", async () => {
  await using gateway = await startAsleep();
  const { api } = gateway.stack;
  const { browser, page } = await gateway.pageOf("alice");
  api.outage = 500;
  const { hops, page: down } = await browser.submit(page);
  assert.ok(hops.length <= 2);
  assert.equal(codeOf(down), "sandbox_stopped");
  assert.equal(api.count("startSandbox"), 0);
});

Deno.test("after six starts in an hour, there is no seventh", async () => {
  await using gateway = await startAsleep();
  const { browser, page } = await gateway.pageOf("alice");
  for (let i = 0; i < 6; i++) {
    await browser.submit(page, { follow: false });
    putToSleep(gateway.stack);
  }
  const { page: refused } = await browser.submit(page);
  assert.deepEqual([refused.status, codeOf(refused)], [429, "start_throttled"]);
  assert.ok(Number(refused.headers.get("retry-after")) > 2);
  assert.equal(gateway.stack.api.count("startSandbox"), 6);
});

Deno.test("nobody gets a button, and the path is the app's, unless the operator wants it", async () => {
  await using gateway = await startAsleep({ WAKE: "off" });
  const { browser, page } = await gateway.pageOf("alice");
  assert.equal(codeOf(page), "sandbox_stopped");
  assert.doesNotMatch(page.body, /<form/);
  const { body } = page;
  const made = { ...page, body: `${body}${formWith("x")}` };
  const { page: posted } = await browser.submit(made);
  assert.equal(codeOf(posted), "sandbox_stopped");
  assert.equal(gateway.stack.api.count("startSandbox"), 0);
});

function formWith(ticket: string, action = START_PATH): string {
  return `<form method="post" action="${action}">
<button name="ticket" value="${ticket}">`;
}

Deno.test("the button is only on a page that is about to be shown to who has logged in", async () => {
  await using gateway = await startAsleep();
  const { stack: { api }, send } = gateway;
  const { page } = await gateway.pageOf("alice");
  const host = new URL(page.url).host;
  assert.match(page.body, BUTTON);
  assert.match(
    page.headers.get("content-security-policy") ?? "",
    /frame-ancestors 'none'/,
  );
  assert.equal(page.headers.get("referrer-policy"), "same-origin");
  assert.equal(
    page.headers.get("cross-origin-opener-policy"),
    "noopener-allow-popups",
  );
  const browser = gateway.browser();
  await gateway.pageOf("alice", { browser });
  const cookie = browser.cookieAt(page.url) || assert.fail("no cookie");
  const token = { "x-daytona-preview-token": KEYS.lockedToken };
  const others: [headers: Record<string, string>, method?: string][] = [
    [{ ...PAGE, ...token }],
    [{ ...PAGE, authorization: `Bearer ${KEYS.user}` }],
    [{ ...PAGE, cookie, "sec-purpose": "prefetch" }],
    [{ ...PAGE, cookie, "sec-fetch-dest": "iframe" }],
    [{ cookie, "accept": "application/json" }],
    [{ cookie, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }],
    [{ ...PAGE, cookie }, "HEAD"],
    [{ ...PAGE, cookie, origin: new URL(page.url).origin }, "POST"],
    [PAGE],
  ];
  for (const [headers, method = "GET"] of others) {
    const answer = await send(host, { method, headers });
    assert.doesNotMatch(answer.body, /<form/, JSON.stringify(headers));
  }
  const shown = await send(host, { headers: { ...PAGE, cookie } });
  assert.match(shown.body, BUTTON);
  assert.equal(api.count("startSandbox"), 0);
});

Deno.test("in a frame, the button is shown to the sites that may embed previews, and to no others", async () => {
  await using gateway = await startAsleep({
    ALLOWED_ORIGINS: "https://ide.example.com",
  });
  const { page } = await gateway.pageOf("alice");
  assert.match(page.body, BUTTON);
  assert.match(
    page.headers.get("content-security-policy") ?? "",
    /; frame-ancestors https:\/\/ide\.example\.com;/,
  );
});

for (const scope of SESSION_SCOPES) {
  Deno.test(`with logins for '${scope}', nothing but a press of the very button starts: no forged, foreign, expired or other ticket, page, script or stranger`, async () => {
    using clock = skewClock();
    await using gateway = await startAsleep({ SESSION_SCOPE: scope });
    const { stack: { api }, send } = gateway;
    api.state.subjects.set("mallory", new Set(["demo", "locked", "second"]));
    api.state.subjects.get("alice")?.add("second");
    api.state.sandboxes.set("second", {
      ...api.sandbox("locked"),
      id: "second",
    });
    const { browser, page } = await gateway.pageOf("alice");
    const { page: malloryPage } = await gateway.pageOf("mallory");
    const ticket = ticketOf(page);
    const url = new URL(page.url);
    const cookie = browser.jar.fieldFor(url, {
      method: "POST",
      crossSite: false,
    }) ?? assert.fail("no cookie");
    const good = {
      "origin": url.origin,
      "cookie": cookie,
      "content-type": "application/x-www-form-urlencoded",
      "sec-fetch-site": "same-origin",
      "sec-fetch-mode": "navigate",
      "accept": "text/html",
    };
    async function press(
      headers: Record<string, string | undefined>,
      { sent = ticket, method = "POST", host = url.host } = {},
    ) {
      const body = sent === "" ? "" : `ticket=${encodeURIComponent(sent)}`;
      const given = Object.entries({
        ...headers,
        ...method === "POST" && { "content-length": String(body.length) },
      }).filter(([, value]) => value !== undefined);
      const { status, code } = await send(host, {
        method,
        path: START_PATH,
        headers: Object.fromEntries(given) as Record<string, string>,
        ...method === "POST" && { body },
      });
      assert.equal(api.count("startSandbox"), 0, JSON.stringify(headers));
      return `${status} ${code}`;
    }
    const expired = "400 start_expired";
    const crossSite = "403 cross_site_request";
    // Tickets.
    assert.equal(await press(good, { sent: "" }), expired);
    assert.equal(await press(good, { sent: "forged" }), expired);
    assert.equal(
      await press(good, { sent: `${ticket.slice(0, -4)}AAAA` }),
      expired,
    );
    assert.equal(await press(good, { sent: ticketOf(malloryPage) }), expired);
    const session = /=([^;]+)/.exec(cookie)?.[1] ?? assert.fail(cookie);
    assert.equal(await press(good, { sent: session }), expired);
    // With 'host', it is the same login.
    const { page: second } = scope === "host"
      ? await browser.open(gateway.at("3000-second"))
      : await gateway.pageOf("alice", { host: "3000-second" });

    assert.equal(await press(good, { sent: ticketOf(second) }), expired);
    // Pages and scripts.
    for (
      const origin of [
        undefined,
        "null",
        "https://evil.example",
        gateway.at("3000-second").slice(0, -1),
        gateway.at("3001-locked").slice(0, -1),
        gateway.at("").slice(0, -1),
      ]
    ) {
      const answer = await press({ ...good, origin });
      assert.ok(/^40[13] /.test(answer), `${origin}: ${answer}`);
    }
    for (const site of ["cross-site", "same-site"]) {
      const answer = await press({ ...good, "sec-fetch-site": site });
      assert.ok(/^40[13] /.test(answer), `${site}: ${answer}`);
    }
    for (const mode of ["cors", "no-cors", "same-origin"]) {
      assert.equal(await press({ ...good, "sec-fetch-mode": mode }), crossSite);
    }
    // Strangers, and who has only a token.
    const nobody = { ...good, cookie: undefined };
    assert.equal(await press(nobody), "401 login_required");
    const token = { "x-daytona-preview-token": KEYS.lockedToken };
    assert.equal(await press({ ...nobody, ...token }), "403 start_not_allowed");
    assert.equal(
      await press({ ...good, ...token }),
      "403 start_not_allowed",
      "the token admits before the session",
    );
    // Other methods.
    const get = await press(good, { method: "GET" });
    assert.equal(get, "503 sandbox_stopped");
    await press(good, { method: "HEAD" });
    // Later.
    clock.jump(10 * 60 * 1000 + 1000);
    assert.equal(await press(good), expired);
  });
}

const OPERATORS_KEY = "dtn_operator";

/** A gateway with a key of the organization, at an API that knows it. */
async function startWithKey(environment: Record<string, string>) {
  const gateway = await startAsleep({
    WAKE_API_KEYS: `${ORGANIZATION}=${OPERATORS_KEY}`,
    ...environment,
  });
  const { api } = gateway.stack;
  api.state.users.set(OPERATORS_KEY, new Set(["locked", "stopped"]));
  const permissions = ["write:sandboxes"];
  api.state.apiKeys.set(OPERATORS_KEY, { permissions });
  return gateway;
}

/** Presses the button on a page, as a browser without cookies does. */
async function pressAlone(
  { send, port }: Pick<TestGateway, "send" | "port">,
  host: string,
  ticket: string,
  headers: Record<string, string> = {},
) {
  const body = `ticket=${encodeURIComponent(ticket)}`;
  const authority = `${host}.proxy.localhost:${port}`;
  return await send(authority, {
    method: "POST",
    path: START_PATH,
    headers: {
      ...PAGE,
      "origin": `http://${authority}`,
      "content-length": String(body.length),
      ...headers,
    },
    body,
  });
}

/** The bearers of all starts. */
function startedBy({ calls }: Stack["api"]): (string | undefined)[] {
  return calls.filter(({ operation }) => operation === "startSandbox")
    .map(({ headers }) => headers.get("authorization")?.slice(7));
}

function ticketIn(body: string): string {
  return /name="ticket" value="([^"]+)"/.exec(body)?.[1] ?? assert.fail(body);
}

Deno.test("who comes by a signed link starts by the operator's key for that organization, if that is wanted", async () => {
  await using gateway = await startWithKey({ WAKE_LINKS: "true" });
  const { stack: { api }, send, port } = gateway;
  const host = `3000-${KEYS.signedToken}`;
  const authority = `${host}.proxy.localhost:${port}`;
  const shown = await send(authority, { headers: PAGE });
  assert.equal(shown.code, "sandbox_stopped");
  assert.match(shown.body, BUTTON);
  const ticket = ticketIn(shown.body);
  // Not another's ticket, nor the same elsewhere.
  const { page } = await gateway.pageOf("alice");
  const foreign = await pressAlone(gateway, host, ticketOf(page));
  assert.equal(foreign.code, "start_expired");
  const elsewhere = await pressAlone(gateway, "3000-locked", ticket);
  assert.equal(elsewhere.code, "login_required");
  assert.equal(api.count("startSandbox"), 0);
  const pressed = await pressAlone(gateway, host, ticket);
  assert.equal(pressed.status, 303);
  assert.equal(api.sandbox("locked").state, "started");
  assert.deepEqual(startedBy(api), [OPERATORS_KEY]);
});

for (
  const [why, environment] of [
    ["the operator does not want that", {}],
    ["the key is another organization's", {
      WAKE_LINKS: "true",
      WAKE_PUBLIC: "true",
      WAKE_API_KEYS: `${crypto.randomUUID()}=${OPERATORS_KEY}`,
    }],
  ] as const
) {
  Deno.test(`who comes by a link or a token, or to a public sandbox, has no button if ${why}`, async () => {
    await using gateway = await startWithKey(environment);
    const { stack: { api }, send, port } = gateway;
    const token = { "x-daytona-preview-token": KEYS.lockedToken };
    api.state.sandboxes.set("open", {
      ...api.sandbox("locked"),
      id: "open",
      public: true,
    });
    for (
      const [label, headers] of [
        [KEYS.signedToken, {}],
        ["locked", token],
        ["open", {}],
        ["stopped", {}],
      ] as const
    ) {
      const host = `3000-${label}`;
      const authority = `${host}.proxy.localhost:${port}`;
      const shown = await send(authority, { headers: { ...PAGE, ...headers } });
      assert.equal(shown.status, 503);
      assert.doesNotMatch(shown.body, /<form/, label);
      const pressed = await pressAlone(gateway, host, "x", headers);
      assert.ok([400, 403].includes(pressed.status), label);
    }
    assert.equal(api.count("startSandbox"), 0);
  });
}

Deno.test("anybody starts a public sandbox by the button, if that is wanted; Daytona's words are for members", async () => {
  await using gateway = await startWithKey({ WAKE_PUBLIC: "true" });
  const { stack: { api }, send, port } = gateway;
  const authority = `3000-stopped.proxy.localhost:${port}`;
  const shown = await send(authority, { headers: PAGE });
  assert.match(shown.body, BUTTON);
  organizationOf(api).exceeded = "memory";
  const ticket = ticketIn(shown.body);
  const refused = await pressAlone(gateway, "3000-stopped", ticket);
  assert.equal(refused.code, "start_refused");
  assert.doesNotMatch(refused.body, /memory limit/);
  delete organizationOf(api).exceeded;
  const pressed = await pressAlone(gateway, "3000-stopped", ticket);
  assert.equal(pressed.status, 303);
  assert.equal(api.count("startSandbox"), 2);
  // A link is not meant by that.
  const link = `3000-${KEYS.signedToken}.proxy.localhost:${port}`;
  const { body } = await send(link, { headers: PAGE });
  assert.doesNotMatch(body, /<form/);
});

Deno.test("nobody starts a sandbox by the operator's key that is public by a label alone, or whose labels nobody tells", async () => {
  const policy = { WAKE_PUBLIC: "true", PORT_POLICY_OPENS: "true" };
  await using gateway = await startWithKey(policy);
  const { stack: { api }, send, port } = gateway;
  const stopped = api.sandbox("stopped");
  const labels = { "porthole.port.3000": "public" };
  Object.assign(stopped, { public: false, labels });
  const authority = `3000-stopped.proxy.localhost:${port}`;
  const shown = await send(authority, { headers: PAGE });
  assert.equal(shown.code, "sandbox_stopped");
  assert.doesNotMatch(shown.body, /<form/);
  const refused = await pressAlone(gateway, "3000-stopped", "x");
  assert.equal(refused.code, "start_not_allowed");

  await using other = await startWithKey(policy);
  other.stack.api.fault = ({ operation }, answer) =>
    operation === "getSandbox" ? new Response(null, { status: 503 }) : answer();
  const untold = await pressAlone(other, "3000-stopped", "x");
  assert.equal(untold.code, "start_not_allowed");
});

/** A link to the login that leads back to a preview. */
const LOGIN_LINK =
  /<a class="button" href="([^"]+)" data-here>Log in to start it<\/a>/;

/** Where the page's link leads. */
function loginLinkIn(body: string): string {
  const [, href = assert.fail(body)] = LOGIN_LINK.exec(body) ?? [];
  return href.replaceAll("&amp;", "&");
}

for (const scope of SESSION_SCOPES) {
  test(`whoever comes to a public sandbox that is stopped reads where to log in, and starts it then (${scope})`, async (startLoginGateway) => {
    await using gateway = await startLoginGateway({
      ...PRESS,
      SESSION_SCOPE: scope,
    });
    const { stack: { api, runner } } = gateway;
    putToSleep({ api, runner });
    api.sandbox("locked").public = true;
    const browser = gateway.browser();
    const preview = gateway.at("3000-locked", "/deep?a=b");
    const { page } = await browser.open(preview);
    assert.equal(page.url, preview, "nobody is sent to log in");
    assert.equal(codeOf(page), "sandbox_stopped");
    assert.doesNotMatch(page.body, /<form/);
    const login = new URL(loginLinkIn(page.body));
    assert.equal(login.origin + login.pathname, gateway.at("", "/login"));
    assert.equal(login.searchParams.get("return_to"), preview);
    const { page: again } = await browser.openAs("alice", login.href);
    assert.equal(again.url, preview);
    assert.match(again.body, BUTTON);
    assert.doesNotMatch(again.body, LOGIN_LINK);
    const pressed = await browser.submit(again, { follow: false });
    assert.equal(pressed.page.status, 303);
    assert.equal(pressed.page.headers.get("location"), preview);
    assert.equal(api.count("startSandbox"), 1);
    assert.equal(api.sandbox("locked").state, "started");
  });
}

Deno.test("who logs in to a public sandbox that is another organization's starts nothing, and opening it with WAKE=visit counts for members only", async () => {
  await using gateway = await startAsleep({ WAKE: "visit" });
  const { stack: { api } } = gateway;
  api.sandbox("locked").public = true;
  const preview = gateway.at("3000-locked");
  const browser = gateway.browser();
  const { page } = await browser.open(preview);
  const { page: refused } = await browser.openAs(
    "mallory",
    loginLinkIn(page.body),
  );
  assert.equal(codeOf(refused), "no_access");
  const { page: still } = await browser.open(preview);
  assert.match(still.body, LOGIN_LINK);
  assert.equal(api.count("startSandbox"), 0);
});

Deno.test("no frame, script, form or prefetch at a public sandbox that is stopped gets the way to the login", async () => {
  await using gateway = await startAsleep();
  const { stack: { api }, send, port } = gateway;
  api.sandbox("locked").public = true;
  const authority = `3000-locked.proxy.localhost:${port}`;
  const shown = await send(authority, { headers: PAGE });
  assert.match(shown.body, LOGIN_LINK);
  const others: Record<string, string>[] = [
    { ...PAGE, "sec-fetch-dest": "iframe" },
    { ...PAGE, "sec-purpose": "prefetch" },
    { ...PAGE, "sec-fetch-mode": "cors" },
    { accept: "*/*" },
  ];
  for (const headers of others) {
    const { status, body } = await send(authority, { headers });
    assert.equal(status, 503);
    assert.doesNotMatch(body, /\/login/);
  }
  // Nor does a member have the button in a frame.
  const browser = gateway.browser();
  const { page } = await browser.open(gateway.at("3000-locked"));
  await browser.openAs("alice", loginLinkIn(page.body));
  const cookie = browser.cookieAt(gateway.at("3000-locked")) ||
    assert.fail("no session");
  const framed = { ...PAGE, cookie, "sec-fetch-dest": "iframe" };
  const { body } = await send(authority, {
    headers: { ...framed, "sec-fetch-site": "same-origin" },
  });
  assert.doesNotMatch(body, /<form/);
});

Deno.test("who has logged in starts what everybody may start, even if Daytona would not have them start it", async () => {
  await using gateway = await startWithKey({ WAKE_PUBLIC: "true" });
  const { stack: { api } } = gateway;
  api.sandbox("locked").public = true;
  const returnTo = encodeURIComponent(gateway.at("3000-locked"));
  const browser = gateway.browser();
  const login = gateway.at("", `/login?return_to=${returnTo}`);
  const { page } = await browser.openAs("alice", login);
  api.state.memberships.set("alice", new Set());
  const { page: pressed } = await browser.submit(page, { follow: false });
  assert.equal(pressed.status, 303);
  assert.equal(api.count("startSandbox"), 2);
  assert.equal(startedBy(api).at(-1), OPERATORS_KEY);
});

Deno.test("where nobody can log in, the page of a public sandbox that is stopped is as it was", async () => {
  await using gateway = await startHostedGateway(PRESS);
  const authority = `3000-stopped.proxy.localhost:${gateway.port}`;
  const { code, body } = await gateway.send(authority, { headers: PAGE });
  assert.equal(code, "sandbox_stopped");
  assert.doesNotMatch(body, /\/login|<form/);
});

Deno.test("a program starts a sandbox by a POST with its own bearer, or with the preview token if links may, and reads what comes of it", async () => {
  await using gateway = await startWithKey({ WAKE_LINKS: "true" });
  const { stack: { api }, send, port } = gateway;
  const authority = `3000-locked.proxy.localhost:${port}`;
  const call = (headers: Record<string, string>) =>
    send(authority, { method: "POST", path: START_PATH, headers });
  const bearer = { authorization: `Bearer ${KEYS.user}` };
  const known = api.state.apiKeys.get(KEYS.user) ?? {};
  api.state.apiKeys.set(KEYS.user, { ...known, permissions: [] });
  const refused = await call(bearer);
  assert.deepEqual([refused.status, refused.code], [403, "start_not_allowed"]);
  api.state.apiKeys.set(KEYS.user, {
    ...known,
    permissions: ["write:sandboxes"],
  });
  const started = await call(bearer);
  assert.equal(started.status, 202);
  assert.deepEqual(JSON.parse(started.body), { outcome: "started" });
  assert.equal(started.headers.get("retry-after"), "2");
  const again = await call(bearer);
  assert.deepEqual(JSON.parse(again.body), { outcome: "not_needed" });
  putToSleep(gateway.stack);
  const token = {
    "x-daytona-preview-token": api.sandbox("locked").authToken,
  };
  const byToken = await call(token);
  assert.deepEqual(JSON.parse(byToken.body), { outcome: "started" });
  assert.deepEqual(startedBy(api), [KEYS.user, KEYS.user, OPERATORS_KEY]);
  // Whoever has neither.
  assert.equal((await call({})).code, "login_required");
});

Deno.test("a program that asks for a start is told what to expect of a sandbox that no start would help", async () => {
  await using gateway = await startWithKey({});
  const { stack: { api }, send, port } = gateway;
  api.state.apiKeys.set(KEYS.user, { permissions: ["write:sandboxes"] });
  const sandbox = api.sandbox("locked");
  for (
    const [state, desiredState, expected] of [
      ["starting", "started", "under_way"],
      ["restoring", "started", "under_way"],
      ["pulling_snapshot", "started", "under_way"],
      ["archived", "started", "under_way"],
      ["stopping", "stopped", "changing"],
      ["resizing", "started", "changing"],
      ["error", "started", "failed"],
      ["build_failed", "started", "failed"],
      ["destroying", "destroyed", "failed"],
      ["started", "started", "not_needed"],
    ] as const
  ) {
    Object.assign(sandbox, { state, desiredState });
    const { status, body } = await send(`3000-locked.proxy.localhost:${port}`, {
      method: "POST",
      path: START_PATH,
      headers: { authorization: `Bearer ${KEYS.user}` },
    });
    const { outcome } = JSON.parse(body);
    assert.deepEqual([state, status, outcome], [state, 202, expected]);
  }
  assert.equal(api.count("startSandbox"), 0);
});

Deno.test("whoever presses again and again has the API asked for a state twenty times, and then once in 2 s", async () => {
  using clock = fakeClock();
  await using gateway = await startWithKey({});
  const { stack: { api }, send, port } = gateway;
  api.state.apiKeys.set(KEYS.user, { permissions: ["write:sandboxes"] });
  const request = {
    method: "POST",
    path: START_PATH,
    headers: { authorization: `Bearer ${KEYS.user}` },
  };
  const press = async (times: number) => {
    for (let nth = 0; nth < times; nth++) {
      const { status } = await send(
        `3000-locked.proxy.localhost:${port}`,
        request,
      );
      assert.equal(status, 202);
    }
    return api.count("getSandbox");
  };
  let isStarted = false;
  const first = press(1).finally(() => isStarted = true);
  await assertEventually(() => {
    clock.pass(1);
    return isStarted;
  }, "the sandbox is started");
  const before = await first + 21; // its labels, too: a start forgets them
  assert.equal(await press(30), before);
  assert.equal(await press(30), before);
  for (let more = 1; more <= 2; more++) {
    clock.pass(2000);
    assert.equal(await press(5), before + more);
  }
});

/** Has the sandbox `locked` fail in a way from which it can be recovered. */
function fail({ api }: Stack): void {
  Object.assign(api.sandbox("locked"), {
    state: "error",
    errorReason: "no space left",
    recoverable: true,
  });
}

Deno.test("a member recovers a sandbox by its button, a program by its call, and nobody else does", async () => {
  await using gateway = await startWithKey({ WAKE_LINKS: "true" });
  const { stack, send, port } = gateway;
  const { api } = stack;
  api.state.apiKeys.set(KEYS.user, { permissions: ["write:sandboxes"] });
  fail(stack);
  const link = `3000-${KEYS.signedToken}`;
  const authority = `${link}.proxy.localhost:${port}`;
  const shown = await send(authority, { headers: PAGE });
  assert.equal(shown.code, "sandbox_recoverable");
  assert.doesNotMatch(shown.body, /<form/);
  const { browser, page } = await gateway.pageOf("alice");
  assert.match(page.body, />Recover the sandbox<\/button>/);
  const { page: back } = await browser.submit(page, { follow: false });
  assert.equal(back.status, 303);
  assert.equal(api.sandbox("locked").state, "started");
  // A button that was for a start does not recover.
  putToSleep(stack);
  const { page: stopped } = await browser.open(gateway.at("3000-locked"));
  fail(stack);
  await browser.submit(stopped, { follow: false });
  assert.equal(api.count("recoverSandbox"), 1);
  assert.equal(api.count("startSandbox"), 0);
  const call = await send(`3000-locked.proxy.localhost:${port}`, {
    method: "POST",
    path: START_PATH,
    headers: { authorization: `Bearer ${KEYS.user}` },
  });
  assert.deepEqual(JSON.parse(call.body), { outcome: "started" });
  assert.equal(api.count("recoverSandbox"), 2);
});

test("whom a label lets look, and who is no member, starts nothing", async (startLoginGateway) => {
  await using gateway = await startLoginGateway({
    ...PRESS,
    LOGIN_BY_LABEL: "true",
  });
  const { stack: { api, runner }, provider, send } = gateway;
  putToSleep({ api, runner });
  provider.claims.set("mallory", { email_verified: true });
  Object.assign(api.sandbox("locked"), {
    labels: { "porthole.allow": "mallory@example.test" },
  });
  const browser = gateway.browser();
  const url = new URL(gateway.at("3000-locked"));
  const { page } = await browser.openAs("mallory", url.href);
  assert.equal(codeOf(page), "sandbox_stopped");
  assert.doesNotMatch(page.body, BUTTON);
  const asked = { method: "POST", crossSite: false };
  const pressed = await send(url.host, {
    method: "POST",
    path: START_PATH,
    headers: {
      ...PAGE,
      cookie: browser.jar.fieldFor(url, asked) ?? "",
      origin: url.origin,
      "sec-fetch-site": "same-origin",
    },
  });
  assert.equal(pressed.code, "start_not_allowed");
  assert.equal(api.count("startSandbox"), 0);
});

Deno.test("in front of somebody else's Daytona, whoever may log in is no member, and recovers nothing", async () => {
  await using gateway = await startHostedLoginGateway("group:staff", PRESS);
  const { stack } = gateway;
  putToSleep(stack);
  const browser = gateway.browser();
  const { page: stopped } = await browser.openAs(
    "alice",
    gateway.at("3000-locked"),
  );
  fail(stack);
  const { page } = await browser.submit(stopped);
  assert.equal(codeOf(page), "sandbox_recoverable");
  assert.doesNotMatch(page.body, /<form|no space left/);
  assert.equal(stack.api.count("recoverSandbox"), 0);
});

Deno.test("the log says of each start who had it, by what, of which sandbox, and what came of it; no key", async () => {
  await using log = await collectLog();
  await using gateway = await startWithKey({
    WAKE_LINKS: "true",
    LOG_SUBJECT: "clear",
  });
  const { stack, send, port } = gateway;
  const { browser, page } = await gateway.pageOf("alice");
  await browser.submit(page, { follow: false });
  putToSleep(stack);
  organizationOf(stack.api).exceeded = "cpu";
  const link = `3000-${KEYS.signedToken}`;
  const authority = `${link}.proxy.localhost:${port}`;
  const { body } = await send(authority, { headers: PAGE });
  await pressAlone(gateway, link, ticketIn(body));
  const starts = log.records().filter(({ message }) =>
    message === "a visitor asked for a start"
  ).map(({ sandboxId, means, intent, by, subject, outcome, reason }) => {
    const why = String(reason).slice(0, 15);
    return { sandboxId, means, intent, by, subject, outcome, why };
  });
  const facts = { sandboxId: "locked", means: "start", intent: "press" };
  assert.deepEqual(starts, [
    {
      ...facts,
      by: "login",
      subject: "alice",
      outcome: "started",
      why: "undefined",
    },
    {
      ...facts,
      by: "link",
      subject: undefined,
      outcome: "refused",
      why: "Total CPU limit",
    },
  ]);
  assert.doesNotMatch(JSON.stringify(log.records()), /dtn_operator/);
});

Deno.test("in front of somebody else's Daytona, the operator's key starts for who may log in, and for nobody else", async () => {
  await using gateway = await startHostedLoginGateway("group:staff", PRESS);
  const { stack, send } = gateway;
  const { api } = stack;
  putToSleep(stack);
  const guest = await send("3000-stopped.proxy.localhost", { headers: PAGE });
  assert.equal(guest.code, "sandbox_stopped");
  assert.doesNotMatch(guest.body, /<form/);
  const browser = gateway.browser();
  const { page } = await browser.openAs("alice", gateway.at("3000-locked"));
  assert.equal(codeOf(page), "sandbox_stopped");
  const key = stack.environment["DAYTONA_API_KEY"] ?? "";
  const known = api.state.apiKeys.get(key) ?? assert.fail("no key");
  api.state.apiKeys.set(key, { ...known, permissions: [] });
  const { page: refused } = await browser.submit(page);
  assert.equal(codeOf(refused), "start_not_allowed", "previews need nothing");
  api.state.apiKeys.set(key, { ...known, permissions: ["write:sandboxes"] });
  organizationOf(api).exceeded = "memory";
  const { page: quota } = await browser.submit(page);
  assert.equal(codeOf(quota), "start_refused");
  assert.doesNotMatch(quota.body, /memory limit/, "for members only");
  delete organizationOf(api).exceeded;
  const { page: back } = await browser.submit(page, { follow: false });
  assert.equal(back.status, 303);
  assert.equal(api.sandbox("locked").state, "started");
});

Deno.test("a start at somebody else's Daytona, which gives the sandbox another token, has the first upload after it succeed", async () => {
  await using gateway = await startHostedLoginGateway("group:staff", PRESS);
  const { stack: { api, hosted, runner }, send } = gateway;
  const headers = { authorization: `Bearer ${HOSTED_KEYS.member}` };
  const host = "3000-locked.proxy.localhost";
  assert.equal((await send(host, { path: "/echo", headers })).status, 200);
  putToSleep({ api, runner });
  const browser = gateway.browser();
  const { page } = await browser.openAs("alice", gateway.at("3000-locked"));
  const old = api.sandbox("locked").authToken;
  await browser.submit(page, { follow: false });
  assert.notEqual(api.sandbox("locked").authToken, old);
  hosted.forget();
  const upload = { method: "POST", path: "/upload", body: "x", headers };
  assert.equal((await send(host, upload)).status, 200);
  const { lines = [] } = hosted.seen.at(-1) ?? {};
  assert.deepEqual(valuesOf(lines, "x-daytona-preview-token"), [
    api.sandbox("locked").authToken,
  ]);
});

Deno.test("in front of somebody else's Daytona, the operator's key starts for links and public sandboxes where that is wanted, if anybody tells which sandbox it is", async () => {
  await using gateway = await startHostedGateway({
    ...PRESS,
    WAKE_LINKS: "true",
    WAKE_PUBLIC: "true",
  });
  const { stack, send, port } = gateway;
  putToSleep(stack);
  const at = (label: string) => `3000-${label}.proxy.localhost:${port}`;
  const link = await send(at(KEYS.signedToken), { headers: PAGE });
  assert.equal(link.code, "sandbox_stopped");
  assert.doesNotMatch(link.body, /<form/, "nobody tells which one");
  const { headers } = await send(at("locked"), {
    path: `/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
    headers: PAGE,
  });
  const cookie = headers.get("set-cookie")?.split(";")[0] ?? "";
  const visitors = [["locked", { cookie }], ["stopped", {}]] as const;
  for (const [id, credential] of visitors) {
    const shown = await send(at(id), { headers: { ...PAGE, ...credential } });
    const ticket = ticketIn(shown.body);
    const pressed = await pressAlone(
      gateway,
      `3000-${id}`,
      ticket,
      credential,
    );
    assert.equal(pressed.status, 303, id);
    assert.equal(stack.api.sandbox(id).state, "started");
  }
  const key = stack.environment["DAYTONA_API_KEY"];
  assert.deepEqual(startedBy(stack.api), [key, key]);
});

Deno.test("in front of somebody else's Daytona, nobody without a login starts anything", async () => {
  await using gateway = await startHostedGateway(PRESS);
  const { stack, send } = gateway;
  const host = `3000-stopped.proxy.localhost:${gateway.port}`;
  const { status, code } = await send(host, {
    method: "POST",
    path: START_PATH,
    headers: { origin: `http://${host}`, "content-length": "8" },
    body: "ticket=x",
  });
  assert.deepEqual([status, code], [403, "start_not_allowed"]);
  assert.equal(stack.api.count("startSandbox"), 0);
});

Deno.test("a sandbox of which nothing is served is started by nobody, and shows no button", async () => {
  let forbids = true;
  const forbidding: FeatureModule = {
    name: "forbidding",
    create: () => ({
      guard: () => forbids ? new GatewayError("port_off", "test") : undefined,
    }),
  };
  const environment = { WAKE: "visit" };
  const features = [...FEATURES, forbidding];
  await using gateway = await startGateway(environment, { features });
  const { api } = gateway.stack;
  putToSleep(gateway.stack);
  const known = api.state.apiKeys.get(KEYS.user);
  const permissions = ["write:sandboxes"];
  api.state.apiKeys.set(KEYS.user, { ...known, permissions });
  const authorization = `Bearer ${KEYS.user}`;
  async function codesOf(): Promise<(string | null)[]> {
    const headers = { ...PAGE, authorization };
    const { code } = await gateway.send(LOCKED, { headers });
    const started = await gateway.send(LOCKED, {
      method: "POST",
      path: START_PATH,
      headers: { authorization },
    });
    return [code, started.code];
  }
  assert.deepEqual(await codesOf(), ["port_off", "port_off"]);
  assert.equal(api.count("startSandbox"), 0);
  forbids = false;
  assert.deepEqual(await codesOf(), ["sandbox_stopped", null]);
  assert.equal(api.count("startSandbox"), 1);
});
