/**
 * Which pages may frame a preview, as the browser enforces it (Content Security Policy Level 3, section 6.4.2,
 * `frame-ancestors`). `mayUseSessions()` decides by the request, and not every frame is filled by one
 * that tells: an app's service worker passes a navigation on without saying that it is a frame's, or has the response
 * already; and so may the browser's own cache, from a frame on another page (both seen in Chromium 156).
 *
 * No pattern describes the origins of one sandbox. So a preview host remembers, in a cookie, on which ports it was
 * framed: after a link in the frame, requests no longer name the page around it. The cookie needs no seal. It can name
 * nothing but ports of the same sandbox, whose pages may use the sessions anyway.
 */
import { isAlwaysPrivate, isPort } from "../address/grammar.ts";
import {
  originsOfPort,
  portOfSandboxOrigin,
  previewOrigin,
} from "../address/preview_host.ts";
import { type CredentialSource, originOf } from "../auth/credentials.ts";
import type { OwnCookies } from "../auth/own_cookies.ts";
import { cookieValues } from "../http/cookies.ts";
import { isWindow } from "../http/fetch_metadata.ts";
import { type HeaderList, valuesOf } from "../http/headers.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";

/** The parts of a request that {@linkcode frameHeaders} decides by. */
export interface FrameSource
  extends Pick<CredentialSource, "headers" | "host" | "scheme"> {
  readonly cookies: Pick<OwnCookies, "framingPorts" | "hostOnly">;
}

/** The parts of an app's response that {@linkcode frameHeaders} decides by. */
export type FramedResponse = Pick<UpstreamResponse, "status" | "headers">;

/** Most ports that a preview host remembers. */
const MAX_PORTS = 8;

/** For how long a preview host remembers them, seconds: for as long as somebody may leave a window open. */
const MEMORY_SEC = 30 * 24 * 60 * 60;

/**
 * The headers by which pages of these origins may frame a response, and those of the sandbox: none unless it may be
 * shown as a document, and none if the app forbids other origins to frame it.
 */
export function frameHeaders(
  response: FramedResponse,
  source: FrameSource,
  framers: Iterable<string>,
): [string, string][] {
  if (!isDocument(response) || forbidsFrames(response.headers)) return [];
  const { host, scheme } = source;
  const origins = framingPorts(source).ports
    .flatMap((port) => originsOfPort(host, port, scheme));
  const policy = ["frame-ancestors 'self'", ...origins, ...framers];
  return [
    ["content-security-policy", policy.join(" ")],
    ...framingCookies(source),
  ];
}

/**
 * The Set-Cookie header by which a preview host remembers a port that frames it; none if it knows that one, or if the
 * request names none. Responses of our own have it as well: some lead on to the app without naming the port.
 */
export function framingCookies(source: FrameSource): [string, string][] {
  const { ports, isNew } = framingPorts(source);
  if (!isNew) return [];
  const { cookies } = source;
  const name = cookies.framingPorts;
  const cookie = cookies.hostOnly(name, ports.join("."), MEMORY_SEC);
  return [["set-cookie", cookie]];
}

/** The sandbox's ports that have framed this host from other origins, and the one that does; `isNew` if it was not there. */
function framingPorts(
  source: FrameSource,
): { readonly ports: readonly number[]; readonly isNew: boolean } {
  const known = rememberedPorts(source);
  const port = framingPort(source);
  return port === undefined || known.includes(port)
    ? { ports: known, isNew: false }
    : { ports: [...known, port].slice(-MAX_PORTS), isNew: true };
}

/**
 * True if a browser may show a response as a document. A 304 is none: a browser would replace the app's own policy, which
 * it has stored, by ours (RFC 9111 section 3.2).
 */
export function isDocument({ status, headers }: FramedResponse): boolean {
  const [type] = valuesOf(headers, "content-type");
  return status !== 304 && (type === undefined || /html|xml/i.test(type));
}

/**
 * True if the app's X-Frame-Options is in force: it is stricter than ours, and browsers ignore it beside a policy that
 * has `frame-ancestors` (HTML, section 7.6).
 */
function forbidsFrames(headers: HeaderList): boolean {
  const options = valuesOf(headers, "x-frame-options").join();
  return /^\s*(?:deny|sameorigin)\s*$/i.test(options) &&
    !valuesOf(headers, "content-security-policy")
      .some((policy) => /frame-ancestors/i.test(policy));
}

/** The port of the sandbox whose page, of another origin, frames this host, as far as the request tells. */
function framingPort(
  { headers, host, scheme }: FrameSource,
): number | undefined {
  if (
    headers.get("sec-fetch-mode") !== "navigate" || isWindow(headers) ||
    isAlwaysPrivate(host.port)
  ) return undefined;
  const origin = originOf(headers.get("referer") ?? "");
  // The same port may have other origins: its preview host's, and its names'.
  return origin === previewOrigin(host, scheme)
    ? undefined
    : portOfSandboxOrigin(origin, host, scheme);
}

function rememberedPorts(
  { headers, host, cookies }: FrameSource,
): readonly number[] {
  const cookie = headers.get("cookie") ?? "";
  if (!cookie.includes(cookies.framingPorts) || isAlwaysPrivate(host.port)) {
    return [];
  }
  const ports = cookieValues(cookie, cookies.framingPorts)
    .flatMap((value) => value.split(".").map(Number)).filter(isPort);
  return [...new Set(ports)].slice(-MAX_PORTS);
}
