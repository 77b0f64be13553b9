import assert from "node:assert/strict";
import {
  cookiesByName,
  cookieValues,
  isOwnCookieName,
  withoutOwnCookies,
} from "../../src/auth/cookies.ts";

Deno.test("withoutOwnCookies() removes our cookies from every position and leaves the rest byte for byte", () => {
  for (
    const [header, rest] of [
      ["a=1; porthole-session=x; b=2", "a=1; b=2"],
      ["porthole-session=x; a=1", "a=1"],
      ["a=1; porthole-session=x", "a=1"],
      ["a=1;porthole-session=x;b=2", "a=1;b=2"],
      ["__Host-porthole-session=x; a=1", "a=1"],
      ["__host-PORTHOLE-session=x; a=1", "a=1"],
      ["porthole-session=x;porthole-session=y; a=1", "a=1"],
      ["porthole-session; a=1", "a=1"],
      ["daytona-sandbox-auth-abc=x; a=1", "a=1"],
      ["daytona-preview-page-accepted=true; a=1", "a=1"],
      ["porthole-session=x", undefined],
      ["porthole-session=x; ", undefined],
      ['a="q; x";  b = c ;;d', 'a="q; x";  b = c ;;d'],
      ["=v; novalue; a=b=c; ", "=v; novalue; a=b=c; "],
      ["xporthole-session=1", "xporthole-session=1"],
      [
        "daytona-preview-page-accepted-by-me=1",
        "daytona-preview-page-accepted-by-me=1",
      ],
    ] as const
  ) assert.equal(withoutOwnCookies(header), rest, header);
});

Deno.test("cookieValues() returns every value of a name, planted ones included", () => {
  assert.deepEqual(cookieValues("s=1; t=2; s=3;s=a=b", "s"), ["1", "3", "a=b"]);
  assert.deepEqual(cookieValues("ss=1", "s"), []);
  assert.deepEqual(cookieValues(" s\t= 1 ;\ts=2\t", "s"), ["1", "2"]);
});

Deno.test("isOwnCookieName() recognizes our names under any security prefix", () => {
  assert(isOwnCookieName("__Secure-porthole-anything"));
  assert(!isOwnCookieName("session"));
});

Deno.test("cookiesByName() returns every value of each name with a prefix", () => {
  assert.deepEqual(
    [...cookiesByName("p-a= 1 ; p-b=2; q=3;p-a=a=b", "p-")],
    [["p-a", ["1", "a=b"]], ["p-b", ["2"]]],
  );
});
