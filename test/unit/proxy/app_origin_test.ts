import assert from "node:assert/strict";
import {
  type AddressForm,
  type HandshakeForm,
  handshakeForm,
  localUrl,
  publicLocation,
  requestForm,
  withPublicLocation,
} from "../../../src/proxy/app_origin.ts";

const APP = { port: 3000, publicOrigin: "https://3000-box.p.test" };

/** Origins that are not the preview's own, however similar. */
const FOREIGN = [
  "https://5173-box.p.test",
  "https://3000-other.p.test",
  "https://elsewhere.example",
  "null",
  "http://localhost:3000",
  "http://3000-box.p.test",
  "https://3000-box.p.test.evil.example",
  "https://3000-box.p.test:8443",
  "https://3000-box.p.test/",
  "https://3000-box.p.test@evil.example",
  "https://evil-3000-box.p.test",
  "HTTPS://3000-BOX.P.TEST",
  "",
];

function formOf(
  mode: "auto" | "local" | "pass",
  method: string,
  origin?: string,
): AddressForm {
  const headers = new Headers(origin === undefined ? {} : { origin });
  return requestForm(mode, { method, headers, appAddress: APP });
}

function handshakeFormOf(
  mode: "auto" | "local" | "pass",
  origin?: string,
): HandshakeForm {
  const headers = new Headers(origin === undefined ? {} : { origin });
  return handshakeForm(mode, { method: "GET", headers, appAddress: APP });
}

Deno.test("requestForm() hides a preview's own origin from GET and HEAD only, and with local names localhost", () => {
  const own = APP.publicOrigin;
  for (const method of ["GET", "HEAD"]) {
    assert.equal(formOf("auto", method, own), "no_origin");
    assert.equal(formOf("auto", method), "public");
  }
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get"]) {
    assert.equal(formOf("auto", method, own), "public");
    assert.equal(formOf("auto", method), "public");
  }
  for (const method of ["GET", "HEAD", "POST", "DELETE", "OPTIONS"]) {
    assert.equal(formOf("local", method, own), "local");
    assert.equal(formOf("local", method), "local");
    assert.equal(formOf("pass", method, own), "public");
    assert.equal(formOf("pass", method), "public");
  }
});

Deno.test("handshakeForm() leaves the choice to the app for a preview's own origin only", () => {
  assert.equal(handshakeFormOf("auto", APP.publicOrigin), "either");
  assert.equal(handshakeFormOf("auto"), "public");
  assert.equal(handshakeFormOf("local", APP.publicOrigin), "local");
  assert.equal(handshakeFormOf("local"), "local");
  assert.equal(handshakeFormOf("pass", APP.publicOrigin), "public");
});

Deno.test("no request from another origin, however similar, is changed, whatever the mode", () => {
  for (const origin of FOREIGN) {
    for (const mode of ["auto", "local", "pass"] as const) {
      for (const method of ["GET", "HEAD", "POST"]) {
        assert.equal(formOf(mode, method, origin), "public", origin);
      }
      assert.equal(handshakeFormOf(mode, origin), "public", origin);
    }
  }
});

Deno.test("a request that is for no app, such as the toolbox's, is never changed", () => {
  for (const origin of ["https://3000-box.p.test", "null", undefined]) {
    const headers = new Headers(origin === undefined ? {} : { origin });
    const request = { method: "GET", headers, appAddress: undefined };
    for (const mode of ["auto", "local", "pass"] as const) {
      assert.equal(requestForm(mode, request), "public");
      assert.equal(handshakeForm(mode, request), "public");
    }
  }
});

Deno.test("localUrl() moves what is at the preview's own origin, byte for byte, and nothing else", () => {
  for (
    const [url, expected] of [
      ["https://3000-box.p.test", "http://localhost:3000"],
      ["https://3000-box.p.test/", "http://localhost:3000/"],
      [
        "https://3000-box.p.test/a%2fb//?q=%zz#f",
        "http://localhost:3000/a%2fb//?q=%zz#f",
      ],
      ["https://3000-box.p.test?q", "http://localhost:3000?q"],
    ] as const
  ) assert.equal(localUrl(url, APP), expected);
  const others = FOREIGN.filter((url) =>
    !/^https:\/\/3000-box\.p\.test\/?$/i.test(url)
  );
  for (const url of [...others, "https://3000-box.p.test\\@evil.example/"]) {
    assert.equal(localUrl(url, APP), url);
  }
});

Deno.test("publicLocation() leads back what is at the app's local address, byte for byte", () => {
  for (
    const [location, expected] of [
      ["http://localhost:3000", ""],
      ["http://localhost:3000/", "/"],
      ["https://localhost:3000/login?next=%2Fa", "/login?next=%2Fa"],
      ["http://127.0.0.1:3000/a%2F..//b?c=%zz#d", "/a%2F..//b?c=%zz#d"],
      ["https://127.0.0.1:3000?q", "?q"],
      ["http://localhost:3000#top", "#top"],
      ["HTTP://LocalHost:3000/A", "/A"],
      [
        "http://localhost:3000/?to=http://localhost:3000/",
        "/?to=http://localhost:3000/",
      ],
      ["http://localhost:3000/\xe9", "/\xe9"],
      ["//localhost:3000/a", "/a"],
      ["http://[::1]:3000/", "/"],
      ["https://0.0.0.0:3000/a", "/a"],
    ] as const
  ) {
    assert.equal(publicLocation(location, APP), APP.publicOrigin + expected);
  }
});

Deno.test("publicLocation() leaves other ports, other hosts and look-alikes alone", () => {
  for (
    const location of [
      "/login",
      "login",
      "?q",
      "",
      "///localhost:3000/a",
      "//localhost/",
      "http://localhost:30001/x",
      "http://localhost:300/x",
      "http://localhost:3000@evil.test/",
      "http://localhost:3000:80@evil.test/",
      "http://evil@localhost:3000/",
      "http://localhost:3000\\@evil.test/",
      "http://localhost:3000.evil.test/",
      "http://localhost.evil.test:3000/",
      "http://localhost",
      "http://localhost/",
      "http://127.0.0.2:3000/",
      "http://127.0.0.1.evil.test:3000/",
      "http://[::1:3000/",
      "http://[::2]:3000/",
      "http:/localhost:3000/",
      "http:localhost:3000/",
      " http://localhost:3000/",
      "ws://localhost:3000/",
      "javascript://localhost:3000/%0aalert(1)",
      "https://5173-box.p.test/",
      "https://app.example/?back=http://localhost:3000/",
    ]
  ) assert.equal(publicLocation(location, APP), location);
});

Deno.test("publicLocation() knows the ports that a URL need not name", () => {
  const on80 = { port: 80, publicOrigin: "https://80-box.p.test" };
  assert.equal(
    publicLocation("http://localhost/a", on80),
    "https://80-box.p.test/a",
  );
  assert.equal(
    publicLocation("http://localhost:80/a", on80),
    "https://80-box.p.test/a",
  );
  const https = "https://localhost/a";
  assert.equal(publicLocation(https, on80), https);
  const on443 = { port: 443, publicOrigin: "https://443-box.p.test" };
  assert.equal(
    publicLocation(https, on443),
    "https://443-box.p.test/a",
  );
});

Deno.test("withPublicLocation() changes Location and Content-Location, and no other header", () => {
  const local = "http://localhost:3000/a";
  const led = `${APP.publicOrigin}/a`;
  assert.deepEqual(
    withPublicLocation([
      ["Location", local],
      ["X-Location", local],
      ["content-location", local],
      ["Link", `<${local}>`],
      ["locatio1", local],
      ["LOCATION", local],
    ], { appAddress: APP }),
    [
      ["Location", led],
      ["X-Location", local],
      ["content-location", led],
      ["Link", `<${local}>`],
      ["locatio1", local],
      ["LOCATION", led],
    ],
  );
  const none: [string, string][] = [["Content-Type", "text/plain"]];
  assert.equal(withPublicLocation(none, { appAddress: APP }), none);
  const toolbox: [string, string][] = [["Location", local]];
  assert.equal(withPublicLocation(toolbox, { appAddress: undefined }), toolbox);
});
