import assert from "node:assert/strict";
import {
  frameHeaders,
  type FrameSource,
} from "../../../src/proxy/frame_headers.ts";
import { ownCookies } from "../../support/own_cookies.ts";

const HOST = {
  port: 3000,
  label: "box",
  base: "p.test",
  authoritySuffix: "p.test",
};

const COOKIES = ownCookies();

function source(
  headers: Readonly<Record<string, string>> = {},
  changes: Partial<FrameSource> = {},
): FrameSource {
  return {
    headers: new Headers(headers),
    host: HOST,
    scheme: "https",
    cookies: COOKIES,
    ...changes,
  };
}

/** The headers that are added to a page, which pages of these origins may frame. */
function onPage(
  request: FrameSource,
  framers: readonly string[] = [],
): [string, string][] {
  const headers = [["Content-Type", "text/html"]] as const;
  return frameHeaders({ status: 200, headers }, request, framers);
}

/** A frame on another page, as a browser loads it. */
function frameOn(
  referer: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "iframe",
    referer,
    ...more,
  };
}

const SELF: [string, string] = [
  "content-security-policy",
  "frame-ancestors 'self'",
];

Deno.test("S4: frameHeaders() lets a page be framed by its own host, and by allowed origins", () => {
  assert.deepEqual(onPage(source()), [SELF]);
  const framers = ["https://a.example", "https://b.example:1"];
  assert.deepEqual(onPage(source(), framers), [[
    "content-security-policy",
    "frame-ancestors 'self' https://a.example https://b.example:1",
  ]]);
});

Deno.test("S4: frameHeaders() remembers the sandbox's ports that frame a page, as links in the frame do not name them", () => {
  const [policy, cookie, ...more] = onPage(
    source(frameOn("https://5173-box.p.test/")),
  );
  assert.deepEqual(policy, [
    "content-security-policy",
    "frame-ancestors 'self' https://5173-box.p.test",
  ]);
  assert.deepEqual(cookie, [
    "set-cookie",
    "__Host-porthole-framing-ports=5173; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure",
  ]);
  assert.deepEqual(more, []);

  const remembered = { cookie: "a=1; __Host-porthole-framing-ports=5173" };
  for (
    const headers of [
      remembered,
      frameOn("https://3000-box.p.test/a", remembered),
      frameOn("https://5173-box.p.test/", remembered),
    ]
  ) assert.deepEqual(onPage(source(headers)), [policy]);

  const second = onPage(
    source(frameOn("https://8080-box.p.test/", remembered)),
  );
  assert.equal(
    second[0]?.[1],
    "frame-ancestors 'self' https://5173-box.p.test https://8080-box.p.test",
  );
  assert.match(second[1]?.[1] ?? "", /-framing-ports=5173\.8080;/);
});

Deno.test("S4: frameHeaders() remembers nothing of other pages, of windows and of what is no navigation", () => {
  const own = "https://5173-box.p.test/";
  for (
    const headers of [
      frameOn("https://3000-evil.p.test/"),
      frameOn("https://p.test/"),
      frameOn("https://evil.example/https://5173-box.p.test/"),
      frameOn("http://5173-box.p.test/"),
      frameOn(own, { "sec-fetch-dest": "document" }),
      frameOn(own, { "sec-fetch-dest": "image", "sec-fetch-mode": "no-cors" }),
      { referer: own },
    ]
  ) assert.deepEqual(onPage(source(headers)), [SELF], JSON.stringify(headers));
});

Deno.test("S4: frameHeaders() takes nothing but ports from a planted cookie, and eight of them at most", () => {
  const name = COOKIES.framingPorts;
  for (
    const value of ["", "x", "0", "65536", "-1", "evil.example", "1e9", "' *"]
  ) {
    const cookie = `${name}=${value}`;
    assert.deepEqual(onPage(source({ cookie })), [SELF], value);
  }
  const many = Array.from({ length: 100 }, (_, i) => i + 1).join(".");
  const [policy] = onPage(source({ cookie: `${name}=${many}` }));
  assert.equal(policy?.[1].split(" ").length, 2 + 8);
});

Deno.test("S4: frameHeaders() names all origins of a port that frames a page: its preview host and its names, at these too", () => {
  const names = new Map([
    ["shop.p.test", 3000],
    ["panel.p.test", 5173],
    ["panel.example", 5173],
  ]);
  const named = { ...HOST, name: "shop.p.test", names };
  const panel = [
    "https://5173-box.p.test",
    "https://panel.p.test",
    "https://panel.example",
  ];
  for (const host of [named, { ...HOST, names }]) {
    for (const origin of panel) {
      const framed = onPage(source(frameOn(`${origin}/a`), { host }));
      const policy = ["frame-ancestors 'self'", ...panel].join(" ");
      assert.equal(framed[0]?.[1], policy, origin);
      assert.match(framed[1]?.[1] ?? "", /-framing-ports=5173;/);
    }
    for (
      const origin of [
        "https://other.p.test",
        "https://panel.p.test:8443",
        "http://panel.p.test",
      ]
    ) assert.deepEqual(onPage(source(frameOn(origin), { host })), [SELF]);
  }
  const authoritySuffix = "p.test:8443";
  const host = { ...named, authoritySuffix, name: "shop.p.test:8443" };
  const headers = frameOn("https://panel.example:8443/");
  assert.equal(
    onPage(source(headers, { host }))[0]?.[1],
    `frame-ancestors 'self' ${
      panel.map((origin) => `${origin}:8443`).join(" ")
    }`,
  );
});

Deno.test("S4: frameHeaders() lets the same port's page at another of its origins frame it", () => {
  const names = new Map([["shop.p.test", 3000], ["store.p.test", 3000]]);
  const policy = "frame-ancestors 'self' https://3000-box.p.test " +
    "https://shop.p.test https://store.p.test";
  const own = "https://3000-box.p.test";
  for (
    const [host, origin, framer] of [
      [{ ...HOST, names }, own, "https://shop.p.test"],
      [{ ...HOST, names, name: "shop.p.test" }, "https://shop.p.test", own],
      [
        { ...HOST, names, name: "shop.p.test" },
        "https://shop.p.test",
        "https://store.p.test",
      ],
    ] as const
  ) {
    const [framed] = onPage(source(frameOn(`${framer}/`), { host }));
    assert.equal(framed?.[1], policy, framer);
    const alone = onPage(source(frameOn(`${origin}/`), { host }));
    assert.deepEqual(alone, [SELF], origin);
  }
});

Deno.test("S14: frameHeaders() lets no other port of the sandbox frame Daytona's own", () => {
  for (const port of [2280, 22222, 33333]) {
    const headers = frameOn("https://5173-box.p.test/", {
      cookie: `${COOKIES.framingPorts}=5173`,
    });
    const host = { ...HOST, port };
    assert.deepEqual(onPage(source(headers, { host })), [SELF]);
  }
});

Deno.test("frameHeaders() leaves alone what is no document, and a 304, whose headers replace stored ones", () => {
  for (const type of ["text/css", "image/png", "application/json"]) {
    const headers = [["content-type", type]] as const;
    assert.deepEqual(frameHeaders({ status: 200, headers }, source(), []), []);
  }
  const unchanged = { status: 304, headers: [] };
  assert.deepEqual(frameHeaders(unchanged, source(), []), []);
  for (
    const type of ["TEXT/HTML; charset=utf-8", "image/svg+xml", "text/xml"]
  ) {
    const headers = [["content-type", type]] as const;
    const response = { status: 404, headers };
    assert.deepEqual(frameHeaders(response, source(), []), [SELF]);
  }
  // A browser would guess.
  const untyped = { status: 200, headers: [] };
  assert.deepEqual(frameHeaders(untyped, source(), []), [SELF]);
});

Deno.test("frameHeaders() leaves an app's X-Frame-Options in force, which browsers ignore beside frame-ancestors", () => {
  for (
    const [headers, expected] of [
      [[["X-Frame-Options", "DENY"]], []],
      [[["x-frame-options", " SameOrigin "]], []],
      [[["x-frame-options", "ALLOWALL"]], [SELF]],
      [[["x-frame-options", "ALLOW-FROM https://a.example"]], [SELF]],
      [[["x-frame-options", "DENY"], ["x-frame-options", "x"]], [SELF]],
      [
        [["x-frame-options", "DENY"], [
          "Content-Security-Policy",
          "default-src 'self'; Frame-Ancestors *",
        ]],
        [SELF],
      ],
      [
        [["x-frame-options", "DENY"], [
          "content-security-policy",
          "default-src 'self'",
        ]],
        [],
      ],
    ] as [[string, string][], [string, string][]][]
  ) {
    const response = { status: 200, headers };
    assert.deepEqual(
      frameHeaders(response, source(), []),
      expected,
      JSON.stringify(headers),
    );
  }
});
