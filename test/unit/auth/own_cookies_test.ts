import assert from "node:assert/strict";
import { isOwnCookieName } from "../../../src/http/cookies.ts";
import { FEATURE_COOKIES } from "../../../gen/facts.ts";
import { ownCookies } from "../../support/own_cookies.ts";

Deno.test("cookies over https are Secure, and their names have the prefix that browsers enforce", () => {
  const cookies = ownCookies();
  assert.equal(
    cookies.hostOnly(cookies.previewTokenSession, "v", 60),
    "__Host-porthole-session=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure",
  );
  const base = { base: "p.test", maxAgeSec: 60 };
  assert.match(
    cookies.forBase(cookies.loginSession("box"), "v", base),
    /^__Secure-porthole-login-[\w-]{12}=v; Domain=p\.test; Path=\/; Max-Age=60; HttpOnly; SameSite=Lax; Secure$/,
  );
});

Deno.test("names of cookies over http have no prefix, because browsers would refuse it", () => {
  const cookies = ownCookies({ scheme: "http" });
  assert.equal(
    cookies.hostOnly(cookies.previewTokenSession, "v", 60),
    "porthole-session=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax",
  );
});

Deno.test("cookies for frames of other sites are partitioned", () => {
  const cookies = ownCookies({ sameSite: "none" });
  assert.match(
    cookies.hostOnly(cookies.previewTokenSession, "v", 60),
    /; HttpOnly; SameSite=None; Secure; Partitioned$/,
  );
});

Deno.test("hostOnlyInFrames() partitions a cookie over https, whatever the policy", () => {
  const value = ["v", 60] as const;
  const https = ownCookies();
  assert.equal(
    https.hostOnlyInFrames(https.onHost("grant"), ...value),
    "__Host-porthole-grant=v; Path=/; Max-Age=60; HttpOnly; SameSite=None; Secure; Partitioned",
  );
  const http = ownCookies({ scheme: "http" });
  assert.equal(
    http.hostOnlyInFrames(http.onHost("grant"), ...value),
    "porthole-grant=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax",
  );
});

Deno.test("a login's cookie is the sandbox's on preview hosts, unless logins are for hosts, and the host's own at names", () => {
  for (const scope of ["sandbox", "host"] as const) {
    const cookies = ownCookies({ scope });
    for (const name of [undefined, "shop.p.test", "shop.p.test:8443"]) {
      const host = { label: "box", ...name !== undefined && { name } };
      const isByHost = scope === "host" || name !== undefined;
      assert.equal(
        cookies.loginOn(host),
        isByHost ? cookies.hostSession : cookies.loginSession("box"),
      );
      assert(cookies.loginOn(host).startsWith(cookies.loginMarkOn(host)));
    }
  }
});

Deno.test("each sandbox has a cookie name of its own, and none of our names reaches an app", () => {
  for (const scheme of ["http", "https"] as const) {
    const cookies = ownCookies({ scheme });
    assert.notEqual(cookies.loginSession("a"), cookies.loginSession("b"));
    for (
      const name of [
        cookies.previewTokenSession,
        cookies.loginSession("a"),
        cookies.transaction("x"),
        ...FEATURE_COOKIES.map((name) => cookies.onHost(name)),
      ]
    ) assert(isOwnCookieName(name), name);
  }
});
