import assert from "node:assert/strict";
import { FEATURE_REQUEST_HEADERS } from "../../../gen/facts.ts";
import type { HeaderList } from "../../../src/http/headers.ts";
import type { AddressForm } from "../../../src/proxy/app_origin.ts";
import { requestHeaders } from "../../../src/proxy/request_headers.ts";

function requestHeadersOf(
  client: [string, string][],
  options: {
    dropAuthorization?: boolean;
    asksPlain?: boolean;
    form?: AddressForm;
    reportsUse?: boolean;
    needsWhole?: boolean;
    added?: HeaderList;
    traceparent?: string;
  } = {},
): [string, string][] {
  return requestHeaders({
    headers: new Headers(client),
    asksPlain: options.asksPlain ?? false,
    forwarded: { host: "3000-box.p.test", proto: "https", for: "192.0.2.1" },
    dropsAuthorization: options.dropAuthorization ?? false,
    needsWhole: options.needsWhole ?? false,
    added: options.added,
    trace: { traceparent: options.traceparent },
    id: "id-1",
    appAddress: { port: 3000, publicOrigin: "https://3000-box.p.test" },
  }, {
    authority: "runner:3003",
    reportsUse: options.reportsUse ?? false,
    headers: [["x-daytona-authorization", "Bearer runner-key"]],
  }, options.form ?? "public");
}

function valuesOf(fields: [string, string][], name: string): string[] {
  return fields.filter(([key]) => key === name).map(([, value]) => value);
}

Deno.test("requestHeaders() sets each of ours exactly once, whatever the client claims", () => {
  const fields = requestHeadersOf([
    ["host", "3000-box.p.test"],
    ["x-daytona-authorization", "Bearer stolen"],
    ["x-forwarded-for", "10.0.0.1"],
    ["x-forwarded-host", "evil.test"],
    ["x-forwarded-proto", "gopher"],
    ["x-forwarded-port", "1"],
    ["x-real-ip", "10.0.0.1"],
    ["forwarded", "for=10.0.0.1"],
  ]);
  assert.deepEqual(fields, [
    ["host", "runner:3003"],
    ["accept-encoding", "identity"],
    ["x-request-id", "id-1"],
    ["x-daytona-authorization", "Bearer runner-key"],
    ["x-forwarded-host", "3000-box.p.test"],
    ["x-forwarded-proto", "https"],
    ["x-forwarded-for", "192.0.2.1"],
  ]);
});

Deno.test("requestHeaders() sends the conditions that came", () => {
  const sent: [string, string][] = [
    ["if-match", "m"],
    ["if-modified-since", "s"],
    ["if-none-match", "n"],
    ["if-range", "r"],
  ];
  const isCondition = ([name]: [string, string]) => name.startsWith("if-");
  assert.deepEqual(requestHeadersOf(sent).filter(isCondition), sent);
});

Deno.test("requestHeaders() sends what features add, and no client removes or precedes it", () => {
  for (const name of FEATURE_REQUEST_HEADERS as readonly string[]) {
    const added = [[name, "ours"]] as const;
    const client: [string, string][] = [
      ["connection", `close, ${name.toUpperCase()}`],
      [name, "evil"],
    ];
    const fields = requestHeadersOf(client, { added });
    assert.deepEqual(valuesOf(fields, name), ["ours"]);
    assert.deepEqual(valuesOf(requestHeadersOf(client), name), []);
  }
});

Deno.test("requestHeaders() passes nothing on that a server might take for one of ours, whatever it has for hyphens", () => {
  for (const mark of "!#$%&'*+.^_`|~") {
    const fields = requestHeadersOf([
      [`x${mark}porthole-token`, "evil"],
      [`x-porthole${mark}token`, "evil"],
      [`x${mark}porthole${mark}token`, "evil"],
      [`x${mark}forwarded${mark}for`, "evil"],
      [`x${mark}porthole${mark}other`, "passed"],
    ]);
    const values = fields.map(([, value]) => value);
    assert(!values.includes("evil"), mark);
    assert(values.includes("passed"), mark);
  }
});

Deno.test("requestHeaders() lets no Connection list remove a field of ours", () => {
  const fields = requestHeadersOf([
    [
      "connection",
      "close, X-Daytona-Authorization,X-Forwarded-Host , Host, x-mine",
    ],
    ["x-mine", "1"],
    ["x-kept", "2"],
  ]);
  assert.deepEqual(valuesOf(fields, "x-daytona-authorization"), [
    "Bearer runner-key",
  ]);
  assert.deepEqual(valuesOf(fields, "host"), ["runner:3003"]);
  assert.deepEqual(valuesOf(fields, "x-mine"), []);
  assert.deepEqual(valuesOf(fields, "x-kept"), ["2"]);
  assert.deepEqual(valuesOf(fields, "connection"), []);
});

Deno.test("requestHeaders() drops hop-by-hop fields and framing", () => {
  const fields = requestHeadersOf([
    ["keep-alive", "timeout=5"],
    ["te", "trailers"],
    ["trailer", "x"],
    ["transfer-encoding", "chunked"],
    ["upgrade", "h2c"],
    ["proxy-authorization", "Basic x"],
    ["proxy-connection", "keep-alive"],
    ["content-length", "5"],
    ["expect", "100-continue"],
  ]);
  assert.equal(fields.length, 7);
});

Deno.test("requestHeaders() passes what is the app's, its Authorization included", () => {
  const fields = requestHeadersOf([
    ["accept-encoding", "gzip, br"],
    ["authorization", "Bearer the-app's"],
    ["content-type", "text/plain"],
    ["if-none-match", 'W/"x"'],
    ["range", "bytes=0-"],
    ["x-name", "caf\xe9"],
  ]);
  assert.deepEqual(fields.slice(1, 7), [
    ["accept-encoding", "gzip, br"],
    ["authorization", "Bearer the-app's"],
    ["content-type", "text/plain"],
    ["if-none-match", 'W/"x"'],
    ["range", "bytes=0-"],
    ["x-name", "caf\xe9"],
  ]);
});

Deno.test("requestHeaders() drops every credential that was meant for the gateway", () => {
  const fields = requestHeadersOf([
    ["authorization", "Bearer daytona-key"],
    ["cookie", "a=1; porthole-session=s; b=2"],
    ["x-daytona-preview-token", "t"],
    ["x-daytona-skip-last-activity-update", "true"],
    ["x-daytona-disable-cors", "true"],
    ["x-porthole-debug", "1"],
  ], { dropAuthorization: true });
  assert.equal(fields.length, 8);
  assert.deepEqual(valuesOf(fields, "cookie"), ["a=1; b=2"]);
});

Deno.test("requestHeaders() tells an upstream that reports use what is not to count, and any other nothing", () => {
  const name = "x-daytona-skip-last-activity-update";
  for (
    const [reportsUse, given, sent] of [
      [false, "true", []],
      [true, "true", ["true"]],
      [true, "1", []],
    ] as const
  ) {
    const fields = requestHeadersOf([[name, given]], { reportsUse });
    assert.deepEqual(valuesOf(fields, name), sent);
  }
});

Deno.test("requestHeaders() drops what the handshake with the runner sets itself", () => {
  const fields = requestHeadersOf([
    ["sec-websocket-extensions", "permessage-deflate"],
    ["sec-websocket-key", "key"],
    ["sec-websocket-protocol", "chat"],
    ["sec-websocket-version", "13"],
  ]);
  const names = fields.map(([name]) => name)
    .filter((name) => name.startsWith("sec-websocket-"));
  assert.deepEqual(names, ["sec-websocket-protocol"]);
});

Deno.test("requestHeaders() takes the query's key out of the Referer, and leaves the rest byte for byte", () => {
  for (
    const [referer, passed] of [
      [
        "https://3000-box.p.test/a.css?DAYTONA_SANDBOX_AUTH_KEY=secret",
        "https://3000-box.p.test/a.css",
      ],
      [
        "https://p.test/?a=%2f&DAYTONA_SANDBOX_AUTH_KEY=x&b",
        "https://p.test/?a=%2f&b",
      ],
      ["https://p.test/?a=%zz&b=c", "https://p.test/?a=%zz&b=c"],
    ] as const
  ) {
    const fields = requestHeadersOf([["referer", referer]]);
    assert.deepEqual(valuesOf(fields, "referer"), [passed]);
  }
});

Deno.test("requestHeaders() asks for content without a coding if that is to be read on its way", () => {
  const client: [string, string][] = [["accept-encoding", "gzip, br"]];
  for (const given of [client, []]) {
    const fields = requestHeadersOf(given, { asksPlain: true });
    assert.deepEqual(valuesOf(fields, "accept-encoding"), ["identity"]);
  }
  const others = requestHeadersOf(client, { asksPlain: false });
  assert.deepEqual(valuesOf(others, "accept-encoding"), ["gzip, br"]);
});

Deno.test("requestHeaders() drops a Cookie field that held nothing but ours", () => {
  const fields = requestHeadersOf([["cookie", "porthole-session=s"]]);
  assert.deepEqual(valuesOf(fields, "cookie"), []);
});

Deno.test("requestHeaders() keeps a client's own X-Request-Id", () => {
  const fields = requestHeadersOf([["x-request-id", "theirs"]]);
  assert.deepEqual(valuesOf(fields, "x-request-id"), ["theirs"]);
});

Deno.test("S14: requestHeaders() passes no name that a server may take for one of ours", () => {
  const fields = requestHeadersOf([
    ["x_daytona_authorization", "Bearer forged"],
    ["x-daytona_authorization", "Bearer forged"],
    ["x_forwarded_for", "10.0.0.1"],
    ["x_forwarded_proto", "http"],
    ["x_real_ip", "10.0.0.1"],
    ["content_length", "5"],
    ["x_mine", "1"],
    ["_", "2"],
  ]);
  const names = fields.map(([name]) => name).filter((name) =>
    name.includes("_")
  );
  assert.deepEqual(names, ["_", "x_mine"]);
});

Deno.test("requestHeaders() tells the app of its address what the form says, and the same of everything else", () => {
  const client: [string, string][] = [
    ["accept", "*/*"],
    ["origin", "https://3000-box.p.test"],
    ["referer", "https://3000-box.p.test/a?DAYTONA_SANDBOX_AUTH_KEY=t&b=%zz"],
  ];
  const own = requestHeadersOf(client);
  assert.deepEqual(
    requestHeadersOf(client, { form: "no_origin" }),
    own.filter(([name]) => name !== "origin"),
  );
  assert.deepEqual(
    requestHeadersOf(client, { form: "local" }),
    own.filter(([name]) => !/^x-forwarded-(?:host|proto)$/.test(name))
      .map(([name, value]) => {
        if (name === "origin") return [name, "http://localhost:3000"];
        return name === "referer"
          ? [name, "http://localhost:3000/a?b=%zz"]
          : [name, value];
      }),
  );
});

Deno.test("requestHeaders() keeps the Referer of another page, and adds no Origin where none came", () => {
  const referer = "https://5173-box.p.test/";
  const fields = requestHeadersOf([["referer", referer]], { form: "local" });
  assert.deepEqual(valuesOf(fields, "referer"), [referer]);
  assert.deepEqual(valuesOf(fields, "origin"), []);
});

Deno.test("requestHeaders() asks for a whole response where what the client has stored must not do", () => {
  const client: [string, string][] = [
    ["accept", "text/html"],
    ["if-modified-since", "Wed, 21 Oct 2015 07:28:00 GMT"],
    ["if-none-match", '"a"'],
    ["if-match", '"b"'],
  ];
  const names = (needsWhole: boolean) =>
    requestHeadersOf(client, { needsWhole }).map(([name]) => name)
      .filter((name) => name.startsWith("if-"));
  assert.deepEqual(names(true), ["if-match"]);
  assert.deepEqual(names(false), [
    "if-match",
    "if-modified-since",
    "if-none-match",
  ]);
});

Deno.test("requestHeaders() passes the client's traceparent, unless there is one of ours", () => {
  const client: [string, string][] = [["traceparent", "theirs"]];
  const name = "traceparent";
  assert.deepEqual(valuesOf(requestHeadersOf(client), name), ["theirs"]);
  const traceparent = "ours";
  for (const given of [client, []]) {
    const sent = requestHeadersOf(given, { traceparent });
    assert.deepEqual(valuesOf(sent, name), ["ours"]);
  }
});
