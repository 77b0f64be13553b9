import assert from "node:assert/strict";
import { isTrustedOrigin } from "../../../src/auth/credentials.ts";
import {
  type CorsDecision,
  corsDecision,
  type CorsRequest,
  hasAllowOrigin,
  preflightHeaders,
  preflightOf,
  withCors,
} from "../../../src/proxy/cors.ts";

const SIBLING = "http://3000-evil.proxy.localhost:4000";
const OWN = "http://5173-demo.proxy.localhost:4000";
const LISTED = "https://chat.example.com";

function decide(
  headers: Record<string, string>,
  mode: CorsRequest["mode"] = "auto",
): CorsDecision {
  return corsDecision({
    mode,
    headers: new Headers(headers),
    isTrusted: (origin) =>
      isTrustedOrigin(origin, {
        host: {
          port: 3000,
          label: "demo",
          authoritySuffix: "proxy.localhost:4000",
        },
        scheme: "http",
        allowedOrigins: new Set([LISTED]),
      }),
  });
}

/** The fields as a browser sees them, with the values of repeated ones joined. */
function seen(
  fields: [string, string][],
  decision: CorsDecision,
): Record<string, string> {
  return Object.fromEntries(new Headers(withCors(fields, decision)));
}

Deno.test("corsDecision() trusts this sandbox's own and the listed origins with credentials, no others", () => {
  for (
    const [origin, credentials] of [
      ["http://3000-demo.proxy.localhost:4000", true],
      [OWN, true],
      [LISTED, true],
      [SIBLING, false],
      ["https://5173-demo.proxy.localhost:4000", false],
      ["http://5173-demo.proxy.localhost", false],
      ["http://05173-demo.proxy.localhost:4000", false],
      ["http://proxy.localhost:4000", false],
      ["https://CHAT.example.com", false],
      ["https://chat.example.com.evil.com", false],
      ["https://chat.example.com, https://evil.com", false],
      ["null", false],
      ["", false],
    ] as const
  ) {
    for (const mode of ["auto", "reflect"] as const) {
      const overrides = mode === "reflect";
      assert.deepEqual(
        decide({ origin }, mode),
        { kind: "on", overrides, origin, credentials, page: undefined },
        origin,
      );
    }
  }
});

Deno.test("corsDecision() is off where the configuration or the request says so", () => {
  const off = { kind: "off" };
  assert.deepEqual(decide({ origin: OWN }, "off"), off);
  for (const mode of ["auto", "reflect"] as const) {
    assert.deepEqual(
      decide({ origin: OWN, "x-daytona-disable-cors": "true" }, mode),
      off,
    );
    const notTrue = decide({ "x-daytona-disable-cors": "false" }, mode);
    assert.equal(notTrue.kind, "on");
  }
});

Deno.test("withCors() lets a stranger read, without credentials and by field name", () => {
  assert.deepEqual(
    seen(
      [["ETag", '"1"'], ["X-Total", "3"], ["x-total", "4"]],
      decide({
        origin: SIBLING,
      }),
    ),
    {
      "access-control-allow-origin": SIBLING,
      "access-control-expose-headers": "etag, x-total",
      "etag": '"1"',
      "vary": "Origin",
      "x-total": "3, 4",
    },
  );
});

Deno.test("withCors() lets a trusted origin use credentials", () => {
  for (const origin of [OWN, LISTED]) {
    const fields = seen([], decide({ origin }));
    assert.equal(fields["access-control-allow-origin"], origin);
    assert.equal(fields["access-control-allow-credentials"], "true");
  }
});

Deno.test("withCors() tells caches that the answer depends on Origin, also where there is none", () => {
  assert.deepEqual(withCors([["a", "1"]], decide({})), [
    ["a", "1"],
    ["vary", "Origin"],
  ]);
});

Deno.test("withCors() adds to the app's Vary what is missing there", () => {
  for (
    const [own, expected] of [
      [["Accept-Encoding"], "Accept-Encoding, Origin"],
      [["Accept", "Cookie"], "Accept, Cookie, Origin"],
      [["Accept, origin"], "Accept, origin"],
      [["Accept", " ORIGIN "], "Accept, ORIGIN"],
      [["*"], "*"],
      [["X-Origin"], "X-Origin, Origin"],
      [["Origin-Trial"], "Origin-Trial, Origin"],
    ] as const
  ) {
    const fields = own.map((value): [string, string] => ["Vary", value]);
    assert.equal(seen(fields, decide({ origin: OWN })).vary, expected);
  }
});

Deno.test("withCors() leaves an answer in which the app speaks for itself", () => {
  for (const origin of ["*", LISTED, "null", ""]) {
    const fields: [string, string][] = [
      ["Access-Control-Allow-Origin", origin],
      ["Vary", "Accept"],
    ];
    assert(hasAllowOrigin(fields));
    assert.deepEqual(withCors(fields, decide({ origin: OWN })), fields);
    assert.deepEqual(withCors(fields, decide({})), fields);
  }
});

Deno.test("withCors() does not let the app's stray fields stand beside our origin", () => {
  const fields: [string, string][] = [
    ["Access-Control-Allow-Credentials", "true"],
    ["Access-Control-Expose-Headers", "X-A"],
    ["X-A", "1"],
  ];
  assert(!hasAllowOrigin(fields));
  assert.deepEqual(seen(fields, decide({ origin: SIBLING })), {
    "access-control-allow-origin": SIBLING,
    "access-control-expose-headers": "x-a",
    "vary": "Origin",
    "x-a": "1",
  });
});

Deno.test("withCors() replaces what the app says in mode reflect", () => {
  const fields: [string, string][] = [
    ["Access-Control-Allow-Origin", "*"],
    ["access-control-allow-credentials", "true"],
    ["Content-Type", "text/plain"],
  ];
  assert.deepEqual(seen(fields, decide({ origin: SIBLING }, "reflect")), {
    "access-control-allow-origin": SIBLING,
    "access-control-expose-headers": "content-type",
    "content-type": "text/plain",
    "vary": "Origin",
  });
  assert.deepEqual(seen(fields, decide({}, "reflect")), {
    "content-type": "text/plain",
    "vary": "Origin",
  });
});

Deno.test("withCors() changes nothing where it is off", () => {
  const fields: [string, string][] = [["a", "1"]];
  assert.deepEqual(withCors(fields, decide({ origin: OWN }, "off")), fields);
});

Deno.test("withCors() and an app never give two values of one field, whatever either says", () => {
  const apps: [string, string][][] = [
    [],
    [["ACCESS-CONTROL-ALLOW-ORIGIN", "*"]],
    [["Access-Control-Allow-Credentials", "true"]],
    [["Access-Control-Expose-Headers", "*"]],
  ];
  for (const app of apps) {
    for (const mode of ["auto", "reflect", "off"] as const) {
      for (const origin of [OWN, SIBLING, "null"]) {
        const names = withCors(app, decide({ origin }, mode))
          .map(([name]) => name.toLowerCase());
        assert.equal(new Set(names).size, names.length, names.join());
      }
    }
  }
});

Deno.test("preflightOf() knows a preflight from an ordinary OPTIONS request", () => {
  const headers = new Headers({
    origin: OWN,
    "access-control-request-method": "PUT",
  });
  assert.deepEqual(preflightOf("OPTIONS", headers), {
    method: "PUT",
    headers: null,
  });
  assert.equal(preflightOf("GET", headers), undefined);
  for (const missing of ["origin", "access-control-request-method"]) {
    const others = new Headers(headers);
    others.delete(missing);
    assert.equal(preflightOf("OPTIONS", others), undefined, missing);
  }
});

Deno.test("preflightHeaders() allows what is asked for, to a stranger without credentials", () => {
  const headers = new Headers({
    origin: SIBLING,
    "access-control-request-method": "PUT",
    "access-control-request-headers": "authorization,x-a",
    "access-control-request-private-network": "true",
  });
  const preflight = preflightOf("OPTIONS", headers);
  assert(preflight);
  assert.deepEqual(preflightHeaders(preflight, decide({ origin: SIBLING })), [
    ["access-control-allow-origin", SIBLING],
    ["access-control-allow-methods", "PUT"],
    ["access-control-allow-headers", "authorization,x-a"],
    ["access-control-max-age", "600"],
  ]);
});

Deno.test("preflightHeaders() promises credentials to trusted origins only", () => {
  const preflight = { method: "DELETE", headers: null };
  for (const origin of [OWN, LISTED]) {
    assert.deepEqual(preflightHeaders(preflight, decide({ origin })), [
      ["access-control-allow-origin", origin],
      ["access-control-allow-credentials", "true"],
      ["access-control-allow-methods", "DELETE"],
      ["access-control-max-age", "600"],
    ]);
  }
  assert.deepEqual(
    preflightHeaders(preflight, decide({ origin: OWN }, "off")),
    [],
  );
});
