import assert from "node:assert/strict";
import { sameHostTarget } from "../../src/address/same_host_target.ts";

const ORIGIN = "https://3000-demo.preview.example.com:8443";

Deno.test("sameHostTarget() takes a path, or a URL of the origin, byte for byte", () => {
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
const HOSTILE = [
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
  for (const text of HOSTILE) {
    assert.equal(
      sameHostTarget(text, ORIGIN),
      undefined,
      JSON.stringify(text),
    );
  }
});

Deno.test("sameHostTarget() leads nowhere else for whoever parses it", () => {
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
