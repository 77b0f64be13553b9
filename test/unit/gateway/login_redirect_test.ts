import assert from "node:assert/strict";
import { MAX_RETURN_URL_LENGTH } from "../../../src/address/return_url.ts";
import { loginRedirectLocation } from "../../../src/gateway/login_redirect.ts";
import { previewOf } from "../../support/exchange.ts";

const NAVIGATION = { "accept": "text/html", "sec-fetch-mode": "navigate" };

/** Where a request is sent to log in. */
function locationFor(
  { method = "GET", headers = NAVIGATION, port = 3000, target = "/" }: {
    method?: string;
    headers?: Record<string, string>;
    port?: number;
    target?: string;
  } = {},
): string | undefined {
  const host = { port, base: "p.test", authoritySuffix: "p.test:8443" };
  const x = previewOf(headers, { method, target, host });
  return loginRedirectLocation(x, "https");
}

/** The address to come back to in a login's. */
function returnTo(location: string | undefined): string | null {
  return new URL(location ?? "").searchParams.get("return_to");
}

Deno.test("loginRedirectLocation() leads back to the address that was asked for", () => {
  const location = locationFor({ target: "/a?b=%20+&c#" });
  assert.match(location ?? "", /^https:\/\/p\.test:8443\/login\?return_to=/);
  assert.equal(returnTo(location), "https://3000-box.p.test:8443/a?b=%20+&c#");
});

Deno.test("loginRedirectLocation() leads back to the start of the preview where the address is too long for a login", () => {
  const origin = "https://3000-box.p.test:8443";
  const longest = `/${"x".repeat(MAX_RETURN_URL_LENGTH - origin.length - 1)}`;
  assert.equal(returnTo(locationFor({ target: longest })), origin + longest);
  const longer = locationFor({ target: `${longest}x` });
  assert.equal(returnTo(longer), `${origin}/`);
});

Deno.test("loginRedirectLocation() is for what a person waits for, and not for frames, nor ahead of time", () => {
  for (const destination of ["document", "empty", undefined]) {
    const headers = destination === undefined
      ? NAVIGATION
      : { ...NAVIGATION, "sec-fetch-dest": destination };
    assert.notEqual(locationFor({ headers }), undefined, String(destination));
  }
  for (
    const request of [
      { headers: { ...NAVIGATION, "sec-fetch-dest": "iframe" } },
      { headers: { ...NAVIGATION, "sec-fetch-dest": "frame" } },
      { headers: { ...NAVIGATION, "sec-fetch-dest": "object" } },
      { headers: { ...NAVIGATION, "sec-purpose": "prefetch" } },
      { headers: { ...NAVIGATION, "sec-purpose": "prefetch;prerender" } },
      { headers: { ...NAVIGATION, "purpose": "prefetch" } },
      { headers: { "sec-fetch-mode": "cors", "accept": "text/html" } },
      { headers: { "accept": "application/json" } },
      { method: "POST" },
      { port: 2280 },
    ]
  ) assert.equal(locationFor(request), undefined, JSON.stringify(request));
});
