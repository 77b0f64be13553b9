import assert from "node:assert/strict";
import { parseHost } from "../../../src/address/preview_host.ts";
import {
  checkReturnUrl,
  type ReturnUrlOptions,
  sameHostTarget,
  stillReturnUrl,
} from "../../../src/address/return_url.ts";
import { hostParser } from "../../support/names.ts";

const BASES = ["preview.example.com", "other.example.org", "example.com"];
const HERE: ReturnUrlOptions = {
  scheme: "https",
  parseHost: hostParser(BASES),
  authority: "preview.example.com:8443",
};
const ORIGIN = "https://3000-demo.preview.example.com:8443";

function urlOf(text: string, options: Partial<ReturnUrlOptions> = {}): string {
  const result = checkReturnUrl(text, { ...HERE, ...options });
  assert(result !== undefined, `refused: ${text}`);
  return result.url;
}

Deno.test("checkReturnUrl() accepts a preview URL and keeps its path and query byte for byte", () => {
  for (
    const target of [
      "/",
      "/a/b?c=d&e=%20%zz",
      "//evil.com/x",
      "/\\evil.com",
      "/../..//%2e%2e/%2F%5c",
      "/?",
      "/??a=b?",
      "/@evil.com:80/",
      "/;a=1,2!$&'()*+[]{}|^`~\"<>",
      "/?next=https://evil.com/&re=\\d+",
      "/%0d%0aSet-Cookie:%20a=b",
      "/%23not-a-fragment",
    ]
  ) assert.equal(urlOf(ORIGIN + target), ORIGIN + target, target);
});

Deno.test("checkReturnUrl() returns the preview host and writes it in its canonical form", () => {
  assert.deepEqual(
    checkReturnUrl("https://3000-DeMo.Preview.Example.COM.:8443/Path", HERE),
    {
      url: `${ORIGIN}/Path`,
      host: {
        port: 3000,
        label: "demo",
        base: "preview.example.com",
        authoritySuffix: "preview.example.com:8443",
      },
    },
  );
  assert.equal(
    urlOf("https://22222-_a-.other.example.org/", {
      authority: "OTHER.example.org",
    }),
    "https://22222-_a-.other.example.org/",
  );
});

/** Spellings that some parser resolves to another place, or that the gateway never produces. */
const HOSTILE = [
  // not an absolute URL of our scheme
  "",
  "/",
  "/login",
  "3000-demo.preview.example.com:8443/",
  "//3000-demo.preview.example.com:8443/",
  "///3000-demo.preview.example.com:8443/",
  "\\\\3000-demo.preview.example.com:8443/",
  "/\\3000-demo.preview.example.com:8443/",
  "http://3000-demo.preview.example.com:8443/",
  "https:3000-demo.preview.example.com:8443/",
  "https:/3000-demo.preview.example.com:8443/",
  "https:///3000-demo.preview.example.com:8443/",
  "https:\\\\3000-demo.preview.example.com:8443/",
  "https:/\\3000-demo.preview.example.com:8443/",
  "https:evil.com",
  "HTTPS://3000-demo.preview.example.com:8443/",
  "hTTps://3000-demo.preview.example.com:8443/",
  "wss://3000-demo.preview.example.com:8443/",
  "ftp://3000-demo.preview.example.com:8443/",
  "javascript:alert(1)",
  "javascript://3000-demo.preview.example.com:8443/%0aalert(1)",
  "data:text/html,<script>alert(1)</script>",
  "blob:https://3000-demo.preview.example.com:8443/x",
  "view-source:https://3000-demo.preview.example.com:8443/",
  "https%3A//3000-demo.preview.example.com:8443/",
  // no path
  "https://",
  "https:///",
  "https://3000-demo.preview.example.com:8443",
  "https://3000-demo.preview.example.com:8443?a",
  "https://3000-demo.preview.example.com:8443#a",
  "https://3000-demo.preview.example.com:8443;/",
  // another authority, by userinfo or by a misread end of the authority
  "https://user@3000-demo.preview.example.com:8443/",
  "https://user:pass@3000-demo.preview.example.com:8443/",
  "https://@3000-demo.preview.example.com:8443/",
  "https://:@3000-demo.preview.example.com:8443/",
  "https://3000-demo.preview.example.com:8443@evil.com/",
  "https://3000-demo.preview.example.com:8443@@evil.com/",
  "https://3000-demo.preview.example.com:8443%40evil.com/",
  "https://3000-demo.preview.example.com:8443\\@evil.com/",
  "https://evil.com\\.3000-demo.preview.example.com:8443/",
  "https://evil.com/3000-demo.preview.example.com:8443/",
  "https://evil.com#@3000-demo.preview.example.com:8443/",
  "https://evil.com?@3000-demo.preview.example.com:8443/",
  "https://evil.com;3000-demo.preview.example.com:8443/",
  "https://evil.com&3000-demo.preview.example.com:8443/",
  "https://evil.com,3000-demo.preview.example.com:8443/",
  // characters that browsers strip or that end a header field
  " https://3000-demo.preview.example.com:8443/",
  "https://3000-demo.preview.example.com:8443/ ",
  "https://3000-demo.preview.example.com:8443/\n",
  "https://3000-demo.preview.example.com:8443/\r\nSet-Cookie: a=b",
  "https://3000-demo.preview.example.com:8443/a\tb",
  "https://3000-demo.preview.example.com:8443/a b",
  "https://3000-demo.preview.example.com:8443/a\0b",
  "https://3000-demo.preview.example.com:8443/a\x7fb",
  "https://3000-demo.preview.example.com:8443/\x1b",
  "ht\ttps://3000-demo.preview.example.com:8443/",
  "https:\t//3000-demo.preview.example.com:8443/",
  "https:/\n/evil.com/",
  "https://\t3000-demo.preview.example.com:8443/",
  "https://evil.com\t.preview.example.com:8443/",
  "https://3000-demo.preview.example.com\0.evil.com:8443/",
  "https://3000-demo.preview.example.com\r\n:8443/",
  "\x01https://3000-demo.preview.example.com:8443/",
  "\u00a0https://3000-demo.preview.example.com:8443/",
  "\ufeffhttps://3000-demo.preview.example.com:8443/",
  "https://evil.com/\nhttps://3000-demo.preview.example.com:8443/",
  // escapes in the host
  "https://3000-demo%2epreview.example.com:8443/",
  "https://3000-demo%2Eevil.com%2F.preview.example.com:8443/",
  "https://evil.com%2f.preview.example.com:8443/",
  "https://evil.com%252f.preview.example.com:8443/",
  "https://evil.com%00.preview.example.com:8443/",
  "https://evil.com%09.preview.example.com:8443/",
  "https://evil.com%5c.preview.example.com:8443/",
  "https://3000%2ddemo.preview.example.com:8443/",
  // look-alikes
  "https://3000-demo.preview.example.com.evil.com:8443/",
  "https://3000-demo.evil-preview.example.com:8443/",
  "https://3000-demoxpreview.example.com:8443/",
  "https://3000-demopreview.example.com:8443/",
  "https://3000-demo.previewxexample.com:8443/",
  "https://3000-demo.preview.example.co:8443/",
  "https://3000-demo.preview.example.comm:8443/",
  "https://3000-demo.preview.example.com..:8443/",
  "https://3000-demo..preview.example.com:8443/",
  "https://3000-demo.pr\u0435view.example.com:8443/",
  "https://3000-demo.xn--prview-zwf.example.com:8443/",
  "https://xn--3000-demo-x.preview.example.com:8443/",
  "https://3000-demo\u3002preview.example.com:8443/",
  "https://3000-demo\uff0epreview.example.com:8443/",
  "https://3000-demo.preview\uff0eexample.com:8443/",
  "https://3000-de\u200bmo.preview.example.com:8443/",
  "https://3000-demo.preview.example.com\u2044evil.com:8443/",
  "https://3000-demo.preview.example.com\uff0fevil.com:8443/",
  "https://3000-\u0131d.preview.example.com:8443/",
  "https://3000-\u212a.preview.example.com:8443/", // a Kelvin sign lower-cases to k
  "https://[::1]:8443/",
  "https://[3000-demo.preview.example.com]:8443/",
  "https://127.0.0.1:8443/",
  "https://2130706433/",
  "https://localhost:8443/",
  // not a preview host
  "https://preview.example.com:8443/",
  "https://preview.example.com:8443/callback?code=x",
  "https://.preview.example.com:8443/",
  "https://demo.preview.example.com:8443/",
  "https://3000.preview.example.com:8443/",
  "https://3000-.preview.example.com:8443/",
  "https://-demo.preview.example.com:8443/",
  "https://02280-demo.preview.example.com:8443/",
  "https://+2280-demo.preview.example.com:8443/",
  "https://0x8e8-demo.preview.example.com:8443/",
  "https://0-demo.preview.example.com:8443/",
  "https://65536-demo.preview.example.com:8443/",
  "https://x.3000-demo.preview.example.com:8443/",
  `https://3000-${"a".repeat(58)}.preview.example.com:8443/`,
  // a preview host, but not below this login's base host
  "https://3000-demo.other.example.org:8443/",
  "https://3000-demo.example.com:8443/",
  "https://3000-demo.preview.example.com/",
  "https://3000-demo.preview.example.com:/",
  "https://3000-demo.preview.example.com:443/",
  "https://3000-demo.preview.example.com:08443/",
  "https://3000-demo.preview.example.com:8443:8443/",
  "https://3000-demo.preview.example.com:8443.evil.com/",
  "https://3000-demo.preview.example.com:84 43/",
  "https://3000-demo.preview.example.com:-8443/",
  "https://3000-demo.preview.example.com:\uff18443/",
  "https://3000-demo.preview.example.com:https/",
  // a signed token, for which a login is of no use
  "https://3000-abcdefgh12345678.preview.example.com:8443/",
  "https://3000-ABCDEFGH12345678.preview.example.com:8443/",
  // a target that no request can have
  "https://3000-demo.preview.example.com:8443/#",
  "https://3000-demo.preview.example.com:8443/#//evil.com",
  "https://3000-demo.preview.example.com:8443/?a#b",
  "https://3000-demo.preview.example.com:8443/\u00e9",
  "https://3000-demo.preview.example.com:8443/\u202egnp",
  "https://3000-demo.preview.example.com:8443/\ud800",
  "https://3000-demo.preview.example.com:8443/\u010d\u010aSet-Cookie:a", // becomes CR LF if only the low bytes are kept
];

Deno.test("checkReturnUrl() accepts no page on the base host that no feature has", () => {
  const base = "https://preview.example.com:8443";
  for (
    const path of ["/", "/logout", "/demo", "//demo", "/a/demo", "/api/v1/a"]
  ) {
    assert.equal(checkReturnUrl(base + path, HERE), undefined, path);
  }
});

Deno.test("checkReturnUrl() refuses every other spelling", () => {
  for (const text of HOSTILE) {
    assert.equal(checkReturnUrl(text, HERE), undefined, text);
  }
});

Deno.test("checkReturnUrl() refuses a URL that is too long for the login's cookie", () => {
  const path = "/".padEnd(2000 - ORIGIN.length, "a");
  assert.equal(urlOf(ORIGIN + path), ORIGIN + path);
  assert.equal(checkReturnUrl(`${ORIGIN}${path}a`, HERE), undefined);
});

Deno.test("checkReturnUrl() refuses every URL while no base domain is known", () => {
  const nowhere = { ...HERE, parseHost: hostParser([]) };
  assert.equal(checkReturnUrl(`${ORIGIN}/`, nowhere), undefined);
});

Deno.test("a login returns to a name whose login is on this base host, in the name's one spelling", () => {
  const names = {
    "shop.preview.example.com": { sandboxId: "demo", port: 3000 },
    "shop.other.example.org": { sandboxId: "demo", port: 3000 },
    "app.customer.example": { sandboxId: "demo", port: 8000 },
    "gone.preview.example.com": {
      sandboxId: "demo",
      port: 3000,
      isSuspended: true,
    },
    "box.preview.example.com": { sandboxId: "demo", port: 2280 },
  };
  const parseHost = hostParser(BASES, names);
  for (
    const [text, url, port] of [
      [
        "https://Shop.preview.example.com.:8443//a?b",
        "https://shop.preview.example.com:8443//a?b",
        3000,
      ],
      // Below none of the base domains: its login is on the first of the parser's.
      [
        "https://app.customer.example:8443/",
        "https://app.customer.example:8443/",
        8000,
      ],
    ] as const
  ) {
    const found = checkReturnUrl(text, { ...HERE, parseHost });
    assert.equal(found?.url, url);
    assert.deepEqual([found?.host.port, found?.host.label], [port, "demo"]);
    assert.equal(found?.host.authoritySuffix, HERE.authority);
    assert.deepEqual(stillReturnUrl(url, parseHost), found);
    assert.equal(stillReturnUrl(url, HERE.parseHost), undefined);
  }
  for (
    const url of [
      "https://shop.preview.example.com/",
      "https://shop.preview.example.com:443/",
      "https://shop.preview.example.com:8444/",
      "http://shop.preview.example.com:8443/",
      "https://x@shop.preview.example.com:8443/",
      "https://shop.preview.example.com:8443@evil.com/",
      "https://shop.preview.example.com.evil.com:8443/",
      "https://x.shop.preview.example.com:8443/",
      "https://shop.other.example.org:8443/", // its login is there
      "https://shop.other.example.org/",
      "https://app.customer.example/",
      "https://customer.example:8443/",
      "https://gone.preview.example.com:8443/",
      "https://box.preview.example.com:8443/",
      "https://unknown.preview.example.com:8443/",
    ]
  ) assert.equal(checkReturnUrl(url, { ...HERE, parseHost }), undefined, url);
});

Deno.test("a login that was begun for a name goes on to what that leads to now", () => {
  const url = "https://shop.preview.example.com:8443/a";
  const target = { sandboxId: "newer", port: 8000 };
  const moved = hostParser(BASES, { "shop.preview.example.com": target });
  const found = stillReturnUrl(url, moved);
  assert.deepEqual([found?.host.label, found?.host.port], ["newer", 8000]);
  assert.equal(found?.url, url);
});

/** Numbers in [0, 1) from a linear congruential generator: the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const PIECES = [
  ..."/\\@:?#%.-_;,&\"'<>[]|^` \t\n\r\0\x7f",
  ..."\u3002\uff0e\uff0f\u200b\u00ad\u00e9\u212a\ud800",
  "//",
  "evil.com",
  "3000-demo",
  ".preview.example.com",
  ":8443",
  "https:",
  "http://",
  "%2e",
  "%2f",
  "%0d%0a",
  "xn--",
  "0",
  "A",
];

/** A valid URL, corrupted in up to three places. */
function damaged(random: () => number): string {
  let text = `${ORIGIN}/path?query=1`;
  for (let left = Math.floor(random() * 4); left > 0; left--) {
    const at = Math.floor(random() * (text.length + 1));
    const cut = Math.floor(random() * 3);
    const piece = PIECES[Math.floor(random() * PIECES.length)] ?? "";
    text = text.slice(0, at) + piece + text.slice(at + cut);
  }
  return text;
}

Deno.test("checkReturnUrl() accepts only URLs that a browser resolves to a preview host of this base", () => {
  const random = seeded(20260801);
  const accepted = new Set<string>();
  for (let i = 0; i < 40_000; i++) {
    const text = damaged(random);
    const result = checkReturnUrl(text, HERE);
    if (result === undefined) continue;
    accepted.add(text);
    // Resolved as a browser resolves a Location field: relative to the requested URL.
    const read = new URL(result.url, "https://preview.example.com:8443/login");
    assert.equal(read.protocol, "https:", text);
    assert.equal(read.username + read.password + read.hash, "", text);
    assert.deepEqual(
      parseHost(read.host, BASES),
      { kind: "preview", host: result.host },
      text,
    );
    assert.equal(result.host.authoritySuffix, HERE.authority, text);
    const location = new Headers({ location: result.url }).get("location");
    assert.equal(location, result.url, text);
    assert(text.endsWith(result.url.slice(read.origin.length)), text);
  }
  assert(accepted.size > 1000, `only ${accepted.size} accepted`);
});

Deno.test("sameHostTarget() accepts a path or a URL of the origin, byte for byte", () => {
  for (
    const [text, target] of [
      ["/", "/"],
      ["/a/b?c=d&e=%20%zz#f", "/a/b?c=d&e=%20%zz#f"],
      ["/?next=https://evil.com/", "/?next=https://evil.com/"],
      ["/@evil.com", "/@evil.com"],
      ["/a//b\\c", "/a//b\\c"],
      [`${ORIGIN}/`, "/"],
      [`${ORIGIN}/a?b=(1)&c`, "/a?b=(1)&c"],
      // A path, once the caller has prefixed it with the origin.
      [`${ORIGIN}//evil.com/`, "//evil.com/"],
      ["HTTPS://3000-Demo.Preview.Example.com:8443/A", "/A"],
    ] as const
  ) assert.equal(sameHostTarget(text, ORIGIN), target, text);
});

/** Spellings of another place, or of no valid place at all. */
const OTHER_PLACES = [
  "",
  "a",
  "?a",
  "#a",
  "..",
  // another host
  "https://evil.com/",
  "https://preview.example.com:8443/",
  "https://3001-demo.preview.example.com:8443/",
  "https://3000-other.preview.example.com:8443/",
  // another scheme or port
  "http://3000-demo.preview.example.com:8443/",
  "wss://3000-demo.preview.example.com:8443/",
  "https://3000-demo.preview.example.com/",
  "https://3000-demo.preview.example.com:443/",
  "https://3000-demo.preview.example.com:84430/",
  "https://3000-demo.preview.example.com:8443:1/",
  // a host that only starts like this one
  `${ORIGIN}.evil.com/`,
  `${ORIGIN}@evil.com/`,
  `${ORIGIN}:x@evil.com/`,
  `${ORIGIN}\\@evil.com/`,
  `${ORIGIN}%2f@evil.com/`,
  `${ORIGIN}`,
  `${ORIGIN}?a`,
  `${ORIGIN}#@evil.com/`,
  "https://3000-demo.preview.example.com.evil.com:8443/",
  "https://evil.com\\3000-demo.preview.example.com:8443/",
  "https://user@3000-demo.preview.example.com:8443/",
  // no scheme
  "//evil.com/",
  "///evil.com/",
  "/\\evil.com/",
  "\\/evil.com/",
  "\\\\evil.com/",
  "/\\/evil.com/",
  "//3000-demo.preview.example.com:8443/",
  "3000-demo.preview.example.com:8443/",
  // malformed URLs that browsers repair
  "https:/evil.com/",
  "https:evil.com/",
  "https:\\\\evil.com/",
  "javascript:alert(1)",
  "data:text/html,x",
  // characters that browsers strip or that end a header field
  "/\t/evil.com/",
  "/\n/evil.com/",
  "/\r/evil.com/",
  "\t//evil.com/",
  " //evil.com/",
  "/a\r\nSet-Cookie: a=b",
  "/a\n",
  "/a\0",
  "/a b",
  "/\u00fc",
  "/\u2028",
  `${ORIGIN}/a\tb`,
  ` ${ORIGIN}/`,
];

Deno.test("sameHostTarget() refuses every other spelling", () => {
  for (const text of OTHER_PLACES) {
    assert.equal(
      sameHostTarget(text, ORIGIN),
      undefined,
      JSON.stringify(text),
    );
  }
});

Deno.test("sameHostTarget() never returns a target that a URL parser resolves to another origin", () => {
  const separators = ["/", "\\", "\t", "\n", " ", "@", ":", "?", "#", "%2f"];
  for (const a of separators) {
    for (const b of separators) {
      for (const c of separators) {
        for (
          const text of [`${a}${b}${c}evil.com/`, `${ORIGIN}${a}${b}${c}evil/`]
        ) {
          const target = sameHostTarget(text, ORIGIN);
          if (target === undefined) continue;
          const { origin } = new URL(ORIGIN + target);
          assert.equal(origin, ORIGIN, JSON.stringify(text));
        }
      }
    }
  }
});
