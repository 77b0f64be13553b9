/** The address of a request: {@linkcode splitRequestUrl}, {@linkcode parseHost}, {@linkcode portOfSandboxOrigin}. */
import fc from "fast-check";
import assert from "node:assert/strict";
import {
  parseHost,
  portOfSandboxOrigin,
} from "../../../src/address/preview_host.ts";
import { splitRequestUrl } from "../../../src/http/request_url.ts";
import { hostParser } from "../../support/names.ts";
import {
  cases,
  HOSTILE,
  label,
  mutated,
  port,
  trickyTarget,
} from "./arbitraries.ts";
import { type Property, property } from "./property.ts";

/** Longest first, as `parseHost()` requires. */
const BASES = [
  "eu.preview.example.com",
  "preview.example.com",
  "proxy.localhost",
];

const base = fc.constantFrom(...BASES);
const publicPort = fc.constantFrom("", ":80", ":443", ":4000", ":65535");

const name = fc.tuple(port, label, base)
  .map(([port, label, base]) => `${port}-${label}.${base}`);

/** Port numbers as other parsers might read them, and delimiters of an authority. */
const SPELLINGS = [
  ...HOSTILE,
  "0",
  "+",
  "0x8e8",
  "1e3",
  "65536",
  "\uff13",
  "-",
  ".",
  ":",
  "@",
  "[::1]",
  "evil.example",
];

const nearAuthority = mutated(
  fc.tuple(name, fc.constantFrom("", "."), publicPort)
    .map((parts) => parts.join("")),
  SPELLINGS,
);

/** Names of port 3000 of `box`, one of them below no base domain. */
const NAMES = new Map(
  ["shop.preview.example.com", "app.customer.example"]
    .map((name) => [name, 3000]),
);
const parseNamed = hostParser(
  BASES,
  Object.fromEntries(
    [...NAMES].map(([name, port]) => [name, { sandboxId: "box", port }]),
  ),
);

/** Properties of a request's address. */
export const hostProperties: readonly Property[] = [
  property(
    "parseHost() reads back the parts of a preview host, in any case, with a port and a final dot",
    fc.record({
      port,
      label,
      base,
      dot: fc.constantFrom("", "."),
      publicPort,
    }).chain((parts) =>
      fc.tuple(
        fc.constant(parts),
        cases(
          `${parts.port}-${parts.label}.${parts.base}${parts.dot}${parts.publicPort}`,
        ),
      )
    ),
    ([{ port, label, base, publicPort }, authority]) =>
      assert.deepEqual(parseHost(authority, BASES), {
        kind: "preview",
        host: { port, label, base, authoritySuffix: base + publicPort },
      }),
  ),

  property(
    "parseHost() accepts exactly one spelling of a port and a label",
    nearAuthority,
    (authority) => {
      const parsed = parseHost(authority, BASES);
      if (parsed.kind !== "preview") return;
      const { port, label, base, authoritySuffix } = parsed.host;
      assert.ok(Number.isInteger(port) && port >= 1 && port <= 65535);
      const [name = "", ...rest] = authority.toLowerCase().split(":");
      assert.equal(name.replace(/\.$/, ""), `${port}-${label}.${base}`);
      assert.equal(authoritySuffix, [base, ...rest].join(":"));
    },
  ),

  property(
    "a HostParser takes a name for one in any case, with a port and a final dot, and nothing else",
    mutated(
      fc.tuple(
        fc.constantFrom(...NAMES.keys()).chain(cases),
        fc.constantFrom("", "."),
        publicPort,
      ).map((parts) => parts.join("")),
      SPELLINGS,
    ),
    (authority) => {
      const [host = "", ...rest] = authority.toLowerCase().split(":");
      const name = host.replace(/\.$/, "");
      const parsed = parseNamed(authority);
      const found = parsed.kind === "preview" ? parsed.host.name : undefined;
      const isName = NAMES.has(name) && !authority.startsWith("[");
      assert.equal(found, isName ? [name, ...rest].join(":") : undefined);
    },
  ),

  property(
    "splitRequestUrl() loses no byte, and its authority is a host and nothing else",
    fc.record({
      scheme: fc.constantFrom("http", "https"),
      authority: nearAuthority,
      target: fc.oneof(trickyTarget, fc.constantFrom("*", "", "?a", "@evil/")),
      hasHost: fc.boolean(),
    }),
    ({ scheme, authority, target, hasHost }) => {
      const url = `${scheme}://${authority}${target}`;
      const split = splitRequestUrl(url, hasHost ? authority : null);
      if (!split.ok) return;
      const { address } = split;
      assert.equal(`${scheme}://${address.authority}${address.target}`, url);
      if (hasHost) assert.equal(address.authority, authority);
      assert.ok(address.target.startsWith("/"));
      const parsed = URL.parse(`http://${address.authority}`);
      if (parsed === null) return;
      assert.equal(parsed.href, `http://${parsed.host}/`);
      if (/[a-z]$/i.test(parsed.hostname)) {
        const [name] = address.authority.split(":");
        assert.equal(parsed.hostname, name?.toLowerCase());
      }
    },
  ),

  property(
    "splitRequestUrl() refuses a Host that is not the URL's authority",
    fc.tuple(name, mutated(name, SPELLINGS), trickyTarget),
    ([authority, hostHeader, target]) => {
      const split = splitRequestUrl(`http://${authority}${target}`, hostHeader);
      const isSame = authority === hostHeader.toLowerCase();
      assert.equal(split.ok, isSame, hostHeader);
    },
  ),

  property(
    "portOfSandboxOrigin() accepts only origins that a browser sends for a page of that sandbox",
    fc.record({ port, label, base, publicPort: fc.constantFrom("", ":4000") })
      .chain(({ port, label, base, publicPort }) =>
        fc.tuple(
          fc.constant({
            port,
            label,
            base,
            authoritySuffix: base + publicPort,
          }),
          mutated(
            fc.constant(`https://${port}-${label}.${base}${publicPort}`),
            [...SPELLINGS, label, base, "https://"],
          ),
        )
      ),
    ([host, origin]) => {
      if (portOfSandboxOrigin(origin, host, "https") === undefined) return;
      const url = new URL(origin);
      assert.equal(url.origin, origin);
      const [first = "", ...rest] = url.host.split(".");
      assert.equal(rest.join("."), host.authoritySuffix);
      assert.equal(first.slice(first.indexOf("-") + 1), host.label);
    },
  ),

  property(
    "portOfSandboxOrigin() accepts only origins that a browser sends for a page of a name",
    fc.record({ port, base, publicPort: fc.constantFrom("", ":4000") })
      .chain(({ port, base, publicPort }) =>
        fc.tuple(
          fc.constant({
            port,
            label: "box",
            authoritySuffix: base + publicPort,
            names: NAMES,
          }),
          mutated(
            fc.constantFrom(...NAMES.keys())
              .map((name) => `https://${name}${publicPort}`),
            [...SPELLINGS, base, ...NAMES.keys(), "https://"],
          ),
        )
      ),
    ([host, origin]) => {
      if (portOfSandboxOrigin(origin, host, "https") !== 3000) return;
      const url = new URL(origin);
      assert.equal(url.origin, origin);
      const suffix = host.authoritySuffix;
      const ownPort = suffix.includes(":") ? "4000" : "";
      const isPreview = url.host === `3000-box.${suffix}`;
      assert.ok(isPreview || NAMES.has(url.hostname) && url.port === ownPort);
    },
  ),
];
