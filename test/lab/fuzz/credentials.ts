/**
 * Credentials of a request: {@linkcode presentedCredentials}, {@linkcode toolboxCredentials},
 * {@linkcode mayUseSessions}.
 */
import fc from "fast-check";
import assert from "node:assert/strict";
import {
  bearerOf,
  mayUseSessions,
  presentedCredentials,
  toolboxCredentials,
} from "../../../src/auth/credentials.ts";
import { cases, fieldValue, mutated, TRICKY } from "./arbitraries.ts";
import { type Property, property } from "./property.ts";
import { ownCookies } from "../../support/own_cookies.ts";

const HOST = {
  port: 3000,
  label: "demo",
  base: "preview.example.com",
  authoritySuffix: "preview.example.com",
};
const COOKIES = ownCookies();
const ALLOWED = "https://app.example";

/** The sandbox's own origins, the allowed one, and look-alikes. */
const origin = mutated(
  fc.constantFrom(
    "https://3000-demo.preview.example.com",
    "https://8080-demo.preview.example.com",
    "https://3000-other.preview.example.com",
    "https://preview.example.com",
    ALLOWED,
    "null",
  ),
  [...TRICKY, "http:", "evil.example", ":443", "demo", "0"],
).map((text) => text.trim());

function optional<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(value, { nil: undefined });
}

const authorization = mutated(
  fc.constantFrom("Bearer abc.def", "bearer  x ", "Basic eDp5").chain(cases),
  [...TRICKY, "Bearer ", ","],
);

const request = fc.record({
  method: fc.constantFrom("GET", "HEAD", "POST", "OPTIONS"),
  site: optional(
    fc.constantFrom("same-origin", "same-site", "cross-site", "none", "x"),
  ),
  mode: optional(
    fc.constantFrom("navigate", "no-cors", "cors", "websocket", "x"),
  ),
  destination: optional(
    fc.constantFrom("document", "iframe", "object", "embed", "image", "empty"),
  ),
  origin: optional(origin),
  referer: optional(origin.map((text) => `${text}/path?q`)),
  accept: optional(fc.constantFrom("*/*", "text/html,*/*", "application/json")),
  authorization: optional(authorization),
  token: optional(fieldValue),
  cookie: optional(
    mutated(
      fc.constantFrom(
        `${COOKIES.previewTokenSession}=s1; ${COOKIES.loginSession("demo")}=s2`,
        `a=b; ${COOKIES.previewTokenSession}=s3`,
        `${COOKIES.grantSession}=s5; ${COOKIES.previewTokenSession}=s6`,
      ),
      [...TRICKY, `${COOKIES.previewTokenSession}=s4; `],
    ).map((text) => text.trim()),
  ),
});

type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

function headersOf(request: Request): Headers {
  const headers = new Headers();
  const fields = {
    "sec-fetch-site": request.site,
    "sec-fetch-mode": request.mode,
    "sec-fetch-dest": request.destination,
    origin: request.origin,
    referer: request.referer,
    accept: request.accept,
    authorization: request.authorization,
    "x-daytona-preview-token": request.token,
    cookie: request.cookie,
  };
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) headers.set(name, value);
  }
  return headers;
}

function sourceOf(request: Request) {
  return {
    method: request.method,
    headers: headersOf(request),
    host: HOST,
    scheme: "https",
    cookies: COOKIES,
    queryToken: undefined,
    allowedOrigins: new Set([ALLOWED]),
  } as const;
}

/** True if a page of that origin or URL, as a browser parses it, may use sessions. */
function isOwnPage(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && url.protocol === "https:" && url.port === "" &&
    (/^[1-9]\d*-demo\.preview\.example\.com$/.test(url.hostname) ||
      url.origin === ALLOWED);
}

/** Properties of credentials. */
export const credentialProperties: readonly Property[] = [
  property(
    "mayUseSessions() is true only for pages of the sandbox, allowed pages, navigations that are not framed, and clients that are no browsers",
    request,
    (request) => {
      if (!mayUseSessions(sourceOf(request))) return;
      const { method, site, mode, origin, referer, accept, destination } =
        request;
      if (site === "same-origin" || site === "none") return;
      if (origin !== undefined) return assert.ok(isOwnPage(origin), origin);
      const isRead = method === "GET" || method === "HEAD";
      const wantsPage = mode === undefined
        ? accept?.includes("text/html")
        : mode === "navigate";
      const isFramed = /^(?:iframe|object|embed)$/.test(destination ?? "");
      if (isRead && wantsPage && !isFramed) return;
      if (referer !== undefined) return assert.ok(isOwnPage(referer), referer);
      assert.equal(site, undefined);
    },
  ),

  property(
    "presentedCredentials() returns credentials of the request, in order of precedence",
    request,
    (request) => {
      const source = sourceOf(request);
      const credentials = presentedCredentials(source);
      const order = ["preview_token", "auth_key", "session", "bearer"];
      const ranks = credentials.map(({ kind }) => order.indexOf(kind));
      assert.deepEqual(ranks, ranks.toSorted((a, b) => a - b));
      for (const credential of credentials) {
        if (credential.kind === "session") {
          assert.ok(request.cookie?.includes(credential.sealed));
          const { framedBy } = credential;
          assert.equal(mayUseSessions(source), framedBy === undefined);
          if (framedBy === undefined) continue;
          assert.ok(request.cookie?.includes(COOKIES.grantSession));
          assert.ok(request.referer?.startsWith(framedBy));
        } else {
          const field = credential.kind === "bearer"
            ? request.authorization
            : request.token;
          assert.ok(credential.kind !== "signed_url");
          assert.ok(credential.kind !== "grant");
          assert.ok(field?.includes(credential.token));
        }
      }
      assert.deepEqual(
        toolboxCredentials({ ...source, urlSignature: undefined }),
        credentials.filter(({ kind }) => kind !== "session"),
      );
    },
  ),

  property(
    "bearerOf() reads one token of visible ASCII after the scheme",
    authorization,
    (text) => {
      const headers = new Headers({ authorization: text });
      const [scheme, token, ...more] = text.replace(/^[ \t]+|[ \t]+$/g, "")
        .split(/ +/);
      const isBearer = /^bearer$/i.test(scheme ?? "") && token !== undefined &&
        /^[\x21-\x7e]+$/.test(token) && more.length === 0;
      assert.equal(bearerOf(headers), isBearer ? token : undefined);
    },
  ),
];
