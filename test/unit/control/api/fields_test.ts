import assert from "node:assert/strict";
import {
  ancestorsField,
  pathField,
} from "../../../../src/control/api/fields.ts";

const GOOD = [
  "https://app.example.com",
  "https://app.example.com:8443",
  "https://intranet",
  "https://192.0.2.1",
  "https://xn--bcher-kva.example",
  "https://a-b.c--d.example",
  "https://3000-box.preview.example.com",
  "https://localhost:5173",
  "http://localhost:5173",
  "http://app.localhost:1",
  "http://a.b.localhost:65535",
];

/** A good host, spoilt by each of these. */
const IN_HOSTS = [
  ..." \t\r\n\0\"'*,;:/\\?#@%!$&()+=_~`{}|^<>[]",
  "%2e",
  "%00",
  "\u00a0",
  "\u3002",
  "\u2024",
  "\uff0e",
  "\u200b",
  "\ud800",
  "é",
  "ß",
  "ſ",
  "А",
  "..",
];

const ODD = [
  "",
  " ",
  "*",
  "null",
  "'self'",
  "'none'",
  "https:",
  "https:*",
  "https://",
  "https:///",
  "https://*",
  "https://*.example.com",
  "https://**.example.com",
  "https://app.*.com",
  "https://app.example.*",
  "https://app.example.com:*",
  "*.example.com",
  "app.example.com",
  "//app.example.com",
  "https:app.example.com",
  "https:/app.example.com",
  "https:\\\\app.example.com",
  "HTTPS://app.example.com",
  "https://APP.example.com",
  "https://app.example.com/",
  "https://app.example.com//",
  "https://app.example.com/path",
  "https://app.example.com/.",
  "https://app.example.com?",
  "https://app.example.com?a=b",
  "https://app.example.com#",
  "https://app.example.com#a",
  "https://app.example.com.",
  "https://app.example.com..",
  "https://.app.example.com",
  "https://app..example.com",
  "https://app.example.com:",
  "https://app.example.com:443",
  "https://app.example.com:0",
  "https://app.example.com:00",
  "https://app.example.com:08443",
  "https://app.example.com:65536",
  "https://app.example.com:-1",
  "https://app.example.com:8443:8443",
  "https://app.example.com:84a3",
  "https://user@app.example.com",
  "https://user:secret@app.example.com",
  "https://@app.example.com",
  "https://:@app.example.com",
  "https://app.example.com@evil.example",
  "https://evil.example\\@app.example.com",
  "https://app.example.com https://evil.example",
  "https://app.example.com,https://evil.example",
  "https://app.example.com;script-src *",
  "https://app.example.com; report-uri https://evil.example",
  "https://app.example.com\r\nSet-Cookie: a=b",
  "https://app.example.com\n",
  "\nhttps://app.example.com",
  " https://app.example.com",
  "https://app.example.com ",
  "https://app.example.com\0",
  "https://app.exa\tmple.com",
  "https://bücher.example",
  "https://xn--",
  "https://xn--a",
  "https://xn--zzzzzzzz-.example",
  "https://1",
  "https://0x7f.1",
  "https://127.1",
  "https://2130706433",
  "https://0300.0.2.1",
  "https://192.0.2.1.",
  "https://192.0.2.256",
  "https://192.0.2",
  "https://[::1]",
  "https://[2001:db8::1]:8443",
  "https://[::ffff:192.0.2.1]",
  "https://[v1.a]",
  "https://::1",
  "http://app.example.com",
  "http://app.example.com:8080",
  "http://localhost",
  "http://localhost:80",
  "http://localhost:0",
  "http://localhost:*",
  "http://localhost:65536",
  "http://localhost.:5173",
  "http://localhost:5173/",
  "http://LOCALHOST:5173",
  "http://localhost.example.com:5173",
  "http://notlocalhost:5173",
  "http://app.localhost",
  "http://.localhost:5173",
  "http://*.localhost:5173",
  "http://127.0.0.1:5173",
  "http://[::1]:5173",
  "http://0.0.0.0:5173",
  "ws://localhost:5173",
  "wss://app.example.com",
  "ftp://app.example.com",
  "file://app.example.com",
  "file:///",
  "data:text/html,a",
  "blob:https://app.example.com/0b6f2c1e",
  "blob:https://app.example.com",
  "filesystem:https://app.example.com/a",
  "about:blank",
  "about:srcdoc",
  "javascript:alert(1)",
  "chrome-extension://abcdefghijklmnop",
  "moz-extension://0b6f2c1e",
  "capacitor://localhost",
  "ionic://localhost:5173",
  "view-source:https://app.example.com",
  "android-app://com.example",
  "https+unix://app.example.com",
  `https://${"a.".repeat(2000)}example`,
  `https://a.example/${"a".repeat(10_000)}`,
  ...IN_HOSTS.flatMap((odd) => [
    `https://app${odd}example.com`,
    `https://${odd}app.example.com`,
  ]),
];

function isTaken(value: unknown): boolean {
  return ancestorsField.safeParse(value).success;
}

Deno.test("ancestors are exact origins of https, or of http at a port of localhost", () => {
  for (const origin of GOOD) {
    assert(isTaken([origin]), origin);
    assert.equal(new URL(origin).origin, origin);
  }
});

Deno.test("200 odd origins are no ancestors, alone or beside a good one", () => {
  assert(new Set(ODD).size >= 200, String(new Set(ODD).size));
  for (const odd of ODD) {
    assert(!isTaken([odd]), JSON.stringify(odd));
    assert(!isTaken(["https://app.example.com", odd]), JSON.stringify(odd));
  }
});

Deno.test("ancestors are one to eight, each once", () => {
  const many = Array.from({ length: 9 }, (_, i) => `https://a${i}.example`);
  assert(isTaken(many.slice(1)));
  for (
    const value of [
      many,
      [],
      ["https://a.example", "https://a.example"],
      "https://a.example",
      [null],
      [["https://a.example"]],
      { 0: "https://a.example" },
      null,
    ]
  ) assert(!isTaken(value), JSON.stringify(value));
});

Deno.test("a path opens nothing by itself, however the names of tokens are spelt in it", () => {
  for (
    const path of [
      "/?DAYTONA_SANDBOX_AUTH_KEY=token",
      "/a?b=1&DAYTONA_SANDBOX_AUTH_KEY=token&c#top",
      "/?%44AYTONA%5fSANDBOX_AUTH_KEY=token",
      "/?DAYTONA_SANDBOX_AUTH_KEY",
      "/?porthole_token=pp_token",
      "/?a&p%6Frthole_token=pp_token",
      "/?%70%6frthole%5Ftoken=pp_token",
      "/?porthole_cookie=none",
    ]
  ) assert(!pathField.safeParse(path).success, path);
  for (
    const path of [
      "/?token=a&porthole=b",
      "/DAYTONA_SANDBOX_AUTH_KEY=a",
      "/?a=porthole_token",
      "/?%zz=a",
    ]
  ) assert.equal(pathField.parse(path), path);
});
