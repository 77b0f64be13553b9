/** What opens no share, as nobody has pressed anything: scanners, unfurlers and other pages, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { BASE, LOCKED, startGateway } from "../../../support/gateway.ts";
import {
  askApi,
  makeShare,
  NAVIGATION,
  OWN_PAGE,
  press,
  startShareGateway,
} from "./share_gateway.ts";

/** Programs that look at whatever link somebody posts or is sent, and mail scanners, by what they call themselves. */
const UNFURLERS = [
  "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
  "Slack-ImgProxy (+https://api.slack.com/robots)",
  "Twitterbot/1.0",
  "facebookexternalhit/1.1",
  "Facebot",
  "LinkedInBot/1.0 (compatible; Mozilla/5.0)",
  "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
  "TelegramBot (like TwitterBot)",
  "WhatsApp/2.23.20.0",
  "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
  "Mozilla/5.0 (compatible; Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/))",
  "Google-Safety",
  "Googlebot/2.1 (+http://www.google.com/bot.html)",
  "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
  "Mozilla/5.0 (compatible; BarracudaCentral/1.0)",
  "Mozilla/5.0 (compatible; Proofpoint URL Defense)",
  "Microsoft Office/16.0 (Microsoft Outlook 16.0.5266; Pro)",
  "Mozilla/5.0 (compatible; MSFT SafeLinks)",
  "Iframely/1.3.1 (+https://iframely.com/docs/about)",
  "Embedly/0.2; +http://support.embed.ly/",
];

Deno.test("GET, HEAD, a prefetch and twenty unfurlers see one page for all, which names nothing, and use nothing up", async () => {
  await using gateway = await startShareGateway(startGateway);
  const share = await makeShare(gateway, KEYS.user, { uses: 1 });
  const path = `/s/${share.id}`;
  const calls = gateway.stack.api.calls.length;
  const nobodys = await gateway.send(BASE, { path: `/s/${"A".repeat(22)}` });
  for (
    const sent of [
      ...UNFURLERS.map((agent) => ({ headers: { "user-agent": agent } })),
      { headers: NAVIGATION },
      { headers: { ...NAVIGATION, "sec-purpose": "prefetch;prerender" } },
      { headers: { ...NAVIGATION, purpose: "prefetch" } },
    ]
  ) {
    const shown = await gateway.send(BASE, { path, ...sent });
    assert.equal(shown.status, 200);
    assert.equal(shown.body, nobodys.body);
    assert.doesNotMatch(shown.body, /locked|3000/);
    assert.equal(shown.headers.get("location"), null);
    assert.equal(shown.headers.get("set-cookie"), null);
    for (
      const [name, value] of [
        ["cache-control", /^no-store$/],
        ["x-robots-tag", /noindex/],
        ["referrer-policy", /^no-referrer$/],
        ["x-content-type-options", /^nosniff$/],
        ["content-security-policy", /default-src 'none'/],
        ["content-security-policy", /frame-ancestors 'none'/],
        ["content-security-policy", /form-action 'none'/],
      ] as const
    ) {
      assert.match(shown.headers.get(name) ?? "", value, name);
    }
  }
  const head = await gateway.send(BASE, { path, method: "HEAD" });
  assert.deepEqual([head.status, head.body], [200, ""]);
  assert.equal(gateway.stack.api.calls.length, calls);
  const { usesLeft } =
    (await askApi(gateway, KEYS.user, { path: `/${share.id}` })).json();
  assert.equal(usesLeft, 1);
});

Deno.test("a form that a script sends, or a page of any other host, opens nothing and uses nothing up", async () => {
  await using gateway = await startShareGateway(startGateway);
  const share = await makeShare(gateway, KEYS.user, { uses: 1 });
  const path = `/s/${share.id}`;
  const json = JSON.stringify({ secret: share.secret });
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const { "sec-fetch-site": _, ...withoutSite } = OWN_PAGE;
  for (
    const [headers, body, code] of [
      // The page has no form that says anything; what a scanner would make of one says no JSON.
      [{ ...OWN_PAGE, ...form }, "", "unsupported_media_type"],
      [
        { ...OWN_PAGE, ...form },
        `secret=${share.secret}`,
        "unsupported_media_type",
      ],
      [
        { ...OWN_PAGE, "content-type": "text/plain" },
        json,
        "unsupported_media_type",
      ],
      [OWN_PAGE, "{}", "invalid_request"],
      [
        { ...OWN_PAGE, "sec-fetch-site": "cross-site" },
        json,
        "cross_site_request",
      ],
      [
        { ...OWN_PAGE, "sec-fetch-site": "same-site" },
        json,
        "cross_site_request",
      ],
      [{ ...OWN_PAGE, origin: `http://${LOCKED}` }, json, "cross_site_request"],
      [
        { ...withoutSite, origin: `http://${LOCKED}` },
        json,
        "cross_site_request",
      ],
      [{ ...withoutSite, origin: "null" }, json, "cross_site_request"],
      [{ "content-type": "application/json" }, json, "cross_site_request"],
    ] as [Record<string, string>, string, string][]
  ) {
    const sent = { method: "POST", path, headers, body };
    const answer = await gateway.send(BASE, sent);
    assert.equal(answer.code, code, JSON.stringify(headers));
  }
  assert.equal((await press(gateway, share)).status, 200);
  assert.equal((await press(gateway, share)).code, "share_used_up");
});

Deno.test("neither the page nor the exchange is anywhere else, or ever redirects", async () => {
  await using gateway = await startShareGateway(startGateway);
  const { id, secret } = await makeShare(gateway, KEYS.user);
  for (
    const path of [
      `/s/${id}/`,
      `/s/${id}x`,
      `/s/${id.slice(1)}`,
      "/s/",
      "/s",
      `/s/../s/${id}`,
      `/S/${id}`,
      `/s/%2e%2e/${id}`,
    ]
  ) {
    const { status, headers } = await gateway.send(BASE, { path });
    assert([400, 404].includes(status), `${path} ${status}`);
    assert.equal(headers.get("location"), null);
  }
  for (const host of ["localhost", `127.0.0.1:${gateway.port}`]) {
    const { code } = await gateway.send(host, { path: `/s/${id}` });
    assert.equal(code, "route_not_found", host);
    const sent = {
      method: "POST",
      path: `/s/${id}`,
      headers: { ...OWN_PAGE, origin: `http://${host}` },
      body: JSON.stringify({ secret }),
    };
    assert.equal((await gateway.send(host, sent)).code, "route_not_found");
  }
});
