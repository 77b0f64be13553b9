import assert from "node:assert/strict";
import {
  carriedSessions,
  type CredentialSource,
  mayUseSessions,
  presentedCredentials,
} from "../../../src/auth/credentials.ts";
import { ownCookies } from "../../support/own_cookies.ts";

const COOKIES = ownCookies({ scheme: "http" });

const HOST = {
  port: 3000,
  label: "demo",
  base: "proxy.localhost",
  authoritySuffix: "proxy.localhost:4000",
};

function source(
  headers: Record<string, string>,
  changes: Partial<CredentialSource> = {},
): CredentialSource {
  return {
    method: "GET",
    headers: new Headers(headers),
    host: HOST,
    scheme: "http",
    cookies: COOKIES,
    queryToken: undefined,
    allowedOrigins: new Set(["https://chat.example.com"]),
    ...changes,
  };
}

Deno.test("presentedCredentials() lists every credential in the order of precedence", () => {
  const credentials = presentedCredentials(source({
    authorization: "Bearer b",
    cookie:
      `porthole-grant=s4; porthole-session=s1; a=1; porthole-session=s2; ${
        COOKIES.loginSession("demo")
      }=s3; ${COOKIES.loginSession("other")}=s4`,
    "x-daytona-preview-token": "t",
    "x-porthole-token": "h",
  }, { queryToken: "q", queryGrant: "g" }));
  assert.deepEqual(credentials, [
    { kind: "preview_token", token: "t" },
    { kind: "auth_key", token: "q" },
    { kind: "grant", secret: "h", place: "header" },
    { kind: "grant", secret: "g", place: "query" },
    { kind: "session", sealed: "s1" },
    { kind: "session", sealed: "s2" },
    { kind: "session", sealed: "s3" },
    { kind: "session", sealed: "s4" },
    { kind: "bearer", token: "b" },
  ]);
});

Deno.test("presentedCredentials() reads no bearer from another scheme, and at most eight sessions of one name", () => {
  for (
    const authorization of [
      "Basic Og==",
      "Basic bearer b",
      "Bearer",
      "Bearer b c",
    ]
  ) assert.deepEqual(presentedCredentials(source({ authorization })), []);
  const planted = Array.from({ length: 50 }, (_, i) => `porthole-session=${i}`);
  const cookie = [...planted, "porthole-session=real"].join("; ");
  const credentials = presentedCredentials(source({ cookie }));
  assert.equal(credentials.length, 8);
  assert.deepEqual(credentials.at(-1), { kind: "session", sealed: "real" });
});

Deno.test("presentedCredentials() ignores a session that another sandbox's page sends", () => {
  assert.deepEqual(
    presentedCredentials(source({
      cookie: "porthole-session=s",
      origin: "http://3000-evil.proxy.localhost:4000",
    })),
    [],
  );
});

Deno.test("mayUseSessions() allows the sandbox's own pages, navigations, and clients that are not browsers", () => {
  for (
    const [name, headers, method] of [
      ["not a browser", {}],
      ["typed address", { "sec-fetch-site": "none" }],
      ["own script", { "sec-fetch-site": "same-origin" }],
      ["own form of a page without referrer", {
        origin: "null",
        "sec-fetch-site": "same-origin",
        "sec-fetch-mode": "navigate",
      }, "POST"],
      ["own POST", { origin: "http://3000-demo.proxy.localhost:4000" }, "POST"],
      ["another port", {
        origin: "http://5173-demo.proxy.localhost:4000",
        "sec-fetch-site": "same-site",
      }, "PUT"],
      ["allowed origin", {
        origin: "https://chat.example.com",
        "sec-fetch-site": "cross-site",
      }],
      ["link from elsewhere", {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
      }],
      ["image on another port's page", {
        "sec-fetch-site": "same-site",
        "sec-fetch-mode": "no-cors",
        referer: "http://5173-demo.proxy.localhost:4000/x?y",
      }],
    ] as [string, Record<string, string>, string?][]
  ) {
    assert(mayUseSessions(source(headers, { method: method ?? "GET" })), name);
  }
});

/** What a browser sends to load a frame of a page, whose Referer may be missing. */
function frame(
  destination: string,
  referer?: string,
  site = "same-site",
): Record<string, string> {
  return {
    "sec-fetch-site": site,
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": destination,
    ...(referer === undefined ? {} : { referer }),
  };
}

const FRAMES = ["iframe", "frame", "object", "embed", "fencedframe"];

Deno.test("S4: mayUseSessions() allows frames of the sandbox's own pages and of allowed origins", () => {
  for (const destination of FRAMES) {
    for (
      const [referer, site] of [
        ["http://5173-demo.proxy.localhost:4000/", "same-site"],
        ["http://3000-demo.proxy.localhost:4000/a?b", "same-origin"],
        [undefined, "same-origin"],
        ["https://chat.example.com/", "cross-site"],
      ] as const
    ) {
      assert(
        mayUseSessions(source(frame(destination, referer, site))),
        `${destination} of ${referer}`,
      );
    }
  }
});

Deno.test("S4: mayUseSessions() refuses frames of any other page, and of pages that hide their address", () => {
  for (const destination of FRAMES) {
    for (
      const [referer, site] of [
        ["http://3000-evil.proxy.localhost:4000/", "same-site"],
        [undefined, "same-site"],
        ["http://proxy.localhost:4000/", "same-site"],
        ["https://evil.example/", "cross-site"],
        [undefined, "cross-site"],
      ] as const
    ) {
      assert(
        !mayUseSessions(source(frame(destination, referer, site))),
        `${destination} of ${referer}`,
      );
    }
  }
});

Deno.test("mayUseSessions() goes by the Referer of what a browser asks for ahead of time, which any page's speculation rules can name", () => {
  const own = "http://3000-demo.proxy.localhost:4000";
  const port = "http://5173-demo.proxy.localhost:4000/";
  const sibling = "http://3000-evil.proxy.localhost:4000/";
  for (
    const [number, site, referer, expected] of [
      [3000, "none", sibling, false],
      [3000, "none", "https://elsewhere.example/", false],
      [3000, "none", undefined, false],
      [3000, "none", `${own}/a?b`, true],
      [3000, "none", port, true],
      [3000, "same-site", sibling, false],
      [3000, "cross-site", undefined, false],
      [3000, "same-origin", undefined, true],
      [3000, undefined, sibling, false],
      [3000, undefined, undefined, false],
      [22222, "none", sibling, false],
      [22222, "none", port, false],
      [22222, "none", "http://22222-demo.proxy.localhost:4000/", true],
    ] as const
  ) {
    for (const name of ["sec-purpose", "purpose", "x-purpose", "x-moz"]) {
      const headers = {
        [name]: "prefetch",
        accept: "text/html",
        ...site !== undefined &&
          {
            "sec-fetch-site": site,
            "sec-fetch-mode": "navigate",
            "sec-fetch-dest": "document",
          },
        ...referer !== undefined && { referer },
      };
      const host = { ...HOST, port: number };
      const label = `${number}, ${name}, ${site}, ${referer}`;
      assert.equal(mayUseSessions(source(headers, { host })), expected, label);
    }
  }
});

Deno.test("S14: mayUseSessions() lets only their own pages use Daytona's ports, and those of allowed origins", () => {
  for (const port of [2280, 22222, 33333]) {
    const own = `http://${port}-demo.proxy.localhost:4000`;
    const host = { ...HOST, port };
    for (
      const [origin, expected] of [
        [own, true],
        ["https://chat.example.com", true],
        ["http://3000-demo.proxy.localhost:4000", false],
        ["http://2281-demo.proxy.localhost:4000", false],
        [`http://0${port}-demo.proxy.localhost:4000`, false],
        [`http://${port}-evil.proxy.localhost:4000`, false],
      ] as const
    ) {
      const site = expected ? "same-origin" : "same-site";
      for (const headers of usesBy(origin, site)) {
        assert.equal(
          mayUseSessions(
            source({ "sec-fetch-site": site, ...headers }, { host }),
          ),
          expected,
          `${origin} at ${port}: ${JSON.stringify(headers)}`,
        );
      }
    }
    const link = {
      "sec-fetch-site": "same-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
      referer: "http://3000-demo.proxy.localhost:4000/",
    };
    assert(mayUseSessions(source(link, { host })), "a link to it");
  }
});

/** How a page of an origin uses a preview: by a request, a WebSocket, an image, a frame. */
function usesBy(origin: string, site: string): Record<string, string>[] {
  return [
    { origin },
    { origin, upgrade: "websocket", "sec-fetch-mode": "websocket" },
    { referer: `${origin}/`, "sec-fetch-mode": "no-cors" },
    frame("iframe", `${origin}/`, site),
  ];
}

/** A name of port 3000 of `demo`, which also has one of port 8000. */
const NAMES = new Map([["shop.proxy.localhost", 3000], ["api.example", 8000]]);
const NAMED = { ...HOST, name: "shop.proxy.localhost:4000", names: NAMES };

Deno.test("mayUseSessions() allows pages of the sandbox's names, at these and at its preview hosts, and no other name's", () => {
  for (const host of [NAMED, { ...HOST, port: 5173, names: NAMES }]) {
    for (
      const [origin, expected] of [
        ["http://shop.proxy.localhost:4000", true],
        ["http://api.example:4000", true],
        ["http://3000-demo.proxy.localhost:4000", true],
        ["http://8000-demo.proxy.localhost:4000", true],
        ["http://other.proxy.localhost:4000", false],
        ["http://3000-evil.proxy.localhost:4000", false],
        ["http://shop.proxy.localhost", false],
        ["http://shop.proxy.localhost:4001", false],
        ["https://shop.proxy.localhost:4000", false],
        ["http://proxy.localhost:4000", false],
      ] as const
    ) {
      const site = "same-site";
      for (const headers of usesBy(origin, site)) {
        assert.equal(
          mayUseSessions(
            source({ "sec-fetch-site": site, ...headers }, { host }),
          ),
          expected,
          `${origin}: ${JSON.stringify(headers)}`,
        );
      }
    }
  }
});

Deno.test("S14: mayUseSessions() lets no page of a name use Daytona's ports", () => {
  for (const port of [2280, 22_222, 33_333]) {
    const host = { ...HOST, port, names: NAMES };
    const origin = "http://shop.proxy.localhost:4000";
    assert(!mayUseSessions(source({ origin }, { host })), `${port}`);
  }
});

Deno.test("at a name, a login is presented by the host's own cookie, and by none of the base domain's", () => {
  const cookie = `${COOKIES.loginSession("demo")}=sandbox; ` +
    `${COOKIES.hostSession}=host; porthole-session=key`;
  for (
    const [host, sealed] of [
      [HOST, ["key", "sandbox"]],
      [NAMED, ["key", "host"]],
    ] as const
  ) {
    const presented = presentedCredentials(source({ cookie }, { host }));
    assert.deepEqual(
      presented,
      sealed.map((value) => ({ kind: "session", sealed: value })),
    );
  }
  for (
    const [host, name, expected] of [
      [NAMED, COOKIES.hostSession, "usable"],
      [NAMED, COOKIES.loginSession("demo"), "none"],
      [HOST, COOKIES.hostSession, "none"],
      [HOST, COOKIES.loginSession("demo"), "usable"],
    ] as const
  ) {
    const request = source({ cookie: `${name}=sealed` }, { host });
    assert.equal(carriedSessions(request), expected, name);
  }
});

Deno.test("mayUseSessions() refuses every other page", () => {
  for (
    const [name, headers, method] of [
      ["sibling's fetch", {
        origin: "http://3000-evil.proxy.localhost:4000",
        "sec-fetch-site": "same-site",
      }],
      ["sibling's form", {
        origin: "http://3000-evil.proxy.localhost:4000",
        "sec-fetch-mode": "navigate",
        "sec-fetch-site": "same-site",
      }, "POST"],
      ["form of a sandboxed frame", { origin: "null" }, "POST"],
      ["sibling's WebSocket", {
        origin: "http://3000-evil.proxy.localhost:4000",
        upgrade: "websocket",
      }],
      ["sibling's image without a referer", {
        "sec-fetch-site": "same-site",
        "sec-fetch-mode": "no-cors",
      }],
      ["sibling's image", {
        "sec-fetch-site": "same-site",
        "sec-fetch-mode": "no-cors",
        referer: "http://3000-evil.proxy.localhost:4000/",
      }],
      ["sibling's script over plain http", {
        referer: "http://3000-evil.proxy.localhost:4000/",
        accept: "*/*",
      }],
      ["a referer that only looks like ours", {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "no-cors",
        referer: "http://evil.com/http://3000-demo.proxy.localhost:4000",
      }],
    ] as [string, Record<string, string>, string?][]
  ) {
    assert(!mayUseSessions(source(headers, { method: method ?? "GET" })), name);
  }
});

const EMBEDDER = "https://product.example";

/** The cookies of all kinds of sessions. */
const ALL_SESSIONS = `porthole-grant=g1; porthole-session=k; ${
  COOKIES.loginSession("demo")
}=l; porthole-grant=g2`;

Deno.test("a frame of another page presents the sessions of grants alone, and whose frame it is", () => {
  for (const destination of FRAMES) {
    for (const method of ["GET", "HEAD"]) {
      const headers = {
        ...frame(destination, `${EMBEDDER}/editor?box=1#2`, "cross-site"),
        cookie: ALL_SESSIONS,
      };
      assert.deepEqual(presentedCredentials(source(headers, { method })), [
        { kind: "session", sealed: "g1", framedBy: EMBEDDER },
        { kind: "session", sealed: "g2", framedBy: EMBEDDER },
      ]);
    }
  }
  const planted = Array.from({ length: 20 }, (_, i) => `porthole-grant=${i}`);
  const many = { cookie: planted.join("; ") };
  const headers = { ...frame("iframe", EMBEDDER, "cross-site"), ...many };
  const sealed = presentedCredentials(source(headers))
    .map((one) => one.kind === "session" && one.sealed);
  assert.deepEqual(sealed, ["12", "13", "14", "15", "16", "17", "18", "19"]);
});

Deno.test("another site's page presents no session by a fetch, a form, a script, a WebSocket, or without saying which it is", () => {
  const framed = frame("iframe", `${EMBEDDER}/`, "cross-site");
  for (
    const [name, headers, method] of [
      ["fetch", {
        ...framed,
        "sec-fetch-mode": "cors",
        "sec-fetch-dest": "empty",
        origin: EMBEDDER,
      }],
      ["fetch without CORS", {
        ...framed,
        "sec-fetch-mode": "no-cors",
        "sec-fetch-dest": "empty",
      }],
      ["script", {
        ...framed,
        "sec-fetch-mode": "no-cors",
        "sec-fetch-dest": "script",
      }],
      ["form in the frame", { ...framed, origin: EMBEDDER }, "POST"],
      ["WebSocket", {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "websocket",
        "sec-fetch-dest": "empty",
        origin: EMBEDDER,
      }],
      ["page without a referrer", frame("iframe", undefined, "cross-site")],
      ["page with an odd one", frame("iframe", "about:blank", "cross-site")],
    ] as [string, Record<string, string>, string?][]
  ) {
    const sent = { ...headers, cookie: ALL_SESSIONS };
    const presented = presentedCredentials(
      source(sent, { method: method ?? "GET" }),
    );
    assert.deepEqual(presented, [], name);
  }
});

Deno.test("in a frame of the sandbox's own pages, the session that says whose frame it may be comes first", () => {
  const sealed = (headers: Record<string, string>) =>
    presentedCredentials(source({ ...headers, cookie: ALL_SESSIONS }))
      .map((one) => one.kind === "session" ? one.sealed : one.kind);
  for (
    const own of [
      frame("iframe", "http://3000-demo.proxy.localhost:4000/", "same-origin"),
      frame("iframe", "https://chat.example.com/", "cross-site"),
    ]
  ) assert.deepEqual(sealed(own), ["g1", "g2", "k", "l"]);
  // What the app's pages load in a frame is asked for on the same terms.
  const fetched = {
    "sec-fetch-dest": "empty",
    "sec-fetch-mode": "cors",
    "sec-fetch-site": "same-origin",
  };
  assert.deepEqual(sealed(fetched), ["g1", "g2", "k", "l"]);
  const tab = frame("document", "https://chat.example.com/", "cross-site");
  assert.deepEqual(sealed(tab), ["k", "l", "g1", "g2"]);
  assert.deepEqual(sealed({}), ["k", "l", "g1", "g2"]);
});
