import assert from "node:assert/strict";
import { once } from "node:events";
import { fulfilsWithin } from "../../../../src/lib/fulfils_within.ts";
import {
  redactHeaders,
  redactReason,
  redactTarget,
} from "../../../../src/features/inspect/redact.ts";

/** Sixteen times what a head may have, characters: what takes quadratic time takes minutes for it, else milliseconds. */
const LONG = 1 << 20;

const ENDLESS_MS = 60_000;

Deno.test("redactTarget() hides what may be a credential, however its name is spelt, and nothing else", () => {
  for (
    const [target, expected] of [
      ["/a/b?page=2&q=x", "/a/b?page=2&q=x"],
      ["/token/abc", "/token/abc"],
      ["/?DAYTONA_SANDBOX_AUTH_KEY=t", "/?DAYTONA_SANDBOX_AUTH_KEY=(hidden)"],
      ["/?%61ccess_token=t&a=1", "/?%61ccess_token=(hidden)&a=1"],
      ["/?%ff%74oken=t&%=1", "/?%ff%74oken=(hidden)&%=1"],
      ["/?a=1;sid=2", "/?a=1;sid=(hidden)"],
      ["/cb?code=c&state=s", "/cb?code=(hidden)&state=(hidden)"],
      ["/?apiKey=k&monkey=m", "/?apiKey=(hidden)&monkey=m"],
      ["/?X-Amz-Signature=s", "/?X-Amz-Signature=(hidden)"],
      ["/?%zz=1&password", "/?%zz=1&password"],
      ["/#access_token=t", "/#access_token=(hidden)"],
      ["/#/cb?code=c", "/#/cb?code=(hidden)"],
      ["/?token=a?b", "/?token=(hidden)"],
      ["/?next=/a?token=t&b=1", "/?next=(hidden)&b=1"],
      ["/?next=%2Fa%3Fcode%3Dc", "/?next=(hidden)"],
      ["/?next=%2Fa%3Fpage%3D2", "/?next=%2Fa%3Fpage%3D2"],
      ["/?access_key=k", "/?access_key=(hidden)"],
      ["/reset/eyJhbGciOiJub25lIn0.e30.c2ln?a=1", "/reset/(hidden)?a=1"],
      [
        "/?a=eyJhbGciOiJub25lIn0.e30.c2ln&b=dtn_0a1b",
        "/?a=(hidden)&b=(hidden)",
      ],
      ["/eyJ/a.b", "/eyJ/a.b"],
      ["/?author=a&max_tokens=9", "/?author=a&max_tokens=9"],
      ["/?author_token=t", "/?author_token=(hidden)"],
      [
        `/?q=ghp_${"a1".repeat(18)}&b=sk-${"a1".repeat(12)}`,
        "/?q=(hidden)&b=(hidden)",
      ],
      [`/?note=pp_${"a1".repeat(20)}`, "/?note=(hidden)"],
      [`/AKIA${"A1".repeat(8)}/x`, "/(hidden)/x"],
      ["/sk-1/npm_2/glpat-3", "/sk-1/npm_2/glpat-3"],
    ] as const
  ) assert.equal(redactTarget(target), expected);
  assert.equal(redactTarget(`/${"a".repeat(5000)}`).length, 2049);
});

Deno.test("redactTarget() shows no part of a token that it reads half of", () => {
  const jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1In0.c2ln";
  const hidden = `token=${"a".repeat(8000)}`;
  for (let length = 8192 - 2 * jwt.length; length < 8192; length++) {
    const filled = `/?${hidden}&b=`.padEnd(length, "b");
    for (const mark of ["&", "/", ";"]) {
      const shown = redactTarget(`${filled}${mark}${jwt}${"&c=d".repeat(20)}`);
      assert.doesNotMatch(shown, /eyJ/);
      assert.match(shown, /…$/);
    }
  }
});

Deno.test("redactHeaders() hides credentials, and keeps what a developer looks for", () => {
  assert.deepEqual(
    redactHeaders([
      ["Accept", "*/*"],
      ["Authorization", "Bearer secret"],
      ["Cookie", "a=secret; secret; __Host-porthole-session=secret"],
      ["X-Daytona-Preview-Token", "secret"],
      ["X-API-Key", "secret"],
      ["Referer", "https://h.test/?token=secret&a=1"],
      ["Sec-WebSocket-Protocol", `graphql-ws, ${"s".repeat(40)}`],
      ["Set-Cookie", "a=secret; Path=/; HttpOnly"],
      ["Set-Cookie", "secret; Path=/"],
      ["X-Original-URL", "/a?token=secret"],
      ["X-Amzn-Oidc-Data", "eyJhbGciOiJub25lIn0.e30.c2ln"],
      ["Location", "/next?session=secret"],
      ["WWW-Authenticate", 'Bearer realm="x"'],
      ["Access-Control-Allow-Credentials", "true"],
      ["X-Note", `xoxb-${"1a".repeat(12)}`],
      ["Proxy-Authorization", "secret"],
    ]),
    [
      ["Accept", "*/*"],
      ["Authorization", "(hidden)"],
      ["Cookie", "a=(hidden); (hidden); __Host-porthole-session=(hidden)"],
      ["X-Daytona-Preview-Token", "(hidden)"],
      ["X-API-Key", "(hidden)"],
      ["Referer", "https://h.test/?token=(hidden)&a=1"],
      ["Sec-WebSocket-Protocol", "graphql-ws, (hidden)"],
      ["Set-Cookie", "a=(hidden); Path=/; HttpOnly"],
      ["Set-Cookie", "(hidden); Path=/"],
      ["X-Original-URL", "/a?token=(hidden)"],
      ["X-Amzn-Oidc-Data", "(hidden)"],
      ["Location", "/next?session=(hidden)"],
      ["WWW-Authenticate", 'Bearer realm="x"'],
      ["Access-Control-Allow-Credentials", "true"],
      ["X-Note", "(hidden)"],
      ["Proxy-Authorization", "(hidden)"],
    ],
  );
});

Deno.test("the token of a signed link is hidden wherever its host is named, and what an app calls its files is not", () => {
  const host = "3000-abcdefgh12345678.preview.test";
  const hidden = "3000-(hidden).preview.test";
  assert.deepEqual(
    redactHeaders([
      ["host", host],
      ["X-Forwarded-Host", `proxy.test, ${host.toUpperCase()}`],
      ["Forwarded", `for=192.0.2.1;host="${host}"`],
      ["Origin", `https://${host}`],
      ["Referer", `https://${host}/a?b=1`],
      ["Link", "</117-c8bb5bd0b71b5e0a.js>; rel=preload"],
    ]),
    [
      ["host", hidden],
      ["X-Forwarded-Host", "proxy.test, 3000-(hidden).PREVIEW.TEST"],
      ["Forwarded", `for=192.0.2.1;host="${hidden}"`],
      ["Origin", `https://${hidden}`],
      ["Referer", `https://${hidden}/a?b=1`],
      ["Link", "</117-c8bb5bd0b71b5e0a.js>; rel=preload"],
    ],
  );
  const next = `/?next=${encodeURIComponent(`https://${host}/`)}`;
  assert.match(redactTarget(next), /=https%3A%2F%2F3000-\(hidden\)\.preview/);
  const file = "/chunks/117-c8bb5bd0b71b5e0a.js";
  assert.equal(redactTarget(file), file);
});

Deno.test("no text makes its own redaction last", async () => {
  const url = new URL("./redact_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  for (
    const part of [
      "?",
      ";",
      "&a",
      "%3F",
      "?a=",
      "a.",
      "1-",
      "//",
      "[",
      "eyJa.",
      "eyJ",
      "sk-",
      "author",
    ]
  ) {
    const redacted = once(worker, "message");
    worker.postMessage(part.repeat(LONG / part.length));
    assert(await fulfilsWithin(redacted, ENDLESS_MS), part);
  }
  worker.terminate();
});

Deno.test("redactHeaders() is bounded by lines, by each value and by all of them", () => {
  const many = Array.from({ length: 100 }, (): [string, string] => ["a", "b"]);
  assert.equal(redactHeaders(many).length, 65);
  const [[, long] = []] = redactHeaders([["a", "b".repeat(5000)]]);
  assert.equal(long?.length, 1025);
  const large = Array.from(
    { length: 50 },
    (): [string, string] => ["a", "b".repeat(1000)],
  );
  assert.equal(redactHeaders(large).length, 9);
});

Deno.test("redactReason() names no machine of the installation", () => {
  assert.equal(
    redactReason(
      "connect 10.0.0.7:3003 failed, runner-1.internal:3003, [fd00::1]:80, http://r.test/sandboxes/x: reset",
    ),
    "connect (address) failed, (address), (address), (address) reset",
  );
});
