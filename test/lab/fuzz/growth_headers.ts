/** Long values of headers. */
import ipaddr from "ipaddr.js";
import { cookieValues, withoutOwnCookies } from "../../../src/http/cookies.ts";
import { bearerOf, mayUseSessions } from "../../../src/auth/credentials.ts";
import { withCors } from "../../../src/proxy/cors.ts";
import { clientOf } from "../../../src/downstream/http/forwarded.ts";
import { nominatedHeaders } from "../../../src/http/hop_by_hop.ts";
import {
  filterClearSiteData,
  filterSetCookie,
} from "../../../src/proxy/response_headers.ts";
import { BLANKS, type Growth, repeated } from "./growth.ts";

const BASE = "preview.example.com";
const HOST = { port: 1, label: "x", base: BASE, authoritySuffix: BASE };

function headersOf(name: string, value: string): Headers {
  return new Headers({ [name]: value });
}

/** Parsers of headers. */
export const headerGrowths: readonly Growth[] = [
  ...repeated(
    "withoutOwnCookies()",
    [";", "=", "; a=b", "porthole-a;", "__Host-", ...BLANKS],
    (text) => withoutOwnCookies(text),
    ["a", "a"],
  ),
  ...repeated(
    "cookieValues()",
    [";", "=", "; a=b", ...BLANKS],
    (text) => cookieValues(text, "a"),
    ["a", "a"],
  ),
  ...repeated(
    "filterSetCookie()",
    [";", "=", "; Domain=", "; Domain=com", ".", ...BLANKS],
    (text) => filterSetCookie(text, BASE),
    ["a=b; domain=a", "a"],
  ),
  ...repeated(
    "filterClearSiteData()",
    [",", '"*",', '"cookies",', '"', ...BLANKS],
    (text) => filterClearSiteData(text),
    ["a", "a"],
  ),
  ...repeated(
    "nominatedHeaders()",
    [",", "a,", ...BLANKS],
    (text) => nominatedHeaders(text),
    ["a", "a"],
  ),
  ...repeated(
    "withCors()",
    [",", "origin", "origin,", "*", ...BLANKS],
    (text) =>
      withCors([["vary", text]], {
        kind: "on",
        overrides: false,
        origin: null,
        credentials: false,
      }),
    ["origin ", "a"],
  ),
  ...repeated(
    "clientOf()",
    [",", "1", "1.", ":", "0:", "a", "::,", "1.1.1.1,", "%", ...BLANKS],
    (text) =>
      clientOf("::1", headersOf("x-forwarded-for", text), {
        authority: BASE,
        scheme: "https",
        trusted: [ipaddr.parseCIDR("::/0"), ipaddr.parseCIDR("0.0.0.0/0")],
      }),
    ["1", "!"],
  ),
  ...repeated(
    "bearerOf()",
    ["a", "Bearer ", "a ", ...BLANKS],
    (text) => bearerOf(headersOf("authorization", text)),
    ["Bearer a", "\xe9"],
  ),
  ...repeated(
    "mayUseSessions()",
    ["a", "/", ":", "https://"],
    (text) =>
      mayUseSessions({
        method: "POST",
        headers: headersOf("referer", text),
        host: HOST,
        scheme: "https",
        allowedOrigins: new Set(),
      }),
    ["https://", "a"],
  ),
];
