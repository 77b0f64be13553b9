import assert from "node:assert/strict";
import {
  hostProblem,
  kindOf,
} from "../../../../src/features/names/host_rules.ts";

const BASE = "preview.example.com";
const RULES = { namesDomain: BASE, baseDomains: [BASE, "p.example.org"] };

const LOWER = /^must be in lower case/;
const PORT = /^must have no port/;
const LABELS = /^must have labels of/;
const PREVIEW = /^must not read as a preview host/;
const LETTER = /^must begin with a letter/;
const PLACES = /hyphens at places 3 and 4/;
const TOKEN = /^must not have 16 letters and digits/;
const RESERVED = /^must not be a reserved word/;
const ONE_LABEL = /^must be one label below/;
const OWN = /own domains$/;
const BELOW = /^must be below preview\.example\.com/;
const ADDRESS = /^must be no IP address/;
const LENGTH = /^must have 253 characters/;
const SHORT = /^must have three labels/;

function problem(host: string, rules = RULES): string {
  const its = kindOf(host, rules);
  return "problem" in its ? its.problem : `none: ${its.kind}`;
}

/** Labels that somebody would have below the domain of names, and why not. */
const HOSTILE: readonly (readonly [RegExp, readonly string[]])[] = [
  [PREVIEW, ["3000-box", "1-a", "03000-box", "0-box", "99999-box", "80--x"]],
  [LETTER, ["3000", "1shop", "0f3a2b1c4d5e6f708192a3b4c5"]],
  [
    LABELS,
    ["", "-shop", "shop-", "-", "_dmarc", "_porthole", "sh_op", "*", "shop."],
  ],
  [LABELS, [".shop", " shop", "shop ", "shop\n", "sh\0op", "sh\top", "a..b"]],
  [LABELS, ["sh/op", "sh\\op", "..%2f", "sh@op", "sh?op", "sh#op", "<b>"]],
  [LABELS, ["sh'op", 'sh"op', "sh;op", "sh,op", "sh%2eop", "a".repeat(64)]],
  // A Cyrillic letter, a long s, full-width ones and their dot, an invisible one, and a K that is lower-cased to one of a-z.
  [LABELS, ["sh\u043ep", "\u017fhop", "\uff53\uff48", "a\u3002b", "a\u200bb"]],
  [LABELS, ["\u212aiosk", "m\u00fcller", "\u{1f6d2}"]],
  [PORT, ["shop:80", "[::1]", "a]b"]],
  [LOWER, ["Shop", "SHOP", "sHop"]],
  [PLACES, ["xn--shp-tna", "xn--a", "ab--cd"]],
  [TOKEN, ["abcdefgh12345678", "signedlockedlink", "a".repeat(16)]],
  [ONE_LABEL, ["a.b", "www.shop", "3000-box.shop", "3000.box"]],
  [RESERVED, ["www", "www2", "api", "auth", "login", "admin", "root", "mail"]],
  [RESERVED, ["smtp", "imap", "autoconfig", "autodiscover", "mta-sts", "ns"]],
  [RESERVED, ["ns1", "mx", "ftp", "localhost", "status", "docs", "support"]],
  [RESERVED, ["wpad", "postmaster", "hostmaster", "webmaster", "porthole"]],
];

Deno.test("hostile labels are no aliases, each for its reason", () => {
  const labels = HOSTILE.flatMap(([, some]) => some);
  assert(new Set(labels).size >= 60);
  for (const [reason, some] of HOSTILE) {
    for (const label of some) {
      const host = `${label}.${BASE}`;
      assert.match(problem(host), reason, JSON.stringify(host));
    }
  }
});

Deno.test("one good label below the domain of names is an alias", () => {
  for (
    const label of [
      "shop",
      "a",
      "a1",
      "my-shop-2",
      "shop-3000",
      "a".repeat(15),
      "a".repeat(17),
      "a".repeat(63),
      "abcdefgh-1234567",
      "a6c1e1c8-2a7b-4f9c-9d63-0b1f5a8f7c01",
      "wwww",
    ]
  ) {
    const its = kindOf(`${label}.${BASE}`, RULES);
    assert.deepEqual(its, { kind: "alias" }, label);
  }
});

Deno.test("hosts that are no domains of somebody's own are refused, each for its reason", () => {
  for (
    const [host, reason] of [
      ["", LABELS],
      [".", LABELS],
      [BASE, OWN],
      [`${BASE}.`, LABELS],
      [BASE.toUpperCase(), LOWER],
      ["example.com", OWN],
      ["com", OWN],
      ["p.example.org", OWN],
      ["example.org", OWN],
      ["shop.p.example.org", BELOW],
      ["a.b.p.example.org", BELOW],
      ["3000-box.p.example.org", PREVIEW],
      ["127.0.0.1", ADDRESS],
      ["1.2.3", ADDRESS],
      ["a.b.0x7f", ADDRESS],
      ["www.shop.0x", ADDRESS],
      ["::1", PORT],
      ["[2001:db8::1]", PORT],
      ["www.shop.test:443", PORT],
      ["www.shop.test.", LABELS],
      ["www..shop.test", LABELS],
      ["_dmarc.shop.test", LABELS],
      ["*.shop.test", LABELS],
      ["www.shop.test/", LABELS],
      ["Www.shop.test", LOWER],
      ["shop.test", SHORT],
      ["localhost", SHORT],
      [`${"a.".repeat(125)}test`, LENGTH],
    ] as const
  ) assert.match(problem(host), reason, JSON.stringify(host));
});

Deno.test("any other host of three labels is a domain, whose owner must prove it", () => {
  for (
    const host of [
      "www.shop.test",
      "a.b.c.d.example.net",
      "shop.example.com",
      "shop.notpreview.example.com",
      "xn--mller-kva.shop.test",
      "www.xn--mller-kva.test",
      "1.shop.test",
      "3000-box.shop.test",
      `${"a.".repeat(124)}test`,
    ]
  ) assert.deepEqual(kindOf(host, RULES), { kind: "domain" }, host);
});

Deno.test("names may have a domain of their own, below or above which no other domain is anybody's", () => {
  const baseDomains = [BASE];
  const beside = { namesDomain: "names.example.net", baseDomains };
  const shop = kindOf("shop.names.example.net", beside);
  assert.deepEqual(shop, { kind: "alias" });
  assert.match(problem(`shop.${BASE}`, beside), /below names\.example\.net/);
  assert.match(problem("names.example.net", beside), OWN);
  assert.match(problem("example.net", beside), OWN);
  const above = { namesDomain: "example.com", baseDomains };
  assert.deepEqual(kindOf("shop.example.com", above), { kind: "alias" });
  assert.match(problem(BASE, above), OWN);
  assert.match(problem(`shop.${BASE}`, above), ONE_LABEL);
  assert.match(problem(`3000-box.${BASE}`, above), PREVIEW);
});

Deno.test("not even the operator has a name above a base domain, where an app could set cookies for all previews", () => {
  const { baseDomains } = RULES;
  assert.match(hostProblem("example.com", baseDomains) ?? "", OWN);
  assert.equal(hostProblem("shop.example.com", baseDomains), undefined);
});
