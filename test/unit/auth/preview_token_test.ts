import assert from "node:assert/strict";
import {
  splitGrant,
  splitPreviewToken,
  withoutTokens,
} from "../../../src/auth/preview_token.ts";

Deno.test("splitPreviewToken() removes the token and leaves the rest byte for byte", () => {
  for (
    const [target, rest, token] of [
      ["/?DAYTONA_SANDBOX_AUTH_KEY=t", "/", "t"],
      ["/a?b&DAYTONA_SANDBOX_AUTH_KEY=t&c=", "/a?b&c=", "t"],
      ["/?x=%20+&DAYTONA_SANDBOX_AUTH_KEY=t", "/?x=%20+", "t"],
      ["/?DAYTONA_SANDBOX_AUTH_KEY=t&a=1;b&%zz", "/?a=1;b&%zz", "t"],
      ["/?DAYTONA%5FSANDBOX_AUTH_KEY=a%2Bb", "/", "a+b"],
      ["/?DAYTONA_SANDBOX_AUTH_KEY=1&DAYTONA_SANDBOX_AUTH_KEY=2", "/", "1"],
      ["/?DAYTONA_SANDBOX_AUTH_KEY", "/", ""],
      ["/?DAYTONA_SANDBOX_AUTH_KEY=%zz", "/", "%zz"],
    ] as const
  ) {
    assert.deepEqual(
      splitPreviewToken(target),
      { target: rest, token },
      target,
    );
  }
});

Deno.test("splitPreviewToken() leaves a target without a token as it is", () => {
  for (
    const target of [
      "/",
      "/?",
      "/?&&a",
      "/DAYTONA_SANDBOX_AUTH_KEY=t",
      "/?xDAYTONA_SANDBOX_AUTH_KEY=t",
      "/?daytona_sandbox_auth_key=k",
      "/?a=DAYTONA_SANDBOX_AUTH_KEY=t",
    ]
  ) assert.deepEqual(splitPreviewToken(target), { target, token: undefined });
});

Deno.test("splitGrant() removes the secret and the wish for its cookie, and leaves the rest byte for byte", () => {
  for (
    const [given, target, secret, cookie] of [
      ["/?porthole_token=t", "/", "t", undefined],
      [
        "/a?b&porthole_token=t%2B&porthole_cookie=none&c=",
        "/a?b&c=",
        "t+",
        "none",
      ],
      ["/?%70orthole%5ftoken=t&porthole_token=u", "/", "t", undefined],
      ["/?porthole_cookie&a=%20", "/?a=%20", undefined, ""],
      [
        "/?Porthole_token=t&xporthole_token",
        "/?Porthole_token=t&xporthole_token",
        undefined,
        undefined,
      ],
      ["/porthole_token=t", "/porthole_token=t", undefined, undefined],
    ] as const
  ) assert.deepEqual(splitGrant(given), { target, secret, cookie }, given);
});

Deno.test("withoutTokens() takes them all out of a URL", () => {
  const url = "https://3000-box.test/a?b=1";
  const tokens = "porthole_cookie=none&DAYTONA_SANDBOX_AUTH_KEY=k";
  assert.equal(withoutTokens(`${url}&porthole_token=t&${tokens}`), url);
  assert.equal(withoutTokens(url), url);
});
