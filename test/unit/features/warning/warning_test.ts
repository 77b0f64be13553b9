import assert from "node:assert/strict";
import {
  wantsWarning,
  type WarnedExchange,
  Warning,
} from "../../../../src/features/warning/warning.ts";
import { Progress } from "../../../../src/gateway/progress.ts";
import { createSealer } from "../../../../src/lib/seal.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { replyTo } from "../../../support/reply_to.ts";
import { ownCookies } from "../../../support/own_cookies.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const SECRET = "a secret of thirty-two characters";
const HOST = "3000-demo.preview.example.com";
const ORIGIN = `https://${HOST}`;
const ACCEPT = "/accept-daytona-preview-warning";

type Fields = Record<string, string>;

/** As Chromium sends them over https. */
const NAVIGATION: Fields = {
  "accept": "text/html,application/xhtml+xml,*/*;q=0.8",
  "sec-fetch-dest": "document",
  "sec-fetch-mode": "navigate",
  "sec-fetch-site": "cross-site",
  "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0",
};

/** The same over http, or from an older browser. */
const OLD_NAVIGATION: Fields = {
  "accept": "text/html,application/xhtml+xml,*/*;q=0.8",
  "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0",
};

function wants(
  fields: Fields,
  { method = "GET", port = 3000 }: { method?: string; port?: number } = {},
): boolean {
  const headers = new Headers(fields);
  const base = "preview.example.com";
  const host = { port, label: "demo", base, authoritySuffix: base };
  const authority = "";
  const received = { method, headers, authority, target: "/" };
  return wantsWarning({ received, route: { host } }, ORIGIN);
}

function without(fields: Fields, name: string): Fields {
  const { [name]: _, ...rest } = fields;
  return rest;
}

Deno.test("wantsWarning() for whatever a browser is about to show", () => {
  for (
    const fields of [
      NAVIGATION,
      OLD_NAVIGATION,
      { ...NAVIGATION, "sec-fetch-dest": "iframe" },
      { ...NAVIGATION, "sec-fetch-dest": "frame" },
      // These show documents that run scripts as well.
      { ...NAVIGATION, "sec-fetch-dest": "embed" },
      { ...NAVIGATION, "sec-fetch-dest": "object" },
      { ...NAVIGATION, "sec-fetch-site": "none", "sec-fetch-user": "?1" },
      { ...NAVIGATION, "sec-fetch-site": "same-origin" },
      { ...NAVIGATION, "sec-purpose": "prefetch;prerender" },
      without(NAVIGATION, "user-agent"),
      { ...NAVIGATION, "x-daytona-skip-preview-warning": "false" },
      { ...NAVIGATION, "cookie": "daytona-preview-page-accepted=true" },
      // <link rel=prefetch> sends nothing else that identifies it, and its response is kept for a navigation.
      {
        "accept": "*/*",
        "sec-fetch-mode": "no-cors",
        "sec-purpose": "prefetch",
      },
    ]
  ) assert.equal(wants(fields), true, JSON.stringify(fields));
  assert.equal(wants(NAVIGATION, { method: "HEAD" }), true);
});

Deno.test("wantsWarning() never for scripts, assets, WebSockets and API clients", () => {
  const script = { ...NAVIGATION, "sec-fetch-dest": "empty" };
  for (
    const fields of [
      {},
      { "accept": "*/*", "user-agent": "curl/8.5.0" },
      { "accept": "text/html", "user-agent": "curl/8.5.0" },
      { "accept": "text/html", "user-agent": "python-requests/2.32" },
      { "accept": "application/json", "user-agent": "axios/1.7" },
      { ...OLD_NAVIGATION, "accept": "*/*" },
      { ...OLD_NAVIGATION, "accept": "image/avif,image/webp,*/*;q=0.8" },
      without(OLD_NAVIGATION, "accept"),
      without(OLD_NAVIGATION, "user-agent"),
      { ...script, "sec-fetch-mode": "cors" },
      { ...script, "sec-fetch-mode": "no-cors" },
      { ...script, "sec-fetch-mode": "same-origin" },
      { ...NAVIGATION, "sec-fetch-dest": "image", "sec-fetch-mode": "no-cors" },
      { ...script, "sec-fetch-mode": "websocket" },
      // Firefox before it sent Fetch Metadata.
      {
        ...OLD_NAVIGATION,
        "connection": "keep-alive, Upgrade",
        "upgrade": "websocket",
      },
      { ...NAVIGATION, "x-daytona-skip-preview-warning": "true" },
    ]
  ) assert.equal(wants(fields), false, JSON.stringify(fields));
});

Deno.test("wantsWarning() never on Daytona's own ports", () => {
  for (const port of [2280, 22222, 33333]) {
    assert.equal(wants(NAVIGATION, { port }), false);
  }
});

Deno.test("wantsWarning() for a form that another site posts, not for the app's own", () => {
  const post = { method: "POST" };
  for (
    const [fields, expected] of [
      [{ ...NAVIGATION, origin: "https://evil.com" }, true],
      [{ ...NAVIGATION, "sec-fetch-site": "same-site" }, true],
      [{ ...OLD_NAVIGATION, origin: "https://evil.com" }, true],
      [{ ...OLD_NAVIGATION, origin: "null" }, true],
      [{ ...NAVIGATION, "sec-fetch-site": "same-origin" }, false],
      [{ ...NAVIGATION, "sec-fetch-site": "none" }, false],
      [
        { ...NAVIGATION, "sec-fetch-site": "same-origin", origin: ORIGIN },
        false,
      ],
      // A page with Referrer-Policy: no-referrer.
      [
        { ...NAVIGATION, "sec-fetch-site": "same-origin", origin: "null" },
        false,
      ],
      [{ ...OLD_NAVIGATION, origin: ORIGIN }, false],
      // No browser posts a form without Origin or Sec-Fetch-Site.
      [OLD_NAVIGATION, false],
      [{ ...NAVIGATION, "sec-fetch-mode": "cors" }, false],
      [{ "user-agent": "GitHub-Hookshot/1", "accept": "*/*" }, false],
    ] as const
  ) assert.equal(wants(fields, post), expected, JSON.stringify(fields));
  for (const method of ["PUT", "DELETE", "OPTIONS", "PATCH"]) {
    assert.equal(wants(NAVIGATION, { method }), false, method);
  }
});

interface Asked {
  readonly fields?: Fields;
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  readonly body?: string | ReadableStream<Uint8Array>;
}

/** A warning with a clock of its own, over https by default. */
function setUp(scheme: "http" | "https" = "https") {
  const clock = { now: 1_800_000_000_000 };
  const now = () => clock.now;
  const sealer = createSealer({ secrets: [SECRET], purpose: "warning", now });
  const cookies = ownCookies({ scheme });
  const warning = new Warning({
    wishes: undefined,
    scheme,
    cookies,
    sealer,
    now,
  });

  function ask(asked: Asked = {}): Promise<Response | undefined> {
    const { method = "GET", target = "/", host = HOST } = asked;
    const authority = host;
    const [, port, label = "", base = ""] =
      /^(\d+)-([^.]+)\.([^:]+)/.exec(host.toLowerCase()) ?? [];
    const headers = new Headers(asked.fields ?? NAVIGATION);
    if (asked.body !== undefined) {
      const { length } = typeof asked.body === "string" ? asked.body : "a=b";
      headers.set("content-length", String(length));
    }
    const request = new Request(`${scheme}://${host}/`, {
      method,
      ...asked.body === undefined ? {} : { body: asked.body },
    });
    const exchange: WarnedExchange = {
      received: { method, headers, authority, target },
      reply: replyTo(request, headers),
      progress: new Progress(0, () => 0),
      route: {
        host: { port: Number(port), label, base, authoritySuffix: base },
      },
    };
    return warning.intercept(exchange);
  }

  /** Accepts; returns the response with the name-value pair of the cookie that it sets. */
  async function accept(asked: Asked = {}) {
    const answer = await ask({
      method: "POST",
      target: ACCEPT,
      fields: { "sec-fetch-site": "same-origin" },
      ...asked,
    });
    assert.ok(answer !== undefined);
    const [cookie = ""] = answer.headers.getSetCookie();
    return {
      status: answer.status,
      location: answer.headers.get("location"),
      setCookie: cookie,
      pair: cookie.slice(0, cookie.indexOf(";")),
      answer,
    };
  }
  return { clock, ask, accept, cookies, sealer };
}

Deno.test("the page is ours, kept by nobody, and needs no script", async () => {
  const { ask } = setUp();
  const answer = await ask({ target: "/a?b=<c>&DAYTONA_SANDBOX_AUTH_KEY=k" });
  assert.ok(answer !== undefined);
  assert.equal(answer.status, 200);
  for (
    const [name, value] of [
      ["cache-control", "no-store"],
      ["content-type", "text/html; charset=utf-8"],
      ["x-content-type-options", "nosniff"],
      ["x-porthole-warning", "1"],
      ["referrer-policy", "same-origin"],
    ] as const
  ) assert.equal(answer.headers.get(name), value);
  assert.match(
    answer.headers.get("content-security-policy") ?? "",
    /^default-src 'none';/,
  );
  const html = await answer.text();
  assert.ok(html.includes(`<p class="host">${HOST}</p>`));
  assert.ok(
    html.includes(
      `value="${ORIGIN}/a?b=&lt;c&gt;&amp;DAYTONA_SANDBOX_AUTH_KEY=k"`,
    ),
  );
  assert.doesNotMatch(html, /target="_blank"/);
  const framed = await ask({
    fields: { ...NAVIGATION, "sec-fetch-dest": "iframe" },
  });
  assert.match(await framed?.text() ?? "", /target="_blank"/);
});

Deno.test("an acceptance leads back to where the visitor wanted to go, with a cookie for a day", async () => {
  const { accept, ask } = setUp();
  const { answer, status, location, setCookie, pair } = await accept({
    body:
      "redirect=https%3A%2F%2F3000-demo.preview.example.com%2Fa%3Fb%3D%2520",
  });
  assert.equal(status, 303);
  assert.equal(location, `${ORIGIN}/a?b=%20`);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.match(
    setCookie,
    /^__Host-porthole-warning-accepted=[\w.-]+; Path=\/; Max-Age=86400; HttpOnly; SameSite=None; Secure; Partitioned$/,
  );
  const fields = { ...NAVIGATION, cookie: `a=b; ${pair}; c=d` };
  assert.equal(await ask({ fields }), undefined);
});

Deno.test("over http an acceptance works without Fetch Metadata", async () => {
  const { accept, ask } = setUp("http");
  const { location, setCookie, pair } = await accept({
    host: `${HOST}:4000`,
    fields: { origin: `http://${HOST}:4000` },
    body: `redirect=${encodeURIComponent(`http://${HOST}:4000//x`)}`,
  });
  assert.equal(location, `http://${HOST}:4000//x`);
  assert.match(setCookie, /; HttpOnly; SameSite=Lax$/);
  const fields = { ...OLD_NAVIGATION, cookie: pair };
  assert.equal(await ask({ host: `${HOST}:4000`, fields }), undefined);
});

Deno.test("the target may be in the query, as for Daytona's proxy, which then counts", async () => {
  const { accept } = setUp();
  const target = `${ACCEPT}?redirect=%2Fa%3Fb&redirect=/c`;
  const { location } = await accept({ target, body: "redirect=/d" });
  assert.equal(location, `${ORIGIN}/a?b`);
});

Deno.test("an acceptance that names another place, or none, leads to the front page", async () => {
  const { accept } = setUp();
  for (
    const redirect of [
      "",
      "https://evil.com/",
      "//evil.com/",
      "/\\evil.com/",
      "\\\\evil.com/",
      "/\t/evil.com/",
      `${ORIGIN}@evil.com/`,
      `${ORIGIN}:444/`,
      `http://${HOST}/`,
      "javascript:alert(1)",
      "/a\r\nx: y",
    ]
  ) {
    const encoded = encodeURIComponent(redirect);
    const { location: fromQuery } = await accept({
      target: `${ACCEPT}?redirect=${encoded}`,
    });
    assert.equal(fromQuery, `${ORIGIN}/`, redirect);
    const { location } = await accept({ body: `redirect=${encoded}` });
    assert.equal(location, `${ORIGIN}/`, redirect);
  }
  assert.equal((await accept()).location, `${ORIGIN}/`);
  assert.equal((await accept({ body: "a=b" })).location, `${ORIGIN}/`);
});

Deno.test("nobody but the page itself accepts", async () => {
  const { ask } = setUp();
  for (
    const fields of [
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "cross-site", origin: ORIGIN },
      { "sec-fetch-site": "same-origin", origin: "https://evil.com" },
      { origin: "https://evil.com" },
      { origin: "https://3000-other.preview.example.com" },
      { origin: "https://3001-demo.preview.example.com" },
      { origin: `http://${HOST}` },
      { origin: `${ORIGIN}:444` },
      { origin: "null" },
      { referer: `${ORIGIN}/` },
      { "x-daytona-skip-preview-warning": "true" },
    ]
  ) {
    await assert.rejects(
      ask({ method: "POST", target: ACCEPT, fields: fields as Fields }),
      { code: "cross_site_request" },
      JSON.stringify(fields),
    );
  }
});

Deno.test("an acceptance holds for one host and one day, by our own clock", async () => {
  const { accept, ask, clock } = setUp();
  const { pair } = await accept();
  const fields = { ...NAVIGATION, cookie: pair };
  for (
    const host of [
      "3001-demo.preview.example.com",
      "3000-other.preview.example.com",
      "3000-demo.preview.example.org",
    ]
  ) assert.ok(await ask({ fields, host }), host);
  assert.equal(await ask({ fields, host: HOST.toUpperCase() }), undefined);
  clock.now += DAY_MS - 1000;
  assert.equal(await ask({ fields }), undefined);
  clock.now += 1000;
  assert.ok(await ask({ fields }));
});

Deno.test("what we did not seal is no acceptance, and hides none", async () => {
  const { accept, ask, cookies, sealer, clock } = setUp();
  const name = cookies.onHost("warning-accepted");
  const { pair } = await accept();
  const elsewhere = createSealer({
    secrets: [SECRET],
    purpose: "session",
    now: () => clock.now,
  });
  const until = clock.now + DAY_MS;
  for (
    const value of [
      "",
      "true",
      "a.b.c.d.e",
      await sealer.seal({}, until),
      await sealer.seal({ host: "3000-other.preview.example.com" }, until),
      await elsewhere.seal({ host: HOST }, until),
    ]
  ) {
    const planted = `${name}=${value}`;
    assert.ok(await ask({ fields: { ...NAVIGATION, cookie: planted } }), value);
    const many = `${planted}; `.repeat(20);
    const both = { ...NAVIGATION, cookie: many + pair };
    assert.equal(await ask({ fields: both }), undefined, value);
  }
});

Deno.test("everything else on a preview host is the app's", async () => {
  const { ask } = setUp();
  const own = { "sec-fetch-site": "same-origin" };
  const post = { method: "POST", fields: own };
  assert.equal(await ask({ target: ACCEPT, fields: own }), undefined);
  assert.equal(
    await ask({ ...post, method: "PUT", target: ACCEPT }),
    undefined,
  );
  assert.equal(await ask({ ...post, target: `${ACCEPT}/` }), undefined);
  assert.equal(await ask({ ...post, target: `/a${ACCEPT}` }), undefined);
  assert.equal(
    await ask({
      ...post,
      target: ACCEPT,
      host: "2280-demo.preview.example.com",
    }),
    undefined,
  );
});

Deno.test("Warning ends an acceptance whose form does not arrive", async () => {
  using clock = fakeClock();
  const { ask } = setUp();
  const reading = Promise.withResolvers<void>();
  const answer = ask({
    method: "POST",
    target: ACCEPT,
    fields: { "sec-fetch-site": "same-origin" },
    body: new ReadableStream({
      pull: () => reading.resolve(),
      cancel: () => assert.fail("cancelled while a read waits"),
    }, { highWaterMark: 0 }),
  });
  await reading.promise;
  clock.pass(10_000);
  await assert.rejects(async () => await answer, { code: "upload_stalled" });
});

Deno.test("a form too long to be ours is refused", async () => {
  const { accept } = setUp();
  const form = "redirect=/d&rest=";
  const { location } = await accept({ body: form.padEnd(100_000, "x") });
  assert.equal(location, `https://${HOST}/d`);
  await assert.rejects(accept({ body: form.padEnd(100_001, "x") }), {
    code: "form_too_long",
  });
});
