/**
 * Message heads: {@linkcode parseResponseHead}, {@linkcode findHeadEnd}, {@linkcode requestHead},
 * {@linkcode checkSwitch}.
 */
import fc from "fast-check";
import assert from "node:assert/strict";
import { requestHead } from "../../../src/upstream/http1/request_head.ts";
import {
  findHeadEnd,
  parseResponseHead,
} from "../../../src/upstream/http1/response_head.ts";
import { UpstreamError } from "../../../src/upstream/upstream_error.ts";
import { checkSwitch } from "../../../src/upstream/websocket/handshake.ts";
import { fromLatin1 } from "../../support/latin1.ts";
import { bodyOf, requestOf } from "../../support/upstream.ts";
import {
  cases,
  cut,
  type Cuts,
  cuts,
  fieldValue,
  HOSTILE,
  mutated,
  trickyTarget,
} from "./arbitraries.ts";
import { type Property, property, unless } from "./property.ts";

const LIMITS = { maxHeadBytes: 65_536, maxHeaderCount: 30 };

const TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~019AZaz";

/** A field's name (RFC 9110 section 5.1). */
export const fieldName: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("x-a", "Set-Cookie", "Connection", "_", "content-type"),
  fc.string({
    unit: fc.constantFrom(...TOKEN_CHARACTERS),
    minLength: 1,
    maxLength: 20,
  }),
);

const framing = fc.oneof(
  fc.constantFrom(
    "content-length: 5",
    "Content-Length:  0 ",
    "content-length: 00007",
    "content-length: 5, 5",
    "content-length: +5",
    "content-length: 0x5",
    "content-length: 9007199254740993",
    "content-length: ",
    "transfer-encoding: chunked",
    "Transfer-Encoding: Chunked",
    "transfer-encoding: gzip, chunked",
    "transfer-encoding: chunked, chunked",
    "transfer-encoding: identity",
    "transfer-encoding : chunked",
    "transfer-encoding: \vchunked",
    " transfer-encoding: chunked",
    "connection: close",
    "connection: keep-alive, x",
  ),
  fc.tuple(fieldName, fieldValue).map(([name, value]) => `${name}: ${value}`),
);

/** A mostly valid response head. */
export const responseHead: fc.Arbitrary<string> = mutated(
  fc.tuple(
    fc.constantFrom(
      "HTTP/1.1 200 OK",
      "HTTP/1.1 200",
      "HTTP/1.1 204 ",
      "HTTP/1.1 304 Not Modified",
      "HTTP/1.0 200 OK",
      "HTTP/1.1 599 \xe9",
      "HTTP/1.1 099 x",
      "HTTP/2 200",
      "http/1.1 200 OK",
    ),
    fc.array(framing, { maxLength: 4 }),
  ).map(([line, fields]) => [line, ...fields, "", ""].join("\r\n")),
  [...HOSTILE.filter((text) => /^[\0-\xff]*$/.test(text)), "\r\n\r\n", "\n\n"],
);

/** The end of the head, searched for as the bytes arrive in pieces; -1 if there is none. */
function endInPieces(bytes: Uint8Array<ArrayBuffer>, at: Cuts): number {
  let searched = 0;
  for (const { length } of cut(bytes, at)) {
    const arrived = bytes.subarray(0, searched + length);
    const end = findHeadEnd(arrived, searched);
    if (end >= 0) return end;
    searched = arrived.length;
  }
  return -1;
}

/** Requests that pass, or nearly pass, the client's checks. */
const request = fc.record({
  method: mutated(
    fc.constantFrom("GET", "POST", "PROPFIND", "get", "M-SEARCH", "CONNECT"),
    HOSTILE,
  ),
  target: mutated(trickyTarget, [...HOSTILE, " HTTP/1.1\r\n\r\n"]),
  headers: fc.array(
    fc.tuple(
      mutated(
        fc.oneof(
          fieldName,
          fc.constantFrom("content-length", "Transfer-Encoding", "upgrade"),
        ),
        HOSTILE,
      ),
      mutated(fieldValue, [...HOSTILE, "\r\nx: y", "\r\n\r\nGET / HTTP/1.1"]),
    ),
    { maxLength: 5 },
  ).map((fields) => [["host", "upstream"], ...fields] as [string, string][]),
  contentLength: fc.constantFrom(null, 0, -1, NaN, 1.5, 2 ** 60),
});

/** Properties of heads. */
export const headProperties: readonly Property[] = [
  property(
    "parseResponseHead() throws protocol errors only, and returns every header that it accepts unchanged",
    responseHead,
    (text) => {
      const bytes = fromLatin1(text);
      const parsed = unless(UpstreamError, () => {
        const end = findHeadEnd(bytes, 0);
        if (end < 0) return undefined;
        const whole = bytes.subarray(0, end);
        return { end, head: parseResponseHead(whole, LIMITS) };
      });
      if (parsed === undefined) return;
      const { end, head } = parsed;
      const { headers, contentLength, chunked, status } = head;
      const [, ...lines] = text.slice(0, end - 4).split("\r\n");
      assert.equal(headers.length, lines.length);
      for (const [index, [name, value]] of headers.entries()) {
        const line = lines[index] ?? "";
        assert.ok(line.startsWith(`${name}:`));
        const rest = line.slice(name.length + 1);
        assert.equal(value, rest.replace(/^[ \t]+|[ \t]+$/g, ""));
        assert.match(name, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
        assert.match(value, /^[\t\x20-\x7e\x80-\xff]*$/);
      }
      assert.ok(status >= 100 && status <= 999);
      assert.ok(contentLength === null || !chunked);
      const lengths = headers.filter(([name]) =>
        name.toLowerCase() === "content-length"
      );
      assert.ok(lengths.length <= 1);
      assert.equal(
        contentLength,
        lengths.length === 0 ? null : Number(lengths[0]?.[1]),
      );

      const written = `HTTP/1.1 ${status} \r\n${
        headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")
      }\r\n`;
      const again = parseResponseHead(fromLatin1(written), LIMITS);
      if (text.startsWith("HTTP/1.1")) assert.deepEqual(again, head);
    },
  ),

  property(
    "findHeadEnd() finds the same end, or refuses the bytes, wherever they are cut",
    fc.tuple(responseHead, cuts),
    ([text, at]) => {
      const bytes = fromLatin1(text);
      const whole = unless(UpstreamError, () => findHeadEnd(bytes, 0));
      const inPieces = unless(
        UpstreamError,
        () => endInPieces(bytes, at),
      );
      // A head that ends before a bare LF may have been accepted before the LF arrived.
      if (whole === undefined && inPieces !== undefined && inPieces >= 0) {
        return assert.ok(text.slice(0, inPieces).endsWith("\r\n\r\n"));
      }
      assert.equal(inPieces, whole);
      if (whole !== undefined && whole >= 0) {
        assert.equal(
          whole,
          text.startsWith("\r\n") ? 2 : text.indexOf("\r\n\r\n") + 4,
        );
      }
    },
  ),

  property(
    "requestHead() throws a TypeError or writes one head with one line for each header",
    request,
    ({ method, target, headers, contentLength }) => {
      const body = contentLength === null ? null : bodyOf();
      const head = unless(
        TypeError,
        () =>
          requestHead(
            requestOf({ method, target, headers, contentLength, body }),
            { upgrade: false },
          ),
      );
      if (head === undefined) return;
      const [line, ...lines] = head.split("\r\n");
      assert.equal(line, `${method} ${target} HTTP/1.1`);
      assert.match(line, /^[^ ]+ [^ ]+ HTTP\/1\.1$/);
      assert.deepEqual(lines.splice(-2), ["", ""]);
      const fields = headers.map(([name, value]) => `${name}: ${value}`);
      const framing = contentLength === null
        ? []
        : [`content-length: ${contentLength}`];
      assert.deepEqual(lines, [...fields, ...framing]);
      assert.doesNotMatch(head.replaceAll("\r\n", ""), /[\r\n\0]/);
      assert.equal(
        lines.filter((line) =>
          /^(content-length|transfer-encoding):/i.test(line)
        )
          .length,
        framing.length,
      );
    },
  ),

  property(
    "checkSwitch() accepts a 101 with one correct accept value and a subprotocol that was offered",
    fc.record({
      headers: fc.array(
        fc.oneof(
          fc.tuple(
            fc.constantFrom("upgrade", "connection", "Upgrade", "Connection"),
            mutated(
              fc.constantFrom("websocket", "Upgrade", "keep-alive, upgrade")
                .chain(cases),
              [",", " ", "\xa0"],
            ),
          ),
          fc.tuple(
            fc.constant("sec-websocket-accept"),
            mutated(fc.constant("right="), ["=", ","]),
          ),
          fc.tuple(
            fc.constantFrom(
              "sec-websocket-protocol",
              "sec-websocket-extensions",
            ),
            fc.constantFrom(
              "",
              ",",
              "a",
              "b",
              "a, b",
              "A",
              "permessage-deflate",
            ),
          ),
        ),
        { maxLength: 6 },
      ),
      offered: fc.subarray(["a", "b"]),
    }),
    ({ headers, offered }) => {
      const result = checkSwitch(headers, { accept: "right=", offered });
      if (!result.ok) return assert.notEqual(result.problem, "");
      const values = (name: string) =>
        headers.filter(([key]) => key.toLowerCase() === name)
          .map(([, value]) => value.trim());
      assert.deepEqual(values("sec-websocket-accept"), ["right="]);
      assert.match(values("upgrade").join(), /^websocket$/i);
      assert.match(values("connection").join(), /(?:^|,)\s*upgrade\s*(?:,|$)/i);
      assert.match(values("sec-websocket-extensions").join(), /^[, ]*$/);
      const protocols = values("sec-websocket-protocol");
      assert.deepEqual(
        protocols,
        result.protocol === undefined ? [] : [result.protocol],
      );
      assert.ok(protocols.every((protocol) => offered.includes(protocol)));
    },
  ),
];
