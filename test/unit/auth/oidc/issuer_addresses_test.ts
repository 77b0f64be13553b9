import assert from "node:assert/strict";
import {
  internalEndpoint,
  isIssuer,
  publicEndpoint,
} from "../../../../src/auth/oidc/issuer_addresses.ts";

const INTERNAL = { issuer: "http://dex:5556/dex", publicIssuer: undefined };
const BOTH = { ...INTERNAL, publicIssuer: "https://id.test/dex/" };

Deno.test("isIssuer() accepts either address of the provider, and no other", () => {
  for (
    const [issuer, isInternal, isEither] of [
      ["http://dex:5556/dex", true, true],
      ["http://dex:5556/dex/", true, true],
      ["https://id.test/dex", false, true],
      ["https://id.test/dex/", false, true],
      ["https://id.test", false, false],
      ["https://id.test/dexter", false, false],
      ["https://evil.test/dex", false, false],
      ["", false, false],
    ] as const
  ) {
    assert.equal(isIssuer(issuer, INTERNAL), isInternal, issuer);
    assert.equal(isIssuer(issuer, BOTH), isEither, issuer);
  }
});

Deno.test("an endpoint below one address of the provider moves to the other; any other is unchanged", () => {
  for (
    const [inside, outside] of [
      ["http://dex:5556/dex", "https://id.test/dex"],
      ["http://dex:5556/dex/token?a", "https://id.test/dex/token?a"],
    ] as const
  ) {
    assert.equal(publicEndpoint(inside, BOTH), outside);
    assert.equal(publicEndpoint(inside, INTERNAL), inside);
    assert.equal(internalEndpoint(outside, BOTH), inside);
    assert.equal(internalEndpoint(outside, INTERNAL), outside);
  }
  for (
    const elsewhere of [
      "https://elsewhere.test/token",
      "http://dex:5556/dexter/token",
      "https://id.test/dexter/token",
    ]
  ) {
    assert.equal(publicEndpoint(elsewhere, BOTH), elsewhere);
    assert.equal(internalEndpoint(elsewhere, BOTH), elsewhere);
  }
});
