import assert from "node:assert/strict";
import {
  ERROR_CODES,
  type ErrorCode,
  ERRORS,
} from "../../../src/error_codes.ts";
import {
  errorPage,
  type ErrorPageData,
} from "../../../src/pages/error_page.ts";
import { problem } from "../../../src/pages/problem.ts";

function pageOf(
  code: ErrorCode,
  differences: Partial<ErrorPageData> = {},
): string {
  return errorPage({
    code,
    requestId: "id-<1>",
    mayReload: true,
    retryAfterSec: undefined,
    advice: {},
    ...differences,
  });
}

Deno.test("errorPage() shows every code with its status, and escapes the request's id", () => {
  for (const code of ERROR_CODES) {
    const page = pageOf(code);
    assert.match(page, new RegExp(`class="status">${ERRORS[code].status}<`));
    assert.match(page, /id-&lt;1&gt;/);
    assert.doesNotMatch(
      pageOf(code, { mayReload: false }),
      /<script data-seconds/i,
    );
  }
});

Deno.test("errorPage() reloads by itself if waiting helps, and says so", () => {
  for (
    const code of [
      "port_closed",
      "api_unreachable",
      "container_not_found",
    ] as const
  ) {
    const page = pageOf(code);
    assert.ok(page.includes(`<script data-seconds="2" data-code="${code}">`));
    assert.match(
      page,
      /<noscript><meta http-equiv="refresh" content="5"><\/noscript>/,
    );
    assert.match(page, /<p role="status">This page reloads by itself/);
  }
});

Deno.test("errorPage() reloads no sooner than Retry-After says", () => {
  const page = pageOf("api_unreachable", { retryAfterSec: 60 });
  assert.match(page, /<script data-seconds="60"/);
  assert.match(page, /<meta http-equiv="refresh" content="60">/);
  const soon = pageOf("overloaded", { retryAfterSec: 1 });
  assert.match(soon, /<script data-seconds="2"[^]*content="5"/);
});

Deno.test("errorPage() says which steps there are until an app answers, and which is under way", () => {
  const now = /<li aria-current="step">([^<]+)<\/li>/g;
  for (
    const [code, step] of [
      ["sandbox_starting", "The sandbox starts."],
      ["sandbox_resuming", "The sandbox resumes."],
      [
        "sandbox_restoring",
        "The sandbox’s files are brought back, and it starts.",
      ],
      ["sandbox_pulling", "The sandbox is set up, and starts."],
      ["port_closed", "The app begins to listen on port 3000."],
    ] as const
  ) {
    const page = pageOf(code, { port: 3000 });
    assert.deepEqual([...page.matchAll(now)].map(([, text]) => text), [step]);
    assert.equal(page.match(/<li[ >]/g)?.length, 3);
  }
  for (const code of ["sandbox_stopping", "api_unreachable"] as const) {
    assert.doesNotMatch(pageOf(code, { port: 3000 }), /<ol/);
  }
});

Deno.test("errorPage() does not reload if that would not help or could send a form twice", () => {
  for (
    const page of [
      pageOf("login_required"),
      pageOf("sandbox_not_found"),
      pageOf("port_closed", { mayReload: false }),
    ]
  ) assert.doesNotMatch(page, /refresh|reload|script/);
});

Deno.test("errorPage() has a button that reloads where the same request may be answered otherwise later, and only there", () => {
  const button = '<a class="button" id="reload" href="">Try again</a>';
  for (
    const code of ["too_many_refusals", "internal", "runner_timeout"] as const
  ) {
    const page = pageOf(code);
    assert.ok(page.includes(button), code);
    assert.match(page, /<script>addEventListener\("click"/);
    assert.doesNotMatch(page, /refresh|by itself/);
  }
  // Also on a 404 that the page waits for to pass.
  for (const code of ["port_closed", "container_not_found"] as const) {
    assert.ok(pageOf(code).includes(button), code);
  }
  const once = { mayReload: false };
  assert.ok(!pageOf("port_closed", once).includes(button));
  const logins = pageOf("login_unavailable", { ...once, mayRetry: true });
  assert.ok(logins.includes(button));
  for (const code of ["no_access", "bad_host", "sandbox_deleted"] as const) {
    assert.ok(!pageOf(code).includes(button), code);
  }
});

Deno.test("errorPage() links the preview after a failed login, with the fragment of its own address", () => {
  const retryUrl = 'https://3000-box.p.test/a?b=1&c="<';
  const link =
    '<a class="button" href="https://3000-box.p.test/a?b=1&amp;c=&quot;&lt;" data-here>';
  for (
    const [code, text] of [
      ["login_failed", "Try again"],
      ["login_unavailable", "Try again"],
      ["no_access", "Log in with another account"],
    ] as const
  ) {
    const page = pageOf(code, { advice: { retryUrl } });
    assert.ok(page.includes(`${link}${text}</a>`));
    assert.equal(page.match(/<script>/g)?.length, 1);
    assert.match(page, /link\.hash = location\.hash/);
  }
  assert.doesNotMatch(pageOf("login_failed"), /<a /);
});

Deno.test("errorPage() leads to what /docs says of its code, wherever that is, and to nowhere without an address", () => {
  const docsUrl = "https://p.test/docs?<";
  for (const code of ERROR_CODES) {
    const link =
      `<a href="https://p.test/docs?&lt;#${code}" target="_blank" rel="noopener"><code>`;
    assert.ok(pageOf(code, { docsUrl }).includes(link), code);
    assert.ok(!pageOf(code).includes("/docs?"));
  }
  // The hint of these two names the page as well.
  for (const code of ["route_not_found", "bad_request"] as const) {
    assert.match(pageOf(code, { docsUrl }), /" rel="noopener">\/docs<\/a>/);
    assert.doesNotMatch(pageOf(code), /<a /);
  }
});

Deno.test("errorPage() names port and sandbox as its visitor did, and the sandbox's state only if it was told", () => {
  const page = pageOf("sandbox_not_found", { port: 3000, sandbox: "b<x" });
  assert.match(page, /<dt>Sandbox<\/dt><dd class="name">b&lt;x<\/dd>/);
  assert.match(page, /<dt>Port<\/dt><dd class="name">3000<\/dd>/);
  assert.doesNotMatch(page, /<dt>State/);
  assert.doesNotMatch(pageOf("bad_host"), /<dt>(Sandbox|Port)/);
});

Deno.test("errorPage() has the name that was asked for in its title, and says of what is served there which it is", () => {
  const name = "shop.p.test:8443";
  const page = pageOf("sandbox_stopped", { port: 3000, name });
  assert.match(page, /<title>shop\.p\.test:8443: The sandbox is stopped</);
  assert.match(page, /It serves shop\.p\.test:8443 only while it is running/);
  assert.match(page, /<dt>Name<\/dt><dd class="name">shop\.p\.test:8443</);
  const closed = pageOf("port_closed", { port: 3000, name });
  assert.match(closed, /no app answers on port 3000\./);
  const suspended = pageOf("name_suspended", { name: "<b>$&" });
  assert.match(
    suspended,
    /<title>&lt;b&gt;\$&amp;: This address is suspended</,
  );
  assert.match(suspended, /The DNS of &lt;b&gt;\$&amp; has not pointed here/);
});

Deno.test("errorPage() has the port in its title, and says what else is wanted of a sandbox only where its state does not lead there", () => {
  assert.match(
    pageOf("port_closed", { port: 3000 }),
    /<title>3000: Nothing is listening on this port</,
  );
  assert.match(pageOf("bad_host"), /<title>This address is not a preview</);
  for (
    const [code, state, desiredState, isSaid] of [
      ["sandbox_starting", "starting", "started", false],
      ["sandbox_pulling", "pulling_snapshot", "started", false],
      ["sandbox_starting", "stopped", "started", true],
      ["sandbox_stopping", "stopping", "stopped", false],
      ["sandbox_stopping", "stopping", "started", true],
      ["sandbox_stopped", "stopped", "stopped", false],
      ["sandbox_error", "error", "started", true],
    ] as const
  ) {
    const sandbox = {
      state,
      desiredState,
      recoverable: false,
      errorReason: null,
    };
    const page = pageOf(code, { advice: { sandbox } });
    assert.match(page, new RegExp(`id="state">${state}<`));
    assert.equal(page.includes("is wanted"), isSaid, `${state} ${code}`);
  }
});

Deno.test("errorPage() says of port 2280 that it is the toolbox, which is private even where previews are public", async () => {
  const page = pageOf("login_required", { port: 2280 });
  assert.match(page, /<h1>The toolbox is private<[^]*runs commands/);
  assert.doesNotMatch(page, /This preview/);
  const app = pageOf("login_required", { port: 3000 });
  assert.match(app, /<h1>This preview is private</);
  const told = await problem({
    code: "login_required",
    port: 2280,
    requestId: "id",
    asPage: false,
  }).json();
  assert.match(told.message, /^The toolbox is private\. /);
});

Deno.test("errorPage() names who has logged in, and who asks too often has a button that waits with them", () => {
  const refused = pageOf("no_access", { advice: { user: "a<b@p.test" } });
  assert.match(refused, /<dt>Logged in as<\/dt><dd class="name">a&lt;b@p/);
  assert.doesNotMatch(pageOf("no_access"), /Logged in as/);
  for (
    const [code, waits] of [
      ["too_many_refusals", true],
      ["user_throttled", true],
      ["overloaded", false],
    ] as const
  ) {
    const page = pageOf(code, { retryAfterSec: 40 });
    assert.equal(page.includes('href="" data-seconds="40">Try again'), waits);
  }
});

Deno.test("errorPage() and the problem document say when a link or a sandbox ended, where that is known", async () => {
  const advice = { endedAt: Date.parse("2026-11-29T15:00:00Z") };
  const page = pageOf("signed_url_invalid", { advice });
  assert.match(page, /<dt>Ended<\/dt><dd [^>]+>Sun, 29 Nov 2026 15:00:00 GMT</);
  assert.doesNotMatch(pageOf("signed_url_invalid"), /Ended/);
  const facts = {
    code: "signed_url_invalid",
    requestId: "id",
    asPage: false,
  } as const;
  const told = await problem({ ...facts, advice }).json();
  assert.equal(told.endedAt, "2026-11-29T15:00:00.000Z");
  assert.ok(!("endedAt" in await problem(facts).json()));
});

Deno.test("errorPage() leads to Daytona's dashboard where something can be done there, whether or not there is a sandbox", () => {
  const dashboardUrl = "https://daytona.test/dashboard?<";
  const link = '<a href="https://daytona.test/dashboard?&lt;" target="_blank"';
  for (
    const code of [
      "sandbox_stopped",
      "sandbox_not_found",
      "no_access",
    ] as const
  ) {
    assert.ok(pageOf(code, { dashboardUrl }).includes(link), code);
    assert.doesNotMatch(pageOf(code), /dashboard/);
  }
  for (
    const code of [
      "sandbox_starting",
      "port_closed",
      "bad_host",
      // Who is sent a link may have no account there.
      "signed_token_invalid",
    ] as const
  ) {
    assert.ok(!pageOf(code, { dashboardUrl }).includes(link), code);
  }
});

Deno.test("errorPage() tells the pages around its frame its state, where they may hear of it, and is the same otherwise", () => {
  const ancestors = ["https://a.example", "https://b.example:8443"];
  const facts = { port: 3000, retryAfterSec: 2 };
  for (const code of ERROR_CODES) {
    const plain = pageOf(code, facts);
    assert.doesNotMatch(plain, /postMessage|framed"/);
    for (const none of [undefined, []]) {
      const advice = { ancestors: none };
      assert.equal(pageOf(code, { ...facts, advice }), plain);
    }
    const told = pageOf(code, { ...facts, advice: { ancestors } });
    assert.equal(told.match(/postMessage/g)?.length, 1, code);
    assert.ok(told.includes(`data-ancestors="${ancestors.join(" ")}"`), code);
    assert.match(told, new RegExp(`&quot;code&quot;:&quot;${code}&quot;`));
  }
  const page = pageOf("port_closed", { ...facts, advice: { ancestors } });
  const [, message = ""] = /data-message="([^"]+)"/.exec(page) ?? [];
  assert.deepEqual(JSON.parse(message.replaceAll("&quot;", '"')), {
    source: "porthole",
    v: 1,
    type: "state",
    state: "waiting",
    code: "port_closed",
    ...facts,
  });
});

Deno.test("errorPage() says of a grant that has ended in a frame that the preview has, and asks for no token", () => {
  const advice = { ancestors: ["https://a.example"] };
  const page = pageOf("grant_invalid", { advice });
  assert.match(page, /<h1>This preview has ended</);
  assert.doesNotMatch(page, /token|<a /);
  assert.match(pageOf("grant_invalid"), /<h1>This token does not open/);
});

Deno.test("errorPage() says which of five causes keeps a preview out of a frame, each with a remedy of its own", () => {
  const texts = new Set<string>();
  for (
    const [frameCause, remedy] of [
      ["not_listed", /in the gateway&#39;s ALLOWED_ORIGINS/],
      ["no_referer", /referrerpolicy=&quot;strict-origin&quot;/],
      ["cookie_not_kept", /allow cookies of other sites/],
      ["login_needed", /and log in there/],
      ["no_session", /a link with a token, or a signed link/],
    ] as const
  ) {
    const page = pageOf("frame_refused", { advice: { frameCause } });
    assert.match(page, /<h1>This preview is not open in this frame</);
    assert.match(page, remedy);
    assert.match(page, /tab of its own/);
    assert.ok(page.includes(`<dt>Cause</dt><dd class="name">${frameCause}<`));
    const [, detail = ""] = /<\/h1>\n<p>([^<]+)/.exec(page) ?? [];
    texts.add(detail);
  }
  assert.equal(texts.size, 5);
});

Deno.test("errorPage() has a class in a frame, by which a small one shows its title, one line and the button only", () => {
  const framed = pageOf("port_closed", { isFramed: true });
  const plain = pageOf("port_closed", { isFramed: false });
  assert.match(framed, /<main class="framed">/);
  assert.equal(framed.replace(' class="framed"', ""), plain);
  assert.equal(plain, pageOf("port_closed"));
});

Deno.test("errorPage() links the login for who has lost a session, where there is one", () => {
  const retryUrl = "https://p.test/login?return_to=x";
  const page = pageOf("session_not_kept", { advice: { retryUrl } });
  assert.match(page, /You have just logged in, or opened a link/);
  assert.ok(page.includes(`href="${retryUrl}" data-here>Log in</a>`));
  assert.doesNotMatch(pageOf("session_not_kept"), /<a /);
});

Deno.test("S4: errorPage() leads out of a frame by a new tab, which keeps the fragment", () => {
  const page = pageOf("frame_refused");
  assert.match(
    page,
    /<a class="button" href="" data-here target="_blank" rel="noopener">Open it in/,
  );
  assert.doesNotMatch(page, /refresh|reload/);
});

Deno.test("errorPage() leads the app's developer on where the app may be the cause, and to nowhere without an address", () => {
  const docsUrl = "https://p.test/docs";
  const guide = /href="https:\/\/p\.test\/docs\/apps"/;
  const plain = pageOf("port_closed", { docsUrl, port: 3000 });
  assert.match(plain, guide);
  assert.doesNotMatch(plain, /inspect/);
  const ownersViewUrl = "https://p.test/inspect/box";
  const both = pageOf("port_closed", { docsUrl, port: 3000, ownersViewUrl });
  assert.match(both, guide);
  assert.match(both, /href="https:\/\/p\.test\/inspect\/box"/);
  assert.doesNotMatch(pageOf("port_closed", { port: 3000 }), /For the app/);
  for (
    const [code, port] of [
      ["login_required", 3000],
      ["target_too_long", 2280], // the toolbox
      ["target_too_long", undefined], // a page of the gateway's own
    ] as const
  ) assert.doesNotMatch(pageOf(code, { docsUrl, port }), guide);
});
