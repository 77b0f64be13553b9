import assert from "node:assert/strict";
import type { FrameTerms } from "../../../src/auth/grants.ts";
import {
  embeddedHeaders,
  partitionedCookie,
  withoutFrameAncestors,
} from "../../../src/proxy/embedded_response.ts";
import type { FrameSource } from "../../../src/proxy/frame_headers.ts";
import { ownCookies } from "../../support/own_cookies.ts";

const TERMS: FrameTerms = {
  ancestors: ["https://a.example", "http://localhost:5173"],
  frame: "replace",
  cookies: "partition",
  isolate: null,
  bridge: [],
};

function source(changes: Partial<FrameSource> = {}): FrameSource {
  return {
    headers: new Headers(),
    host: { port: 3000, label: "box", authoritySuffix: "p.test" },
    scheme: "https",
    cookies: ownCookies(),
    ...changes,
  };
}

/** What becomes of these headers of a page, in a frame on those terms. */
function onPage(
  headers: readonly (readonly [string, string])[],
  terms: Partial<FrameTerms> = {},
  request = source(),
): [string, string][] {
  const page = [["Content-Type", "text/html"] as const, ...headers];
  const response = { status: 200, headers: page };
  return embeddedHeaders(response, { ...TERMS, ...terms }, request).slice(1);
}

const UNSTORED: [string, string] = ["cache-control", "no-store"];
const OURS: [string, string] = [
  "content-security-policy",
  "frame-ancestors 'self' https://a.example http://localhost:5173",
];

Deno.test("in a frame, the ancestors take the place of whom the app names, and nothing else of its policy changes", () => {
  assert.deepEqual(onPage([]), [UNSTORED, OURS]);
  const app = [
    ["X-Frame-Options", "DENY"],
    ["x-frame-options", "SAMEORIGIN"],
    ["X-FRAME-OPTIONS", "ALLOW-FROM https://b.example"],
    ["Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'"],
    ["CONTENT-SECURITY-POLICY", "FRAME-ANCESTORS *"],
    ["content-security-policy", "script-src 'nonce-r4'; object-src"],
    ["Content-Security-Policy-Report-Only", "frame-ancestors 'none'"],
    ["X-Content-Security-Policy", "frame-ancestors 'none'"],
    ["Permissions-Policy", "camera=()"],
    ["ETag", '"a"'],
  ] as const;
  assert.deepEqual(onPage(app), [
    ["Content-Security-Policy", "default-src 'self'"],
    app[5],
    app[6],
    app[7],
    app[8],
    app[9],
    UNSTORED,
    OURS,
  ]);
});

Deno.test("withoutFrameAncestors() takes that directive out of each policy, and leaves the rest byte for byte", () => {
  for (
    const [given = "", expected] of [
      ["", ""],
      [" , ,", " , ,"],
      ["default-src 'self'", "default-src 'self'"],
      ["frame-ancestors", undefined],
      ["frame-ancestors 'none'", undefined],
      ["  Frame-Ancestors\t'none' ; ", undefined],
      ["frame-ancestors 'none';;", undefined],
      ["frame-ancestors a, frame-ancestors b", undefined],
      ["frame-ancestors 'none'; default-src *", " default-src *"],
      ["default-src *;frame-ancestors a;img-src b", "default-src *;img-src b"],
      [
        "frame-ancestors a; default-src *; FRAME-ancestors b; Frame-Ancestors",
        " default-src *",
      ],
      ["default-src *,frame-ancestors 'none'", "default-src *"],
      ["frame-ancestors 'none', default-src *", " default-src *"],
      ["a;, frame-ancestors x, b ;", "a;, b ;"],
      [
        "img-src a, script-src b; frame-ancestors c, frame-ancestors d; e",
        "img-src a, script-src b, e",
      ],
      // Quotes mean nothing to a policy: a comma ends one, and a semicolon a directive.
      [`report-uri "/a,frame-ancestors 'none'"`, `report-uri "/a`],
      [`report-uri "/a;frame-ancestors b;c"`, `report-uri "/a;c"`],
      [`"frame-ancestors 'none'"`, `"frame-ancestors 'none'"`],
      ["'frame-ancestors' 'none'", "'frame-ancestors' 'none'"],
      // Other names, to browsers too.
      ["frame-ancestors-x a", "frame-ancestors-x a"],
      ["xframe-ancestors a", "xframe-ancestors a"],
      ["frame-ancestors=a", "frame-ancestors=a"],
      ["frame-ancestors:a", "frame-ancestors:a"],
      ["frame_ancestors a", "frame_ancestors a"],
      ["frame-ancestors\xa0a", "frame-ancestors\xa0a"],
      ["\xa0frame-ancestors a", "\xa0frame-ancestors a"],
      ["\x0bframe-ancestors a", "\x0bframe-ancestors a"],
      ["default-src frame-ancestors", "default-src frame-ancestors"],
      ["%66rame-ancestors a", "%66rame-ancestors a"],
      ["\fframe-ancestors\fa; b", " b"],
      ["sandbox allow-scripts; frame-ancestors a;", "sandbox allow-scripts;"],
    ]
  ) assert.equal(withoutFrameAncestors(given), expected, given);
});

Deno.test("a long policy takes little time", () => {
  const commas = ",".repeat(64 * 1024);
  assert.equal(withoutFrameAncestors(commas), commas);
  const directives = "frame-ancestors a;".repeat(4096);
  assert.equal(withoutFrameAncestors(directives), undefined);
  const spaces = " ".repeat(64 * 1024);
  assert.equal(withoutFrameAncestors(spaces), spaces);
});

Deno.test("partitionedCookie() has browsers keep a cookie in frames of other sites, and changes nothing else of it", () => {
  const ours = "; SameSite=None; Secure; Partitioned";
  for (
    const [given = "", kept = given] of [
      ["a=b"],
      ["a=b; Path=/; HttpOnly; Max-Age=60"],
      ["a=b; SameSite=Lax", "a=b"],
      ["a=b;samesite=STRICT;Path=/app", "a=b;Path=/app"],
      ["a=b; \tSameSite \t= None ; Secure; Partitioned; Path=/", "a=b; Path=/"],
      ["a=b; SameSite; SameSite=Lax; SameSite=None; SECURE; secure", "a=b"],
      ["a=b; Secure=false; Partitioned=no; HttpOnly", "a=b; HttpOnly"],
      ["a=b; SameSiteX=1; XSecure; Partitioned-By=x"],
      ["a=b; Same Site=Lax; \xa0Secure"],
      ["__Host-a=b; Secure; Path=/", "__Host-a=b; Path=/"],
      ["__Host-a=b; secure; path=/; httponly", "__Host-a=b; path=/; httponly"],
      [
        "__Secure-a=b; Secure; Domain=box.p.test",
        "__Secure-a=b; Domain=box.p.test",
      ],
      ["a=b; Expires=Wed, 21 Oct 2015 07:28:00 GMT; Path=/"],
      ["a=; Max-Age=0; SameSite=Lax", "a=; Max-Age=0"],
      ["a=SameSite=Lax; Path=/"],
      ["SameSite=Lax; SameSite=Lax", "SameSite=Lax"],
      ["Secure; Secure", "Secure"],
      ["=b; SameSite=Lax", "=b"],
      ["b; SameSite=Lax", "b"],
      ["; SameSite=Lax", ""],
      [""],
      [`a="b; SameSite=Lax; c"; Path=/`, `a="b; c"; Path=/`],
      ["a=b=c, d=e; Priority=High"],
      ["a=b;"],
      ["a=b;;; Path=/"],
      ["a=\xff; SameSite=Lax", "a=\xff"],
    ]
  ) assert.equal(partitionedCookie(given), kept + ours, given);
});

Deno.test("an app's cookies are kept as they are over plain http, and where the grant says so", () => {
  const cookies = [
    ["Set-Cookie", "a=b; SameSite=Lax"],
    ["set-cookie", "c=d"],
  ] as const;
  const http = source({ scheme: "http" });
  for (
    const kept of [
      onPage(cookies, {}, http),
      onPage(cookies, { cookies: "keep" }),
    ]
  ) assert.deepEqual(kept.slice(0, 2), cookies);
  assert.deepEqual(onPage(cookies).slice(0, 2), [
    ["Set-Cookie", "a=b; SameSite=None; Secure; Partitioned"],
    ["set-cookie", "c=d; SameSite=None; Secure; Partitioned"],
  ]);
});

Deno.test("a cookie of ours is not changed", () => {
  const headers = new Headers({
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "iframe",
    referer: "https://5173-box.p.test/",
  });
  const [, policy, cookie] = onPage([], {}, source({ headers }));
  assert.deepEqual(policy, [
    "content-security-policy",
    "frame-ancestors 'self' https://5173-box.p.test https://a.example http://localhost:5173",
  ]);
  assert.match(
    cookie?.[1] ?? "",
    /-framing-ports=5173;.*SameSite=Lax; Secure$/,
  );
});

Deno.test("with frame keep, an app's own word stays, and ours is added unless it forbids frames by X-Frame-Options", () => {
  for (
    const [app, isOurs] of [
      [[], true],
      [[["x-frame-options", "DENY"]], false],
      [[["x-frame-options", "ALLOWALL"]], true],
      [[["content-security-policy", "frame-ancestors 'none'"]], true],
      [
        [["x-frame-options", "DENY"], [
          "content-security-policy",
          "frame-ancestors https://a.example",
        ]],
        true,
      ],
    ] as [[string, string][], boolean][]
  ) {
    const expected = [...app, UNSTORED, ...isOurs ? [OURS] : []];
    assert.deepEqual(onPage(app, { frame: "keep" }), expected);
  }
});

Deno.test("isolate adds what cross-origin isolation needs to every response, unless the app says it itself", () => {
  const script = [["content-type", "text/javascript"] as const];
  for (const isolate of ["require-corp", "credentialless"] as const) {
    const terms = { ...TERMS, isolate };
    const embedder = ["cross-origin-embedder-policy", isolate] as const;
    const resource = ["cross-origin-resource-policy", "cross-origin"] as const;
    const added = embeddedHeaders(
      { status: 200, headers: script },
      terms,
      source(),
    );
    assert.deepEqual(added, [...script, embedder, resource]);
    const own = [
      ["Cross-Origin-Embedder-Policy", "unsafe-none"],
      ["Cross-Origin-Resource-Policy", "same-site"],
    ] as const;
    assert.deepEqual(onPage(own, terms), [...own, UNSTORED, OURS]);
    assert.deepEqual(onPage(own.slice(1), terms), [
      own[1],
      embedder,
      UNSTORED,
      OURS,
    ]);
  }
});

Deno.test("a document in a frame is not stored, however the app would have it, and everything else is", () => {
  const app = [
    ["Cache-Control", "public, max-age=600"],
    ["cache-control", "immutable"],
    ["Expires", "Wed, 21 Oct 2065 07:28:00 GMT"],
  ] as const;
  assert.deepEqual(onPage(app), [app[2], UNSTORED, OURS]);
  assert.deepEqual(onPage(app, { frame: "keep" }), [app[2], UNSTORED, OURS]);
  const image = [["content-type", "image/png"], ...app] as const;
  const response = { status: 200, headers: image };
  assert.deepEqual(embeddedHeaders(response, TERMS, source()), image);
});

Deno.test("to a 304 nothing is added, since that would replace what is stored, and what it says of frames goes", () => {
  const headers = [
    ["ETag", '"a"'],
    ["Cache-Control", "no-cache"],
    ["X-Frame-Options", "DENY"],
    ["Content-Security-Policy", "frame-ancestors 'none'"],
    ["Set-Cookie", "a=b"],
  ] as const;
  const terms = { ...TERMS, isolate: "require-corp" } as const;
  const response = { status: 304, headers };
  assert.deepEqual(embeddedHeaders(response, terms, source()), [
    headers[0],
    headers[1],
    ["Set-Cookie", "a=b; SameSite=None; Secure; Partitioned"],
  ]);
});

Deno.test("what is no document loses X-Frame-Options too: a browser may show it in the frame", () => {
  const headers = [
    ["content-type", "application/pdf"],
    ["x-frame-options", "DENY"],
  ] as const;
  const response = { status: 200, headers };
  assert.deepEqual(embeddedHeaders(response, TERMS, source()), [headers[0]]);
});
