import assert from "node:assert/strict";
import { splitPreviewToken } from "../../src/auth/preview_token.ts";

Deno.test("splitPreviewToken() takes the key out and leaves the rest byte for byte", () => {
  for (
    const [target, rest, key] of [
      ["/?DAYTONA_SANDBOX_AUTH_KEY=k", "/", "k"],
      ["/a?b&DAYTONA_SANDBOX_AUTH_KEY=k&c=", "/a?b&c=", "k"],
      ["/?x=%20+&DAYTONA_SANDBOX_AUTH_KEY=k", "/?x=%20+", "k"],
      ["/?DAYTONA_SANDBOX_AUTH_KEY=k&a=1;b&%zz", "/?a=1;b&%zz", "k"],
      ["/?DAYTONA%5FSANDBOX_AUTH_KEY=a%2Bb", "/", "a+b"],
      ["/?DAYTONA_SANDBOX_AUTH_KEY=1&DAYTONA_SANDBOX_AUTH_KEY=2", "/", "1"],
      ["/?DAYTONA_SANDBOX_AUTH_KEY", "/", ""],
      ["/?DAYTONA_SANDBOX_AUTH_KEY=%zz", "/", "%zz"],
    ] as const
  ) assert.deepEqual(splitPreviewToken(target), { target: rest, key }, target);
});

Deno.test("splitPreviewToken() leaves targets without a key alone", () => {
  for (
    const target of [
      "/",
      "/?",
      "/?&&a",
      "/DAYTONA_SANDBOX_AUTH_KEY=k",
      "/?xDAYTONA_SANDBOX_AUTH_KEY=k",
      "/?daytona_sandbox_auth_key=k",
      "/?a=DAYTONA_SANDBOX_AUTH_KEY=k",
    ]
  ) assert.deepEqual(splitPreviewToken(target), { target, key: undefined });
});
