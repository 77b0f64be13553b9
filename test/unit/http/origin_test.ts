import assert from "node:assert/strict";
import { isAncestor, parseOrigin } from "../../../src/http/origin.ts";

Deno.test("parseOrigin() reads scheme, host and port, and ignores path and query", () => {
  assert.deepEqual(parseOrigin("http://Runner.test/path?query"), {
    tls: false,
    hostname: "runner.test",
    port: 80,
    key: "http://runner.test:80",
  });
  assert.deepEqual(parseOrigin("https://10.0.0.1:8443"), {
    tls: true,
    hostname: "10.0.0.1",
    port: 8443,
    key: "https://10.0.0.1:8443",
  });
  assert.equal(parseOrigin("https://runner.test").port, 443);
});

Deno.test("parseOrigin() removes the brackets of an IPv6 address, except in the key", () => {
  const { hostname, key } = parseOrigin("http://[2001:db8::1]:3000/");
  assert.equal(hostname, "2001:db8::1");
  assert.equal(key, "http://[2001:db8::1]:3000");
});

Deno.test("parseOrigin() gives equal origins equal keys", () => {
  assert.equal(
    parseOrigin("http://RUNNER.test:80/a").key,
    parseOrigin("http://runner.test/b").key,
  );
});

Deno.test("parseOrigin() throws TypeError for anything else", () => {
  for (
    const url of [
      "",
      "runner.test",
      "ftp://runner.test",
      "ws://a",
      "http://user@a",
      "http://:p@a",
    ]
  ) {
    assert.throws(() => parseOrigin(url), TypeError, url);
  }
});

Deno.test("isAncestor() is true for origins that a policy names exactly", () => {
  for (
    const [origin, expected] of [
      ["https://app.example.com", true],
      ["https://app.example.com:8443", true],
      ["http://localhost:5173", true],
      ["http://a.b.localhost:1", true],
      ["https://*.example.com", false],
      ["https://a.example.", false],
      ["https://a.example/", false],
      ["https://a.example:443", false],
      ["https://[::1]", false],
      ["http://plain.example", false],
      ["http://plain.example:8080", false],
      ["http://localhost", false],
      ["http://localhost:80", false],
      ["http://*.localhost:5173", false],
      ["", false],
    ] as const
  ) assert.equal(isAncestor(origin), expected, origin);
});
