import assert from "node:assert/strict";
import { withSource } from "../../../../../src/features/embeds/bridge/script_policy.ts";

const HASH = "'sha256-AAAA'";

/** What becomes of one policy. */
function allowing(policy: string): string | undefined {
  const [header] = withSource([["content-security-policy", policy]], HASH);
  return header?.[1];
}

/** Checks that the hash is added where `^` is, and nothing else is changed. */
function check(policies: readonly string[]): void {
  for (const policy of policies) {
    assert.equal(
      allowing(policy.replaceAll("^", "")),
      policy.replaceAll("^", ` ${HASH}`),
    );
  }
}

Deno.test("what decides over script elements gets the hash, and no other directive", () => {
  check([
    "script-src 'self'^",
    "script-src 'self'^; style-src 'self'",
    " \tScript-Src\t'self'  https://a.example^  ;;object-src 'none' ; ",
    "default-src 'self'^",
    "default-src 'self'; script-src 'self'^",
    "script-src 'self'; default-src 'none'; script-src-elem https://a.example^",
    "script-src-attr 'none'; default-src 'self'^",
    "script-src 'self'^; script-src https://second.example",
    "script-src^",
    "script-src^;",
    "script-src 'none'^",
    "script-src 'nonce-abc' 'strict-dynamic'^",
    "require-trusted-types-for 'script'; script-src 'report-sample'^",
  ]);
});

Deno.test("a policy that says nothing of scripts stays as it is", () => {
  check([
    "",
    " ; ,",
    "frame-ancestors 'none'",
    "style-src 'self'; img-src *",
    "x-script-src 'self'",
    "script-src'self'",
    "sandbox allow-scripts; upgrade-insecure-requests",
  ]);
});

Deno.test("'unsafe-inline' stays in force: a hash would end it for the app's own scripts", () => {
  check([
    "script-src 'self' 'unsafe-inline'",
    "script-src 'UNSAFE-inline' *",
    "default-src 'self' 'unsafe-inline'",
    "script-src-elem 'unsafe-inline'; script-src 'self'",
    // Browsers ignore these, so that it counts.
    "script-src 'unsafe-inline' 'nonce-' 'sha256-' 'sha1-AAAA' 'nonce-{{it}}' nonce-a",
  ]);
});

Deno.test("the hash is added beside an 'unsafe-inline' that counts for nothing", () => {
  check([
    "script-src 'unsafe-inline' 'nonce-a+/_-b=='^",
    "script-src 'unsafe-inline' 'SHA256-AAAA='^",
    "script-src 'unsafe-inline' 'sha512-AAAA'^",
    "script-src 'unsafe-inline' 'strict-dynamic'^",
    "default-src 'unsafe-inline' 'nonce-a'^",
    "script-src 'self'^; style-src 'unsafe-inline'",
    "script-src-elem 'self'^; script-src 'unsafe-inline'",
  ]);
});

Deno.test("inline styles that default-src allows stay allowed", () => {
  check(["default-src 'unsafe-inline' 'strict-dynamic'"]);
});

Deno.test("each policy that is enforced gets the hash, in lists and in several headers; one that only reports stays", () => {
  const headers = [
    ["Content-Security-Policy", "script-src 'self', default-src *;,img-src *"],
    ["content-security-policy-report-only", "script-src 'self'"],
    ["content-type", "text/html"],
    ["content-security-policy", "default-src 'none'"],
  ] as const;
  assert.deepEqual(withSource(headers, HASH), [
    [
      "Content-Security-Policy",
      `script-src 'self' ${HASH}, default-src * ${HASH};,img-src *`,
    ],
    headers[1],
    headers[2],
    ["content-security-policy", `default-src 'none' ${HASH}`],
  ]);
});
