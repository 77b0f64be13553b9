/**
 * Forwarded headers: {@linkcode requestHeaders}, {@linkcode responseHeaders}, {@linkcode withCors},
 * {@linkcode clientOf}.
 */
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import assert from "node:assert/strict";
import {
  corsDecision,
  preflightHeaders,
  preflightOf,
  withCors,
} from "../../../src/proxy/cors.ts";
import { clientOf, isTrusted } from "../../../src/downstream/http/forwarded.ts";
import { mayBeRefusal } from "../../../src/resolver/refusals/runner_messages.ts";
import { requestHeaders } from "../../../src/proxy/request_headers.ts";
import { responseHeaders } from "../../../src/proxy/response_headers.ts";
import { toolboxResponseHeaders } from "../../../src/proxy/toolbox_response.ts";
import { cases, fieldValue, mutated } from "./arbitraries.ts";
import { type Property, property } from "./property.ts";

/** Hop-by-hop by definition, even if no Connection header names them (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Set by the gateway alone, once each. */
const OURS = [
  "host",
  "x-daytona-authorization",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
];

const NAMES = [
  ...HOP_BY_HOP,
  ...OURS,
  "accept",
  "authorization",
  "content-length",
  "cookie",
  "forwarded",
  "set-cookie",
  "vary",
  "x-a",
  "x-daytona-preview-token",
  "x-porthole-error",
  "x-request-id",
  "access-control-allow-origin",
  "access-control-allow-credentials",
  "access-control-request-method",
  "clear-site-data",
  "location",
  "origin",
];

const nomination = mutated(
  fc.array(fc.constantFrom("close", "keep-alive", "upgrade", ...NAMES), {
    maxLength: 4,
  }).map((names) => names.join(", ")).chain(cases),
  [",", ", ", " ", "\t", "\xa0", '"', ";"],
).map((text) => text.trim());

const header: fc.Arbitrary<[string, string]> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...NAMES), fieldValue) },
  fc.tuple(fc.constant("connection"), nomination),
  fc.tuple(
    fc.constantFrom("vary", "access-control-allow-origin"),
    fc.constantFrom("*", "Origin", "accept, origin", "https://app.example"),
  ),
);

const clientHeaders = fc.array(header, { maxLength: 12 });

const appHeaders = fc.array(
  header.chain(([name, value]) => fc.tuple(cases(name), fc.constant(value))),
  { maxLength: 12 },
);

/** The members of a comma-separated list (RFC 9110 section 5.6.1), in lower case. */
function members(list: string): string[] {
  return list.toLowerCase().split(",")
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""));
}

function valuesOf(
  fields: readonly (readonly [string, string])[],
  name: string,
): string[] {
  return fields.filter(([key]) => key.toLowerCase() === name)
    .map(([, value]) => value);
}

/** The names of a message's hop-by-hop headers, nominated ones included. */
function perHop(fields: readonly (readonly [string, string])[]): string[] {
  const nominated = valuesOf(fields, "connection").flatMap(members);
  return [...HOP_BY_HOP, ...nominated.filter((name) => name !== "")];
}

const TRUSTED = [ipaddr.parseCIDR("10.0.0.0/8"), ipaddr.parseCIDR("::1/128")];

const address = mutated(
  fc.constantFrom("10.0.0.1", "192.0.2.7", "::1", "2001:db8::1", "unknown"),
  [
    "0",
    "0x",
    ":",
    ".",
    "%eth0",
    "::ffff:",
    "[",
    "]",
    ":80",
    "1e3",
    " ",
    "\xe9",
  ],
);

const ORIGINS = ["https://app.example", "null", "https://3000-box.example"];

/** What the gateway adds if no client's own is passed on. */
const IF_MISSING = ["accept-encoding", "x-request-id"];

/** Properties of the headers of requests and responses. */
export const headerProperties: readonly Property[] = [
  property(
    "requestHeaders() sends each of the gateway's headers once, and none of the client's that belong to a hop or to the gateway",
    clientHeaders,
    (received) => {
      const headers = new Headers(received);
      const fields = requestHeaders({
        headers,
        forwarded: { host: "public", proto: "https", for: "192.0.2.7" },
        dropsAuthorization: true,
        id: "id",
        appAddress: undefined,
      }, {
        authority: "runner",
        reportsUse: false,
        headers: [["x-daytona-authorization", "Bearer key"]],
      }, "public");
      const ours = OURS.map((name) => valuesOf(fields, name));
      assert.deepEqual(
        ours,
        [["runner"], ["Bearer key"], ["192.0.2.7"], ["public"], ["https"]],
      );
      for (const name of perHop([...headers])) {
        if (OURS.includes(name) || IF_MISSING.includes(name)) continue;
        assert.deepEqual(valuesOf(fields, name), []);
      }
      for (const name of IF_MISSING) assert(valuesOf(fields, name).length > 0);
      assert.deepEqual(valuesOf(fields, "authorization"), []);
      const others = new Set([...OURS, ...IF_MISSING, "cookie"]);
      const own = new Set([...headers].map((field) => field.join(": ")));
      for (const field of fields) {
        if (!others.has(field[0])) assert.ok(own.has(field.join(": ")));
      }
    },
  ),

  property(
    "responseHeaders() relays end-to-end headers in order and unchanged, and none that passes for the gateway's",
    appHeaders,
    (received) => {
      const relayed = responseHeaders(received, "preview.example.com");
      const gone = new Set([...perHop(received), "x-porthole-error"]);
      for (const [name] of relayed) assert.ok(!gone.has(name.toLowerCase()));
      function untouched(fields: readonly (readonly [string, string])[]) {
        return fields.filter(([name]) =>
          !gone.has(name.toLowerCase()) &&
          !/^(set-cookie|clear-site-data)$/i.test(name)
        );
      }
      // A no-break space may be taken for whitespace, which it is not in RFC 9110: then more is removed, never less.
      if (received.some(([, value]) => value.includes("\xa0"))) return;
      assert.deepEqual(untouched(relayed), untouched(received));
    },
  ),

  property(
    "toolboxResponseHeaders() keeps a toolbox from acting for the base host",
    appHeaders,
    (received) => {
      const fields = toolboxResponseHeaders(received, {
        sandboxId: "box",
        authority: "preview.example.com",
      });
      assert.deepEqual(valuesOf(fields, "set-cookie"), []);
      assert.deepEqual(valuesOf(fields, "clear-site-data"), []);
      assert.ok(
        valuesOf(fields, "content-security-policy").includes("sandbox"),
      );
      assert.equal(
        typeof mayBeRefusal({ status: 404, headers: fields }),
        "boolean",
      );
    },
  ),

  property(
    "withCors() sets each header once, and allows credentials to trusted origins only",
    fc.record({
      fields: appHeaders,
      received: clientHeaders,
      origin: fc.constantFrom("", ...ORIGINS),
      mode: fc.constantFrom("auto", "reflect", "off"),
    }),
    ({ fields, received, origin, mode }) => {
      const headers = new Headers(received);
      headers.delete("origin");
      if (origin !== "") headers.set("origin", origin);
      const isTrusted = (text: string) => text === ORIGINS[0];
      const decision = corsDecision({ mode, headers, isTrusted });
      const result = withCors(fields, decision);
      const allowed = valuesOf(result, "access-control-allow-origin");
      const own = valuesOf(fields, "access-control-allow-origin");
      if (mode === "off" || mode === "auto" && own.length > 0) {
        return assert.deepEqual(result, fields);
      }
      assert.deepEqual(allowed, origin === "" ? [] : [origin]);
      assert.deepEqual(
        valuesOf(result, "access-control-allow-credentials"),
        origin === ORIGINS[0] ? ["true"] : [],
      );
      const varies = valuesOf(result, "vary").flatMap(members);
      assert.ok(varies.includes("origin") || varies.includes("*"));
      const preflight = preflightOf("OPTIONS", headers);
      if (preflight !== undefined) preflightHeaders(preflight, decision);
    },
  ),

  property(
    "clientOf() ignores the headers of an untrusted peer, and passes on addresses only",
    fc.record({
      peer: fc.oneof(fc.constantFrom("10.0.0.9", "::1", "192.0.2.1"), address),
      chain: fc.array(address, { maxLength: 5 }),
      host: fc.oneof(fieldValue, fc.constantFrom("a.example", "[::1]:80")),
      proto: fc.oneof(fieldValue, fc.constantFrom("http", "https", "HTTPS")),
    }),
    ({ peer, chain, host, proto }) => {
      const headers = new Headers({
        "x-forwarded-for": chain.join(","),
        "x-forwarded-host": host,
        "x-forwarded-proto": proto,
      });
      const { clientAddress, forwarded } = clientOf(peer, headers, {
        authority: "public.example",
        scheme: "https",
        trusted: TRUSTED,
      });
      if (!isTrusted(peer, TRUSTED)) {
        const expected = { host: "public.example", proto: "https", for: peer };
        assert.deepEqual(forwarded, expected);
        return assert.equal(clientAddress, peer);
      }
      const hops = forwarded.for.split(", ");
      assert.equal(hops.at(-1), peer);
      assert.ok(hops.every((hop) => ipaddr.isValid(hop)), forwarded.for);
      assert.ok(hops.includes(clientAddress));
      const behind = hops.slice(hops.lastIndexOf(clientAddress) + 1);
      assert.ok(behind.every((hop) => isTrusted(hop, TRUSTED)));
      assert.match(forwarded.host, /^[A-Za-z0-9._:[\]-]+$/);
      assert.match(forwarded.proto, /^https?$/);
    },
  ),
];
