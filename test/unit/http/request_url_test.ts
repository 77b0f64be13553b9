import assert from "node:assert/strict";
import {
  splitQuery,
  splitRequestUrl,
  withoutDefaultPort,
} from "../../../src/http/request_url.ts";

Deno.test("splitRequestUrl() keeps every byte of the target", () => {
  for (
    const target of [
      "/",
      "/a%2Fb",
      "/a//b",
      "//elsewhere/x",
      "/%40x/(y)/[z]",
      "/%C3%A9",
      "/a/../b/%2e%2e",
      "/?a",
      "/?a=",
      "/?a=1;b",
      "/?x=%20+",
      "/?%",
      "/%zz",
      "/x?http://h/y",
      "/*",
    ]
  ) {
    assert.deepEqual(splitRequestUrl(`http://h.test:1${target}`, "h.test:1"), {
      ok: true,
      address: { authority: "h.test:1", target },
    });
  }
});

Deno.test("splitRequestUrl() refuses a Host that would shift the target", () => {
  for (
    const host of ["h/a?b", "h?", "h#", "u@h", "h:1:2", "h:", "h h", "", "h,h"]
  ) {
    const result = splitRequestUrl(`http://${host}/p`, host);
    assert.deepEqual(result, { ok: false, code: "bad_host" }, host);
  }
});

Deno.test("splitRequestUrl() refuses an absolute-form target with another authority", () => {
  assert.deepEqual(splitRequestUrl("http://a.test/p", "b.test"), {
    ok: false,
    code: "bad_host",
  });
  assert(splitRequestUrl("http://a.test/p", "A.test").ok);
});

Deno.test("splitRequestUrl() refuses an authority that is longer than any name with a port", () => {
  const labels = `${"a".repeat(63)}.`.repeat(4); // 256 characters
  for (const [end, isAuthority] of [["b.:65535", true], ["bc.:65535", false]]) {
    const host = `${labels}${end}`;
    assert.equal(host.length, isAuthority ? 264 : 265);
    for (const header of [host, null]) {
      const result = splitRequestUrl(`http://${host}/p`, header);
      assert.deepEqual(
        result,
        isAuthority
          ? { ok: true, address: { authority: host, target: "/p" } }
          : { ok: false, code: "bad_host" },
      );
    }
  }
});

Deno.test("splitRequestUrl() uses the URL alone if there is no Host, as over HTTP/2", () => {
  assert.deepEqual(splitRequestUrl("https://h.test/p?q", null), {
    ok: true,
    address: { authority: "h.test", target: "/p?q" },
  });
});

Deno.test("splitRequestUrl() accepts IPv6 addresses", () => {
  const result = splitRequestUrl("http://[::1]:4000/health", "[::1]:4000");
  assert(result.ok && result.address.authority === "[::1]:4000");
});

Deno.test("splitRequestUrl() refuses a target that does not start with a slash", () => {
  assert.deepEqual(splitRequestUrl("http://h.test?x", "h.test"), {
    ok: false,
    code: "bad_target",
  });
  assert.deepEqual(splitRequestUrl("http://h.test:443", "h.test:443"), {
    ok: false,
    code: "bad_target",
  });
});

Deno.test("splitQuery() splits at the first question mark, and loses no byte", () => {
  for (const [path, query] of [["/a", "?b?c"], ["/a", "?"], ["/a", ""]]) {
    assert.deepEqual(splitQuery(`${path}${query}`), { path, query });
  }
});

Deno.test("withoutDefaultPort() leaves other ports, other schemes' ports and addresses alone", () => {
  assert.equal(withoutDefaultPort("h.test:80", "http"), "h.test");
  assert.equal(withoutDefaultPort("[::1]:443", "https"), "[::1]");
  for (const authority of ["h.test", "h.test:80", "h.test:8443", "[1::443]"]) {
    assert.equal(withoutDefaultPort(authority, "https"), authority);
  }
});
