import assert from "node:assert/strict";
import { OwnCookies } from "../../../../src/auth/own_cookies.ts";
import {
  createNotices,
  isAnswer,
  NOTICE_PARAMETER,
} from "../../../../src/features/identity/notice.ts";
import type { Visitor } from "../../../../src/features/identity/visitor.ts";
import type { FeatureParts } from "../../../../src/gateway/feature_module.ts";
import { PreviewExchange } from "../../../../src/gateway/sandbox_exchange.ts";
import { configOf } from "../../../support/config.ts";
import {
  exchangeServices,
  incomingRequest,
  PREVIEW_HOST,
} from "../../../support/exchange.ts";

const SECRET = "a secret of thirty-two characters";

const WINDOW = {
  "accept": "text/html",
  "sec-fetch-dest": "document",
  "sec-fetch-mode": "navigate",
  "sec-fetch-site": "none",
};

const ALICE: Visitor = {
  via: "login",
  who: ["user", "https://id.example.com", "alice"],
  claims: { email: "alice@example.com" },
};

function noticesBy(secrets = SECRET) {
  const cookies = new OwnCookies({
    scheme: "http",
    sameSite: "lax",
    scope: "sandbox",
  });
  const config = configOf({ SESSION_SECRETS: secrets });
  const parts = { config, scheme: "http", cookies } as unknown as FeatureParts;
  return createNotices(parts);
}

/** A request for a target of port 3000 of `box`, with these fields. */
function requestFor(
  fields: Record<string, string> = WINDOW,
  { method = "GET", target = "/a?b&c=%20", port = 3000 } = {},
): PreviewExchange {
  const { services } = exchangeServices({
    ownParameters: [NOTICE_PARAMETER],
  });
  const incoming = { ...incomingRequest({ method }, fields), target };
  return new PreviewExchange(incoming, { ...PREVIEW_HOST, port }, services);
}

/** What the page's form is sent as. */
function answerFor(
  fields: Record<string, string> = {},
  target = `/a?b&${NOTICE_PARAMETER}=1&c=%20`,
): PreviewExchange {
  return requestFor({
    ...WINDOW,
    "sec-fetch-site": "same-origin",
    "origin": "http://3000-box.test",
    ...fields,
  }, { method: "POST", target });
}

function cookieOf(response: Response): string {
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
}

Deno.test("who opens a preview in a window reads first what its app will be told, and nobody else does", async () => {
  const { pageFor } = noticesBy();
  const page = pageFor(requestFor(), ALICE);
  assert.equal(page?.status, 200);
  const html = await page.text();
  assert.match(html, /<li>alice@example\.com<\/li>/);
  assert.match(
    html,
    /action="http:\/\/3000-box\.test\/a\?b&amp;c=%20&amp;PORTHOLE_IDENTITY_TOLD=1"/,
  );
  const policy = page.headers.get("content-security-policy") ?? "";
  assert.match(policy, /form-action 'self'; frame-ancestors 'none'/);
  for (
    const fields of [
      {},
      { ...WINDOW, "sec-fetch-dest": "iframe" },
      { ...WINDOW, "sec-fetch-dest": "empty", "sec-fetch-mode": "cors" },
      { accept: "text/html", "user-agent": "Mozilla/5.0" },
    ]
  ) assert.equal(pageFor(requestFor(fields), ALICE), undefined);
  const post = requestFor(WINDOW, { method: "POST" });
  assert.equal(pageFor(post, ALICE), undefined);
});

Deno.test("what a provider says cannot be more than text on the page", async () => {
  const { pageFor } = noticesBy();
  const name = "<script>alert(1)</script>";
  const page = pageFor(requestFor(), { ...ALICE, claims: { name } });
  assert(!(await page?.text() ?? name).includes(name));
});

Deno.test("its form leads on to the same address, and from then on that person has read it, there", () => {
  const notices = noticesBy();
  const x = answerFor();
  assert(isAnswer(x));
  const answer = notices.answer(x, ALICE);
  assert.equal(answer.status, 303);
  assert.equal(
    answer.headers.get("location"),
    "http://3000-box.test/a?b&c=%20",
  );
  const cookie = cookieOf(answer);
  assert.doesNotMatch(cookie, /alice/);
  const read = (visitor: Visitor, port = 3000, by = notices) =>
    by.isRead(requestFor({ ...WINDOW, cookie }, { port }), visitor);
  assert(read(ALICE));
  assert(read(ALICE, 3000, noticesBy(`${"another ".repeat(5)},${SECRET}`)));
  assert(!read(ALICE, 3001));
  assert(!read({ ...ALICE, who: ["user", "https://id.example.com", "bob"] }));
  assert(!read({ ...ALICE, claims: { ...ALICE.claims, name: "Alice" } }));
  assert(read({ ...ALICE, claims: { email: "new@example.com" } }));
  assert(!read(ALICE, 3000, noticesBy("another secret of 32 characters!")));
  assert(!notices.isRead(requestFor(), ALICE));
  assert(notices.isRead(requestFor(), { ...ALICE, claims: {} }));
});

Deno.test("nobody else's page, and no script, answers in the visitor's place", () => {
  const notices = noticesBy();
  for (
    const fields of [
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "cross-site", "origin": "https://evil.example.com" },
      { "origin": "http://3001-box.test" },
      { "sec-fetch-dest": "empty", "sec-fetch-mode": "cors" },
    ]
  ) {
    const x = answerFor(fields);
    assert.throws(() => notices.answer(x, ALICE), {
      code: "cross_site_request",
    });
  }
  const anonymous = notices.answer(answerFor(), undefined);
  assert.deepEqual([anonymous.status, cookieOf(anonymous)], [303, ""]);
  assert(!isAnswer(requestFor(WINDOW, { target: `/?${NOTICE_PARAMETER}=1` })));
});
