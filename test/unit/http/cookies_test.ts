import assert from "node:assert/strict";
import {
  cookiesByName,
  cookieValues,
  isOwnCookieName,
  sentOwnCookies,
  withoutOwnCookies,
} from "../../../src/http/cookies.ts";

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
      ["a=porthole-session=x; b=daytona-", "a=porthole-session=x; b=daytona-"],
      ["a=1; porthole-x=; ; b=2;porthole-y", "a=1; ; b=2"],
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
  for (
    const [header, values] of [
      ["as=1; a=s; s=2", ["2"]],
      ["a= s =1; s", ["s"]],
      ["s\xa0=1;\xa0s=1;s=", [""]],
      ["s;s=s=s; ss; s ", ["s", "s=s", "s"]],
    ] as const
  ) assert.deepEqual(cookieValues(header, "s"), values, header);
});

Deno.test("sentOwnCookies() returns ours with their values, planted ones included, in whatever way they are spelled", () => {
  const header = "a=porthole-x; porthole-s=1;__Host-PORTHOLE-s = a=b ; " +
    "porthole-s=2; porthole-t; xporthole-s=3";
  for (let times = 0; times < 2; times++) {
    assert.deepEqual(sentOwnCookies(header), [
      ["porthole-s", "1"],
      ["__Host-PORTHOLE-s", "a=b"],
      ["porthole-s", "2"],
      ["porthole-t", "porthole-t"],
    ]);
  }
  assert.deepEqual(sentOwnCookies("a=1; session=2"), []);
});

Deno.test("sentOwnCookies() and withoutOwnCookies() never confuse headers that differ in one character, or are long", () => {
  const long = "v".repeat(3000);
  for (const app of ["a=1", "a=2", `a=${long}`, `b=${long}`]) {
    for (const ours of ["x", "y", long]) {
      const header = `${app}; porthole-session=${ours}`;
      for (let times = 0; times < 2; times++) {
        assert.equal(withoutOwnCookies(header), app);
        assert.deepEqual(sentOwnCookies(header), [["porthole-session", ours]]);
      }
    }
  }
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
