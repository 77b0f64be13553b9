import assert from "node:assert/strict";
import { SECTIONS } from "../../src/modules.ts";
import {
  judgeApi,
  judgeClock,
  judgeServiceKey,
} from "../../scripts/doctor/api.ts";
import type { Answer, Reply } from "../../scripts/doctor/ask.ts";
import type { Finding, State } from "../../scripts/doctor/finding.ts";
import { judgeFront } from "../../scripts/doctor/front.ts";
import { judgeSharedCache } from "../../scripts/doctor/shared_cache.ts";
import { judgeLinks } from "../../scripts/doctor/links.ts";
import { judgeRedirectUri } from "../../scripts/doctor/redirect_uri.ts";
import {
  judgeOpenFiles,
  openFilesLimit,
} from "../../scripts/doctor/open_files.ts";
import { judgeSettings } from "../../scripts/doctor/settings.ts";
import { judgeNames } from "../../scripts/doctor/variables.ts";
import { judgeDns } from "../../scripts/doctor/wildcard_dns.ts";
import { parseConfig } from "../../src/config/config.ts";

function answer(
  status: number,
  text = "",
  headers: Record<string, string> = {},
): Answer {
  const json = text.startsWith("{") ? JSON.parse(text) : undefined;
  return {
    answered: true,
    status,
    headers: new Headers(headers),
    text,
    json,
    at: Date.UTC(2026, 0, 1),
    tookMs: 7,
  };
}

function expect(
  { state, finding }: Finding,
  [wanted, text]: readonly [State, RegExp],
): void {
  assert.match(finding, text);
  assert.equal(state, wanted);
}

const URI = "https://preview.test/callback";

Deno.test("judgeRedirectUri() reads the error pages of known providers, and skips inconclusive ones", async (t) => {
  const cases: [string, Reply, State, RegExp][] = [
    [
      "back to us, nobody there",
      answer(303, "", { location: `${URI}?error=login_required&state=x` }),
      "ok",
      /is registered/,
    ],
    [
      "back to us, with a reason",
      answer(302, "", { location: `${URI}?error=invalid_scope` }),
      "warning",
      /invalid_scope: no reason given/,
    ],
    [
      "Keycloak, unregistered",
      answer(400, "<p>Invalid parameter: redirect_uri</p>"),
      "failed",
      /does not accept https:\/\/preview\.test\/callback/,
    ],
    [
      "Keycloak, no such client",
      answer(400, "<p>Client not found.</p>"),
      "failed",
      /does not know the client/,
    ],
    [
      "Auth0, unregistered",
      answer(403, "<h1>Callback URL mismatch.</h1>"),
      "failed",
      /does not accept/,
    ],
    [
      "Dex, unregistered",
      answer(400, `Unregistered redirect_uri ("${URI}").`),
      "failed",
      /does not accept/,
    ],
    [
      "an error page that quotes the request",
      answer(400, `bad scope in /auth?client_id=a&redirect_uri=${URI}`),
      "skipped",
      /does not tell/,
    ],
    [
      "a login page that holds the request",
      answer(200, `<form><input name="redirect_uri" value="${URI}">`),
      "skipped",
      /does not tell/,
    ],
    [
      "on to a login page",
      answer(302, "", { location: "/login?redirect_uri=x" }),
      "skipped",
      /does not tell/,
    ],
    [
      "to somebody else's callback of the same beginning",
      answer(302, "", { location: `${URI}-other?error=login_required` }),
      "skipped",
      /does not tell/,
    ],
    ["its failure", answer(502, "redirect_uri"), "skipped", /status 502/],
    [
      "no answer",
      { answered: false, kind: "timeout", reason: "no answer in time" },
      "skipped",
      /no answer in time/,
    ],
  ];
  for (const [why, reply, state, text] of cases) {
    await t.step(
      why,
      () => expect(judgeRedirectUri(URI, reply), [state, text]),
    );
  }
});

Deno.test("judgeServiceKey() takes only the API's own 404 for a yes", () => {
  const notFound = JSON.stringify({ message: "Sandbox with ID x not found" });
  const judge = (reply: Answer) => judgeServiceKey(reply, "abcdefg");
  expect(judge(answer(404, notFound)), ["ok", /as a proxy's/]);
  const noRoute = JSON.stringify({
    message: "Cannot GET /api/preview/x/public",
  });
  expect(judge(answer(404, noRoute)), [
    "failed",
    /not have the operation/,
  ]);
  expect(judge(answer(404, "<h1>")), [
    "failed",
    /not have the operation/,
  ]);
  expect(judge(answer(200, "true")), ["failed", /does not exist/]);
  expect(judge(answer(429)), ["warning", /throttles/]);
  expect(judge(answer(500)), ["failed", /status 500/]);
  const refused = judge(answer(401));
  expect(refused, ["failed", /does not know the key/]);
  assert.match(refused.hint ?? "", /has 7 characters here.* ends at # or \$/);
});

Deno.test("judgeApi() follows no redirect, and tells where it leads", () => {
  const { finding, known } = judgeApi(
    "http://api.test/api",
    answer(301, "", { location: "https://api.test/api/config" }),
  );
  expect(finding, ["failed", /redirects to https:\/\/api\.test\/api\/config/]);
  assert.equal(known, undefined);
});

Deno.test("judgeClock() allows for the resolution of a Date, and skips a response without one", () => {
  function dated(ahead: number): Finding {
    const date = new Date(Date.UTC(2026, 0, 1) - ahead).toUTCString();
    return judgeClock(answer(200, "", { date }));
  }
  assert.deepEqual(
    [5_000, 6_000, -4_000, -5_000, 60_000, 61_000, -60_000].map((ahead) =>
      dated(ahead).state
    ),
    ["ok", "warning", "ok", "warning", "warning", "failed", "failed"],
  );
  assert.equal(judgeClock(answer(200)).state, "skipped");
});

Deno.test("judgeDns() wants the base and the wildcard, at the same place", () => {
  const [a, b] = [["192.0.2.1", "2001:db8::1"], ["192.0.2.2"]];
  const { finding, address } = judgeDns("preview.test", { own: a, below: a });
  expect(finding, ["ok", /resolve to 192\.0\.2\.1, 2001:db8::1/]);
  assert.equal(address, "192.0.2.1");
  const cases: [string[], string[], State, RegExp][] = [
    [a, b, "warning", /preview\.test to 192\.0\.2\.2/],
    [a, [...b, "192.0.2.1"], "ok", /resolve to/],
    [a, [], "failed", /for \*\.preview\.test\.$/],
    [[], b, "failed", /for preview\.test\.$/],
    [[], [], "failed", /for preview\.test and \*\.preview\.test\.$/],
  ];
  for (const [own, below, state, text] of cases) {
    expect(judgeDns("preview.test", { own, below }).finding, [state, text]);
  }
});

Deno.test("judgeLinks() tells what to set where the API names no domain", () => {
  const nothing = {
    oidc: null,
    ssoOidc: null,
    proxyTemplateUrl: null,
    proxyToolboxUrl: null,
    dashboardUrl: null,
  };
  function linksWith(domains: { name: string; port: undefined }[]): Finding[] {
    const config = parsed({ PROXY_DOMAIN: "" }).public;
    return judgeLinks({ ...config, domains }, nothing);
  }
  const [unknown] = linksWith([]);
  assert.equal(unknown?.state, "failed");
  assert.match(unknown?.hint ?? "", /PROXY_DOMAIN/);
  const [known] = linksWith([{ name: "preview.test", port: undefined }]);
  assert.equal(known?.state, "warning");
  assert.equal(
    known?.hint,
    "Set the API's template to https://{{PORT}}-{{sandboxId}}.preview.test.",
  );
});

Deno.test("judgeFront() knows a gateway by its health", () => {
  const base = {
    protocol: "https",
    domain: "preview.test",
    port: 443,
  } as const;
  function front(status: number, body: string): Finding {
    return judgeFront(base, answer(status, body));
  }
  const body = JSON.stringify({ status: "ok", version: "1.2.3" });
  expect(front(200, body), ["ok", /version 1\.2\.3/]);
  expect(front(200, "<h1>Welcome to nginx!</h1>"), [
    "failed",
    /is not a gateway/,
  ]);
  expect(front(404, body), ["failed", /status 404/]);
});

Deno.test("judgeSharedCache() believes a cache that says it had the answer, and not one that says it had not", () => {
  function asset(headers: Record<string, string> = {}, text?: string) {
    return {
      status: 200,
      headers: new Headers(headers),
      text: text ?? `// ${crypto.randomUUID()}\n`,
    };
  }
  for (
    const [headers, sign] of [
      [{ age: "7" }, /Age is 7/],
      [{ "cache-status": "front; hit" }, /cache-status/],
      [{ "x-cache": "Hit from somewhere" }, /x-cache/],
      [{ "x-cache-status": "HIT" }, /x-cache-status/],
      [{ "cf-cache-status": "HIT" }, /cf-cache-status/],
    ] as const
  ) {
    expect(judgeSharedCache(asset(), asset(headers)), ["failed", sign]);
    expect(judgeSharedCache(asset(headers), asset()), ["failed", sign]);
  }
  for (
    const headers of [
      {},
      { age: "0" },
      { "cache-status": "front; fwd=uri-miss" },
      { "x-cache": "MISS", "cf-cache-status": "DYNAMIC" },
    ]
  ) expect(judgeSharedCache(asset(), asset(headers)), ["ok", /Nothing/]);
  const html = asset({}, "<h1>Welcome to nginx!</h1>");
  expect(judgeSharedCache(html, html), ["skipped", /an older one/]);
});

function parsed(env: Record<string, string>) {
  const result = parseConfig({
    DAYTONA_API_URL: "https://api.test/api",
    PROXY_API_KEY: "k".repeat(32),
    PROXY_DOMAIN: "preview.test",
    TRUSTED_PROXIES: "10.0.0.1",
    ...env,
  }, SECTIONS);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

Deno.test("judgeNames() names the variables that may be misspelt, wherever in the name, and says no value", () => {
  const found = judgeNames({
    PATH: "/bin",
    LANGUAGE: "en",
    PROXY_HOST: "127.0.0.1",
    OIDC_DOMAIM: "https://a.example",
    TRUSTED_PROXY: "10.0.0.1",
    PROXI_API_KEY: "a-secret",
  });
  assert.deepEqual(
    found.map(({ finding, hint }) => [finding.split(" ")[0], hint]).sort(),
    [
      ["OIDC_DOMAIM", "If OIDC_DOMAIN is meant, rename it."],
      ["PROXI_API_KEY", "If PROXY_API_KEY is meant, rename it."],
      ["TRUSTED_PROXY", "If TRUSTED_PROXIES is meant, rename it."],
    ],
  );
});

Deno.test("judgeNames() says what takes the place of a variable of an earlier version, once", () => {
  const found = judgeNames({ WORKERS: "2" });
  assert.equal(found.length, 1);
  assert.equal(found[0]?.state, "warning");
  assert.match(found[0]?.finding ?? "", /^WORKERS is set/);
  assert.match(found[0]?.hint ?? "", /REUSE_PORT=true/);
});

Deno.test("judgeSettings() names what is allowed and unwise", async (t) => {
  const cases: [Record<string, string>, State, RegExp][] = [
    [{}, "ok", /Nothing/],
    [{ PROXY_API_KEY: "short" }, "warning", /of 5 characters/],
    [
      { PROXY_API_KEY: "short", SESSION_SECRETS: "s".repeat(32) },
      "ok",
      /Nothing/,
    ],
    [{ TRUSTED_PROXIES: "10.0.0.1,0.0.0.0/0" }, "failed", /0\.0\.0\.0\/0/],
    [{ TRUSTED_PROXIES: "::/0" }, "failed", /::\/0/],
    [{ TRUSTED_PROXIES: "" }, "warning", /count as one client/],
    [{ PROXY_PROTOCOL: "http" }, "warning", /in the clear/],
    [{ COOKIE_SAMESITE: "none" }, "warning", /ALLOWED_ORIGINS is empty/],
    [
      { MAX_CONCURRENT_EXCHANGES: "400", MAX_EXCHANGES_PER_CLIENT: "200" },
      "warning",
      /so three clients can take all of MAX_CONCURRENT_EXCHANGES, 400\.$/,
    ],
    [
      { SHUTDOWN_DELAY_SEC: "60", SHUTDOWN_TIMEOUT_SEC: "20" },
      "warning",
      /so a stop by SIGTERM takes 60 s, .+\.$/,
    ],
    [
      { COOKIE_SAMESITE: "none", ALLOWED_ORIGINS: "https://a.example" },
      "ok",
      /Nothing/,
    ],
    [
      { PROXY_PROTOCOL: "http", PROXY_DOMAIN: "proxy.localhost:4000" },
      "ok",
      /Nothing/,
    ],
    [
      { DAYTONA_API_URL: "http://api.test/api" },
      "warning",
      /DAYTONA_API_URL is plain http/,
    ],
    [{ DAYTONA_API_URL: "http://api:3000/api" }, "ok", /Nothing/],
    [{ DAYTONA_API_URL: "http://10.1.2.3/api" }, "ok", /Nothing/],
    [
      { OIDC_DOMAIN: "http://id.test", OIDC_ALLOW_INSECURE: "true" },
      "warning",
      /OIDC_DOMAIN is plain http/,
    ],
  ];
  for (const [env, state, text] of cases) {
    await t.step(JSON.stringify(env), () => {
      const [found, ...more] = judgeSettings(parsed(env));
      assert(found !== undefined);
      expect(found, [state, text]);
      assert.deepEqual(more, []);
    });
  }
});

Deno.test("judgeOpenFiles() compares the limit with what the gateway's limits may take, which is more with TLS", () => {
  const plain = parsed({ MAX_CONCURRENT_EXCHANGES: "60", MAX_TUNNELS: "40" });
  assert.equal(judgeOpenFiles(plain, 2400).state, "ok");
  const few = judgeOpenFiles(plain, 2399);
  assert.equal(few.state, "warning");
  assert.match(few.finding, /=60 and MAX_TUNNELS=40 may take 2400/);
  const files = { certFile: "cert.pem", keyFile: "key.pem" };
  const secure = { ...plain, listen: { ...plain.listen, tls: files } };
  assert.match(judgeOpenFiles(secure, 2400).finding, /may take 2600/);
  assert.equal(judgeOpenFiles(plain, undefined).state, "skipped");
});

Deno.test({
  name: "openFilesLimit() is that of this process",
  ignore: Deno.build.os !== "linux",
  async fn() {
    assert.ok((await openFilesLimit() ?? 0) > 100);
  },
});
