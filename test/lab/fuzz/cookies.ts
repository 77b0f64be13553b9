/**
 * Whose cookie is whose: {@linkcode withoutOwnCookies}, {@linkcode filterSetCookie}, {@linkcode filterClearSiteData}.
 */
import fc from "fast-check";
import assert from "node:assert/strict";
import {
  cookiesByName,
  cookieValues,
  withoutOwnCookies,
} from "../../../src/http/cookies.ts";
import {
  filterClearSiteData,
  filterSetCookie,
} from "../../../src/proxy/response_headers.ts";
import { createCookieJar } from "../../support/cookie_jar.ts";
import { fromLatin1 } from "../../support/latin1.ts";
import { cases, fieldValue, mutated, soup, TRICKY } from "./arbitraries.ts";
import { type Property, property } from "./property.ts";

const BASE = "preview.example.com";

const OWN = [
  "__Host-porthole-session",
  "__Secure-porthole-login-abc",
  "porthole-transaction-1",
  "daytona-sandbox-auth-box",
  "daytona-preview-page-accepted",
];

const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...OWN).chain(cases) },
  fc.constantFrom("a", "sid", "xporthole-a", "porthole", "__Host-sid", ""),
  soup([...OWN, "a", "\xa0", "\x85", "\xe9", "__Host-", "%20"], 3),
);

const value = fc.oneof(
  fc.constantFrom("", "1", '"q"', "a=b", ...OWN.map((name) => `${name}=x`)),
  soup(TRICKY, 4).map((text) => text.replaceAll(";", "")),
);

const blank = fc.constantFrom("", "", " ", "\t", "  ", "\xa0");

const pair = fc.tuple(
  blank,
  name,
  blank,
  fc.constantFrom("=", "=", "=", "", "=="),
  blank,
  value,
  blank,
).map((parts) => parts.join(""));

const cookieHeader = fc.array(
  fc.tuple(pair, fc.constantFrom("; ", "; ", ";", ";;", " ; ")),
  { maxLength: 6 },
).map((pairs) =>
  pairs.flat().slice(0, -1).join("").replace(/^[ \t]+|[ \t]+$/g, "")
);

/** Strips SP and HTAB only, as RFC 6265bis section 5.7 does, unlike `String.trim()`. */
function withoutBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}

function nameOf(pair: string): string {
  return withoutBlanks(pair.split("=", 1)[0] ?? "");
}

function isOwn(name: string): boolean {
  const bare = name.toLowerCase().replace(/^__(host|secure)-/, "");
  return bare.startsWith("porthole-") ||
    bare.startsWith("daytona-sandbox-auth-") ||
    bare === "daytona-preview-page-accepted";
}

const domain = fc.oneof(
  fc.constantFrom(
    "",
    ".",
    "3000-demo.preview.example.com",
    "other.example",
    "xpreview.example.com",
    "preview.example.com",
    "example.com",
    "com",
  ),
  fc.constantFrom(BASE, "example.com").chain(cases),
  mutated(fc.constant(BASE), [".", "..", "\t", " ", "\xa0", "%70", '"', ":80"]),
  // The UTF-8 of a full-width letter that UTS #46 maps to "p", as a browser receives it.
  fc.constant("\xef\xbd\x90review.example.com"),
);

const attribute = fc.oneof(
  fc.tuple(
    fc.constantFrom("Domain", "domain", " DOMAIN ", "\tDomain", "Domain\xa0"),
    fc.constantFrom("=", "= ", "=.", "", " = ", "=="),
    domain,
  ).map((parts) => parts.join("")),
  fc.constantFrom(
    " Path=/",
    "HttpOnly",
    " SameSite=Lax",
    "Max-Age=60",
    "",
    "=",
  ),
);

const setCookie = fc.tuple(pair, fc.array(attribute, { maxLength: 4 }))
  .map(([pair, attributes]) => [pair, ...attributes].join(";"));

const utf8 = new TextDecoder();

/** The line with its Domain attributes as a browser reads them that decodes UTF-8 and maps names by UTS #46. */
function asBrowserReads(line: string): string {
  return line.split(";").map((attribute) => {
    const [, name, text = ""] =
      /^([ \t]*domain[ \t]*=)(.*)$/i.exec(attribute) ??
        [];
    if (name === undefined) return attribute;
    const domain = utf8.decode(fromLatin1(withoutBlanks(text)));
    const dot = domain.startsWith(".") ? "." : "";
    const url = URL.parse(`http://${domain.slice(dot.length)}`);
    return url === null ? attribute : `${name}${dot}${url.hostname}`;
  }).join(";");
}

/** Properties of cookies, in both directions. */
export const cookieProperties: readonly Property[] = [
  property(
    "withoutOwnCookies() removes the gateway's cookies in any position, and changes no other pair",
    cookieHeader,
    (field) => {
      const rest = withoutOwnCookies(field);
      const others = field.split(";").filter((pair) => !isOwn(nameOf(pair)));
      const expected = others.join(";");
      if (rest === undefined) return assert.equal(expected.trim(), "");
      assert.ok(rest === expected || ` ${rest}` === expected, rest);
      assert.equal(withoutOwnCookies(rest), rest);
    },
  ),

  property(
    "cookieValues() and cookiesByName() read only cookies of exactly that name",
    cookieHeader,
    (field) => {
      for (const name of OWN) {
        const values = field.split(";").filter((pair) => nameOf(pair) === name)
          .map((pair) => pair.slice(pair.indexOf("=") + 1));
        assert.deepEqual(
          cookieValues(field, name).map(withoutBlanks),
          values.map((value) => value.trim()),
        );
      }
      const names = field.split(";").map(nameOf)
        .filter((name) => name.startsWith("__Host-"));
      assert.deepEqual(
        [...cookiesByName(field, "__Host-").keys()],
        [...new Set(names)],
      );
    },
  ),

  property(
    "filterSetCookie() passes no cookie that a browser would send back under one of the gateway's names",
    setCookie,
    (line) => {
      const kept = filterSetCookie(line, BASE);
      if (kept === undefined) return;
      const [pair = ""] = kept.split(";", 1);
      // A cookie without a name is sent back as its value alone (RFC 6265bis section 5.8.3).
      const sent = withoutBlanks(withoutBlanks(pair).replace(/^=/, ""));
      assert.ok(!isOwn(nameOf(sent)), kept);
    },
  ),

  property(
    "filterSetCookie() lets no browser keep a cookie for the base domain or above it",
    fc.tuple(setCookie, fc.constantFrom(BASE, `${BASE}.`)),
    ([line, base]) => {
      const kept = filterSetCookie(line, BASE);
      if (kept === undefined) return;
      const host = `3000-demo.${base}`;
      for (const reading of [kept, asBrowserReads(kept)]) {
        const jar = createCookieJar();
        jar.store(new URL(`http://${host}/`), [reading]);
        for (const { domain } of jar.cookies) assert.equal(domain, host, kept);
      }
    },
  ),

  property(
    "filterSetCookie() changes nothing but Domain attributes, and nothing twice",
    setCookie,
    (line) => {
      const kept = filterSetCookie(line, BASE);
      if (kept === undefined) return;
      assert.equal(filterSetCookie(kept, BASE), kept);
      function withoutDomains(line: string): string[] {
        return line.split(";").filter((part, index) =>
          index === 0 || !/^\s*domain\s*=/i.test(part)
        );
      }
      assert.deepEqual(withoutDomains(kept), withoutDomains(line));
    },
  ),

  property(
    "filterClearSiteData() removes cookies from the data to clear, and keeps everything else",
    fc.oneof(
      fieldValue,
      soup(
        ['"cookies"', '"*"', '"cache"', '"storage"', ",", ", ", " ", "\t", '"'],
        12,
      ),
    ),
    (value) => {
      function typesIn(text: string): string[] {
        return text.split(",").map((type) => type.trim());
      }
      const kept = filterClearSiteData(value);
      const types = kept === undefined ? [] : typesIn(kept);
      assert.ok(
        !types.includes('"cookies"') && !types.includes('"*"'),
        String(kept),
      );
      const wanted = typesIn(value).filter((type) => type !== '"cookies"');
      for (const type of wanted) {
        if (type === '"*"') assert.ok(types.includes('"executionContexts"'));
        else assert.ok(types.includes(type));
      }
      if (kept !== undefined) assert.equal(filterClearSiteData(kept), kept);
    },
  ),
];
