/**
 * The request-target arrives octet for octet after the sandbox's prefix, and never outside (RFC 9112 section 3.2.1).
 */
import assert from "node:assert/strict";
import { readResponse } from "../support/raw_client.ts";
import { assertOwn, errorOf, exchange, type Message } from "./exchange.ts";
import { startTarget, type Target, test } from "./target.ts";

const HANDSHAKE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/** Every target is requested in both ways, which take different paths through the gateway. */
const WAYS: Record<string, readonly string[]> = {
  HTTP: [],
  WebSocket: HANDSHAKE,
};

const KEPT: readonly string[] = [
  "/",
  "//",
  "//a",
  "/a//b",
  "/a/",
  "/a%2Fb",
  "/a%2fb",
  "/%40x/(y)/[z]",
  "/%C3%A9",
  "/%c3%a9",
  "/%00",
  "/%0d%0aX:%20y",
  "/%zz",
  "/%",
  "/%2",
  "/a;b=c,d",
  "/a:b@c&d=e+f$g!h*i~j",
  "/'\"<>`",
  "/|^{}",
  "/a\\b",
  "/...",
  "/..;/x",
  "/a..b/..c/d..",
  "/.well-known/x",
  "/%252e%252e/x",
  "/http://elsewhere/",
  "/@elsewhere/",
  "/a#",
  "/a#b?c",
  "/?",
  "/?a",
  "/?a=",
  "/?=a",
  "/?a=1;b",
  "/?a=1&a=2&&",
  "/?x=%20+",
  "/?%",
  "/?%zz",
  "/?a?b",
  "/?a=/../..",
  "/?'\"<>`|^{}\\",
  "/?#",
  "/?a#b",
];

Deno.test("a target passes octet for octet (RFC 9112 section 3.2.1, RFC 3986 section 6)", async (t) => {
  await using target = await startTarget();
  for (const [way, fields] of Object.entries(WAYS)) {
    for (const sent of KEPT) {
      await t.step(`${way} ${sent}`, async () => {
        assert.deepEqual(
          await targetsOf(target, { line: `GET ${sent} HTTP/1.1`, fields }),
          [target.prefix + sent],
        );
      });
    }
  }
});

const RESOLVED: Record<string, string> = {
  "/..": "/",
  "/../..": "/",
  "/../x": "/x",
  "/a/../b": "/b",
  "/a/./b": "/a/b",
  "/a/.": "/a/",
  "/a/..": "/",
  "/a//../b": "/a/b",
  "/%2e%2e/x": "/x",
  "/.%2E/x": "/x",
  "/%2e./x": "/x",
  "/a/%2e/b": "/a/b",
  "/a/..?b/../c": "/?b/../c",
  "/a%2Fb/../c//d%zz": "/c//d%zz",
};

test.choice("dot segments are resolved within the app's own path, the rest kept (RFC 3986 section 5.2.4)", async (t) => {
  await using target = await startTarget();
  for (const [way, fields] of Object.entries(WAYS)) {
    for (const [sent, expected] of Object.entries(RESOLVED)) {
      await t.step(`${way} ${sent}`, async () => {
        assert.deepEqual(
          await targetsOf(target, { line: `GET ${sent} HTTP/1.1`, fields }),
          [target.prefix + expected],
        );
      });
    }
  }
});

/** Every spelling of a climb: dots and separators, plain and percent-encoded, in upper and lower case. */
function climbs(): string[] {
  const dots = ["..", "%2e%2e", "%2E%2E", ".%2e", "%2e.", "%2E."];
  const separators = ["/", "\\", "%2f", "%2F", "%5c", "%5C"];
  return dots.flatMap((dot) =>
    separators.flatMap((separator) => {
      const up = separator + dot;
      return [`/x${up.repeat(5)}/`, `/${up.repeat(5)}/`, `${up}`, `/x${up}`];
    })
  ).filter((path) => path.startsWith("/"));
}

Deno.test("no spelling of dot segments leaves the sandbox's prefix (RFC 3986 sections 3.3, 6.2.2.3)", async (t) => {
  await using target = await startTarget();
  const { prefix, runner } = target;
  for (const [way, fields] of Object.entries(WAYS)) {
    await t.step(way, async () => {
      for (const climb of climbs()) {
        for (const query of ["", "?a"]) {
          const line = `GET ${climb}destroy${query} HTTP/1.1`;
          const { response } = await exchange(target, { line, fields });
          const isRefused = target.isPorthole
            ? errorOf(response) === "bad_target"
            : response.status >= 400;
          assert(
            response.status === 200 || isRefused,
            `${climb}: ${response.statusLine}`,
          );
        }
      }
    });
  }
  if (target.isPorthole) assert(runner.seen.length > 100);
  for (const { target } of runner.seen) {
    assert(target.startsWith(`${prefix}/`), target);
    // This also holds for a later hop that decodes separators before it resolves dot segments.
    assert(
      new URL(target.replaceAll(/%2f|%5c/gi, "/"), "http://runner")
        .pathname.startsWith(`${prefix}/`),
      target,
    );
  }
});

/** Dots next to octets that some hops treat as a separator, or as the end of the path. */
const HALF_SEEN: readonly string[] = [
  "/a%2f..%2fb",
  "/a\\..\\b",
  "/a/..%5cb",
  "/%2f..",
  "/..#",
  "/../..#a",
  "/%2e%2e#/b",
];

test.choice("a target that only some hops would resolve is refused, and says so (RFC 3986 section 3.3)", async (t) => {
  await using target = await startTarget();
  for (const [way, fields] of Object.entries(WAYS)) {
    for (const sent of HALF_SEEN) {
      await t.step(`${way} ${sent}`, async () => {
        const line = `GET ${sent} HTTP/1.1`;
        const { response, seen } = await exchange(target, { line, fields });
        assertOwn(target, response, 400, "bad_target");
        assert.deepEqual(seen, []);
      });
    }
  }
});

const BAD_HOSTS: readonly string[] = [
  "3000-..",
  "3000-.",
  "3000-demo.",
  "3000-demo..",
  "3000-demo/..",
  "3000-demo%2f..%2f..",
  "3000-demo\\..",
  "3000-%2e%2e",
  "3000-demo.x",
  "3000-demo%00",
  "3000-demo@x",
  "3000-dem\xf6",
  "3000-",
  "3000",
  "-demo",
  "3000/../demo",
  "03000-demo",
  "+3000-demo",
  "0xbb8-demo",
  "3e3-demo",
  "65536-demo",
  "30001-..%2fdemo",
];

Deno.test("a host whose label would change the path names no preview (RFC 1035 section 2.3.1)", async (t) => {
  await using target = await startTarget();
  for (const [way, fields] of Object.entries(WAYS)) {
    for (const label of BAD_HOSTS) {
      await t.step(`${way} ${label}`, async () => {
        using client = await target.connect();
        const host = `${label}.proxy.localhost`;
        await client.write(
          ["GET / HTTP/1.1", `Host: ${host}`, ...fields, "", ""].join("\r\n"),
        );
        const { status } = await readResponse(client);
        if (target.isPorthole) assert.equal(status, 400);
        else assert.match(`${status}`, /^4/);
      });
    }
  }
  assert.equal(target.runner.accepted, 0);
});

/** The targets that reach the runner, which responds with 200; to a handshake, that is a refusal. */
async function targetsOf(
  target: Target,
  message: Message,
): Promise<string[]> {
  const { response, seen } = await exchange(target, message);
  assert.equal(response.status, 200);
  return seen.map((one) => one.target);
}
