import assert from "node:assert/strict";
import { splitPreviewToken } from "../../../src/auth/preview_token.ts";

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
