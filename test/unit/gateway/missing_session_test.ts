import assert from "node:assert/strict";
import { missingSession } from "../../../src/gateway/missing_session.ts";
import {
  exchangeServices,
  PREVIEW_HOST,
  previewOf,
} from "../../support/exchange.ts";

const LOGIN = "http://test/login";
const { services } = exchangeServices({
  allowedOrigins: new Set(["https://chat.example"]),
});
const { cookies } = services;
const FRAME = {
  "sec-fetch-site": "cross-site",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "iframe",
};

/** What a browser is told that sends these fields. */
function told(
  fields: Record<string, string>,
  { hasOpenedLink = false, hasLogin = false } = {},
) {
  const loginUrl = hasLogin ? LOGIN : undefined;
  const known = { ...services, hasOpenedLink, hasLogin, loginUrl };
  return missingSession(previewOf(fields), known);
}

function causeOf(...[fields, known]: Parameters<typeof told>) {
  const failure = told({ ...FRAME, ...fields }, known);
  assert.equal(failure?.code, "frame_refused");
  return failure?.advice.frameCause;
}

Deno.test("a frame that may not use the session that it has is told apart by whether it says who frames it", () => {
  for (
    const name of [
      cookies.previewTokenSession,
      cookies.loginOn(PREVIEW_HOST),
      cookies.grantSession,
    ]
  ) {
    const cookie = `a=1; ${name}=sealed`;
    const known = { hasOpenedLink: true, hasLogin: true };
    const referer = "https://evil.example/";
    assert.equal(causeOf({ cookie, referer }, known), "not_listed");
    assert.equal(causeOf({ cookie }, known), "no_referer");
  }
});

Deno.test("a frame without a session is told that its cookie was not kept, that it needs a login, or that there is none", () => {
  const other = `${cookies.loginOn({ label: "other" })}=sealed; a=1`;
  for (const fields of [{}, { referer: "https://a.example/" }]) {
    for (const cookie of ["", other]) {
      const sent = { ...fields, cookie };
      assert.equal(causeOf(sent), "no_session");
      assert.equal(causeOf(sent, { hasLogin: true }), "login_needed");
      const known = { hasOpenedLink: true, hasLogin: true };
      assert.equal(causeOf(sent, known), "cookie_not_kept");
    }
  }
});

Deno.test("a session that counts in its frame, and opens nothing, is not taken for one that was not kept", () => {
  const fields = {
    cookie: `${cookies.previewTokenSession}=old`,
    referer: "https://chat.example/",
  };
  assert.equal(causeOf(fields, { hasOpenedLink: true }), "no_session");
});

Deno.test("a window without the session that it was given a moment ago is told so, with the login if there is one", () => {
  const lost = told({}, { hasOpenedLink: true });
  assert.equal(lost?.code, "session_not_kept");
  assert.equal(lost?.advice.retryUrl, undefined);
  const known = { hasOpenedLink: true, hasLogin: true };
  assert.equal(told({}, known)?.advice.retryUrl, LOGIN);
  assert.equal(told({}), undefined);
  const cookie = `${cookies.grantSession}=old`;
  assert.equal(told({ cookie }, known), undefined);
});
