import assert from "node:assert/strict";
import { viaOf } from "../../../../support/feature_words.ts";
import type { FrameTerms } from "../../../../../src/auth/grants.ts";
import type { Admission } from "../../../../../src/auth/verdict.ts";
import {
  BRIDGE,
  BRIDGE_SHAPE,
  bridgeElement,
} from "../../../../../src/features/embeds/bridge/bridge_shape.ts";
import type { PreviewExchange } from "../../../../../src/gateway/preview_route.ts";
import type { UpstreamResponse } from "../../../../../src/upstream/http1/message.ts";
import { admittedRequest, previewOf } from "../../../../support/exchange.ts";
import { grantOf } from "../../../../support/grants.ts";
import { fromLatin1, toLatin1 } from "../../../../support/latin1.ts";

const TERMS: FrameTerms = {
  ancestors: ["https://a.example", "http://localhost:3000"],
  frame: "replace",
  cookies: "partition",
  isolate: null,
  bridge: ["errors", "navigation"],
};

const NAVIGATION = {
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "iframe",
};

/** The admission of a session, as an embed has it, with these terms. */
function admissionWith(frame: FrameTerms | undefined): Admission {
  return {
    kind: "allow",
    sandboxId: "box",
    by: viaOf("token"),
    credential: { kind: "session", sealed: "sealed" },
    grant: grantOf({ frame }),
  };
}

/** A request to the preview. */
function exchangeOf(
  headers: Readonly<Record<string, string>> = NAVIGATION,
  method = "GET",
): PreviewExchange {
  return previewOf(headers, { method });
}

const PAGE = "<!doctype html><head><title>a</title>";
const SHOWN = `<!doctype html><head>${bridgeElement(TERMS)}<title>a</title>`;

/** An app's answer of that page, with these headers besides. */
function pageWith(
  headers: [string, string][] = [],
  status = 200,
): UpstreamResponse {
  const type: [string, string] = ["content-type", "text/html"];
  return { status, headers: [type, ...headers], body: fromLatin1(PAGE) };
}

/** What becomes of an app's answer. */
function relayed(
  upstream: UpstreamResponse,
  x = exchangeOf(),
  admission = admissionWith(TERMS),
): UpstreamResponse {
  return BRIDGE_SHAPE.response(upstream, x, admission);
}

function textOf({ body }: UpstreamResponse): string {
  assert.ok(body instanceof Uint8Array);
  return toLatin1(body);
}

Deno.test("a page of an embed with a bridge has the script, and headers that are true of it", () => {
  const changed = relayed(pageWith([
    ["Content-Length", String(PAGE.length)],
    ["ETag", '"a"'],
    ["Accept-Ranges", "bytes"],
    ["Content-Digest", "sha-256=:AAAA:"],
    ["Content-Security-Policy", "script-src 'self'"],
    ["Last-Modified", "Sun, 29 Nov 2026 19:00:00 GMT"],
    ["set-cookie", "a=1"],
  ]));
  assert.equal(textOf(changed), SHOWN);
  assert.deepEqual(changed.headers, [
    ["content-type", "text/html"],
    ["ETag", 'W/"a"'],
    ["Content-Security-Policy", `script-src 'self' ${BRIDGE.source}`],
    ["Last-Modified", "Sun, 29 Nov 2026 19:00:00 GMT"],
    ["set-cookie", "a=1"],
  ]);
  const { headers } = relayed(pageWith([["etag", 'W/"a"']]));
  assert.deepEqual(headers.at(-1), ["etag", 'W/"a"']);
});

Deno.test("a page that comes in parts has the script, too", async () => {
  const parts = [fromLatin1(PAGE.slice(0, 18)), fromLatin1(PAGE.slice(18))];
  const body = {
    read: () => Promise.resolve(parts.shift() ?? null),
    cancel() {},
  };
  const changed = relayed({ ...pageWith(), body }).body;
  assert.ok(changed !== null && !(changed instanceof Uint8Array));
  let text = "";
  for (
    let bytes = await changed.read();
    bytes !== null;
    bytes = await changed.read()
  ) text += toLatin1(bytes);
  assert.equal(text, SHOWN);
});

Deno.test("HTML has the script whatever its spelling, in encodings that have ASCII as it is", () => {
  for (
    const type of [
      "text/html; charset=utf-8",
      "TEXT/HTML;charset=windows-1252",
      " text/html ",
      'text/html; charset="Shift_JIS"',
      "text/html; charset=unknown",
      "text/html; charset=csisolatin1",
    ]
  ) {
    const page = { ...pageWith(), headers: [["Content-Type", type]] as const };
    assert.equal(textOf(relayed(page)), SHOWN, type);
  }
});

Deno.test("whatever else an app answers goes out as the very same response", () => {
  const responses: UpstreamResponse[] = [
    ...[201, 206, 304, 404, 500].map((status) => pageWith([], status)),
    { ...pageWith(), body: null },
    { ...pageWith(), headers: [] },
    ...[
      "text/plain",
      "application/xhtml+xml",
      "text/html2",
      "text/html, text/html",
      "text/html; charset=utf-16",
      "text/html; charset=UTF-16BE",
      "text/html;CHARSET = 'utf-16le'",
      'text/html; charset="iso-2022-jp"',
      "text/html; charset=csUnicode",
      "text/html; charset=ucs-2",
    ].map((type) => ({
      ...pageWith(),
      headers: [["content-type", type]] as const,
    })),
    pageWith([["content-encoding", "gzip"]]),
    pageWith([["Content-Encoding", "identity"]]),
    pageWith([["content-disposition", "attachment"]]),
    pageWith([["content-disposition", 'Attachment; filename="a.html"']]),
    pageWith([["content-disposition", "other"]]),
    pageWith([["cache-control", "no-transform"]]),
    pageWith([["cache-control", "private"], ["Cache-Control", "No-Transform"]]),
  ];
  for (const response of responses) {
    assert.equal(relayed(response), response, JSON.stringify(response));
  }
});

Deno.test("what only looks like a reason to leave a page alone is none", () => {
  for (
    const header of [
      ["content-disposition", "inline"],
      ["content-disposition", "INLINE; filename=a.html"],
      ["cache-control", "x-no-transform, no-store"],
    ] as [string, string][]
  ) assert.equal(textOf(relayed(pageWith([header]))), SHOWN, header.join());
});

Deno.test("only pages that an embed with a bridge loads into its frame are asked for as they are, and changed", () => {
  const embed = admissionWith(TERMS);
  const { credential: _, ...without } = embed;
  const framed = exchangeOf();
  const cases: [PreviewExchange, Admission][] = [
    [exchangeOf(NAVIGATION, "HEAD"), embed],
    [exchangeOf(NAVIGATION, "POST"), embed],
    [exchangeOf({ ...NAVIGATION, "sec-fetch-dest": "document" }), embed],
    [
      exchangeOf({ "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" }),
      embed,
    ],
    [exchangeOf({ "sec-fetch-mode": "navigate" }), embed],
    [exchangeOf({ accept: "text/html" }), embed],
    [framed, admissionWith({ ...TERMS, bridge: [] })],
    [framed, admissionWith(undefined)],
    [framed, { kind: "allow", sandboxId: "box", by: "public" }],
    [framed, without],
    [framed, {
      ...embed,
      credential: { kind: "grant", secret: "s", place: "header" },
    }],
  ];
  const page = pageWith();
  const request = admittedRequest();
  for (const [index, [x, admission]] of cases.entries()) {
    const sent = BRIDGE_SHAPE.request(request, x, admission);
    assert.equal(sent, request, `case ${index}`);
    assert.equal(relayed(page, x, admission), page, `case ${index}`);
  }
  const sent = BRIDGE_SHAPE.request(request, framed, embed);
  assert.deepEqual(sent, { ...request, asksPlain: true });
});
