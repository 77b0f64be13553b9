/** What an app is told of its own address: {@linkcode publicLocation}, {@linkcode localUrl}, {@linkcode requestForm}. */
import fc from "fast-check";
import assert from "node:assert/strict";
import {
  handshakeForm,
  localUrl,
  publicLocation,
  requestForm,
} from "../../../src/proxy/app_origin.ts";
import { mutated } from "./arbitraries.ts";
import { type Property, property } from "./property.ts";

const APP = { port: 3000, publicOrigin: "https://3000-box.p.test" } as const;

/** Names of the app's own machine. */
const LOCAL = ["localhost", "127.0.0.1", "0.0.0.0", "[::1]", "[::]"];

/** URLs at or near the app's local and public addresses. */
const url = mutated(
  fc.tuple(
    fc.constantFrom("http://", "https://", "HTTP://", "//", "ws://", "http:"),
    fc.constantFrom("", "", "user@", "localhost:3000@", "a:b@"),
    fc.constantFrom(
      "localhost",
      "LOCALHOST",
      "127.0.0.1",
      "127.1",
      "[::1]",
      "[::]",
      "0.0.0.0",
      "localhost.",
      "localhost.p.test",
      "3000-box.p.test",
      "3000-box.p.test.evil.test",
      "5173-box.p.test",
    ),
    fc.constantFrom(":3000", ":3000", "", ":30001", ":03000", ":80", ":"),
    fc.constantFrom(
      "",
      "/",
      "/a%2F..//b?c=%zz#d",
      "?q",
      "#f",
      "\\x",
      "@e.test/",
    ),
  ).map((parts) => parts.join("")),
  ["@", "\\", ":", "/", "?", "#", ".", "%2f", "1", " "],
);

/** What a browser would ask for. */
function seen(text: string): URL | undefined {
  return URL.parse(text, `${APP.publicOrigin}/base`) ?? undefined;
}

/** The part of a URL after its origin. */
function restOf({ pathname, search, hash }: URL): string {
  return pathname + search + hash;
}

/** Properties of the app's view of its own address. */
export const appOriginProperties: readonly Property[] = [
  property(
    "publicLocation() changes only what a browser takes for the app's local address, and nothing of it but the origin",
    url,
    (location) => {
      const led = publicLocation(location, APP);
      if (led === location) return;
      const before = seen(location) ?? assert.fail(location);
      const after = seen(led) ?? assert.fail(led);
      assert(LOCAL.includes(before.hostname), location);
      assert.equal(before.port, "3000");
      assert.deepEqual([before.username, before.password], ["", ""]);
      assert.equal(after.origin, APP.publicOrigin);
      assert.equal(restOf(after), restOf(before));
      assert(location.endsWith(led.slice(APP.publicOrigin.length)));
    },
  ),

  property(
    "localUrl() changes only what a browser takes for the app's public address, and nothing of it but the origin",
    url,
    (referer) => {
      const local = localUrl(referer, APP);
      if (local === referer) return;
      const before = seen(referer) ?? assert.fail(referer);
      const after = seen(local) ?? assert.fail(local);
      assert.equal(before.origin, APP.publicOrigin);
      assert.deepEqual([before.username, before.password], ["", ""]);
      assert.equal(after.origin, "http://localhost:3000");
      assert.equal(restOf(after), restOf(before));
    },
  ),

  property(
    "requestForm() and handshakeForm() leave every origin but the preview's own as it came",
    fc.record({
      mode: fc.constantFrom("auto", "local", "pass"),
      method: fc.constantFrom("GET", "HEAD", "POST", "OPTIONS", "PUT"),
      origin: fc.oneof(url, fc.constant(APP.publicOrigin)),
    }),
    ({ mode, method, origin }) => {
      const request = {
        method,
        headers: {
          get: (name: string) => name === "origin" ? origin : null,
          has: (name: string) => name === "origin",
          *[Symbol.iterator](): Generator<[string, string]> {
            yield ["origin", origin];
          },
        },
        appAddress: APP,
      };
      if (origin === APP.publicOrigin && mode !== "pass") {
        assert.notEqual(handshakeForm(mode, request), "public");
      } else {
        assert.equal(requestForm(mode, request), "public");
        assert.equal(handshakeForm(mode, request), "public");
      }
    },
  ),
];
