/**
 * The app's view of its own address. A sandbox's daemon gives every app `Host: localhost:<port>`, and a browser sends the
 * preview's public origin beside it: many dev servers refuse what names two addresses. How the one is made to fit the
 * other is `APP_ORIGIN`, for requests whose Origin is exactly the preview's own; that of anybody else never changes.
 *
 * - `auto`: a WebSocket handshake names localhost alone and, if the app refuses that, goes once more exactly as it came.
 *   GET and HEAD have no Origin, which browsers send with module scripts and fonts only. Everything else goes as it
 *   came: frameworks compare a POST's Origin with X-Forwarded-Host, and make absolute URLs of that. An app that refuses
 *   its public host gets what `local` says (see host_refusals.ts).
 * - `local`: every request names localhost alone, for apps that compare Origin with Host.
 * - `pass`: everything goes as it came, as with the proxy that we replace.
 *
 * Unless it is `pass`, redirects to the address that the app believes to have, or to another port of its machine, lead
 * to the public one.
 */
import type { AppOriginMode } from "../config/config.ts";
import {
  type Header,
  type HeaderList,
  isName,
  type RequestHeaders,
} from "../http/headers.ts";
import type { Destination } from "../resolver/destination.ts";

/** What a request tells the app about the app's own address. */
export type AddressForm =
  /** Exactly what came: the public address in Origin, Referer, X-Forwarded-Host and X-Forwarded-Proto. */
  | "public"
  /** What came, without Origin. */
  | "no_origin"
  /** localhost in Origin and Referer; without X-Forwarded-Host, and -Proto too if there is an Origin to compare with. */
  | "local";

/** The address of an app: its port in the sandbox, and the origin of its preview. */
export interface AppAddress {
  readonly port: number;
  readonly publicOrigin: string;
  /** The origin of another port's preview; undefined if the same visitor has none. */
  readonly originOf?: (port: number) => string | undefined;
}

/** The parts of a request that its form depends on. */
export interface AddressedRequest {
  readonly method: string;
  readonly headers: RequestHeaders;
  /** Undefined where no app is addressed, as at the toolbox. */
  readonly appAddress: AppAddress | undefined;
}

/** The form of a request that opens no WebSocket. */
export function requestForm(
  mode: AppOriginMode,
  request: AddressedRequest,
): AddressForm {
  if (mode === "pass") return "public";
  const { method, headers } = request;
  const origin = headers.get("origin");
  if (mode === "auto") {
    const isRead = method === "GET" || method === "HEAD";
    return origin !== null && isRead && isOwn(origin, request)
      ? "no_origin"
      : "public";
  }
  if (request.appAddress === undefined) return "public";
  return origin === null || isOwn(origin, request) ? "local" : "public";
}

/** The form of an opening handshake; `either` if the app decides which one it accepts. */
export type HandshakeForm = AddressForm | "either";

export function handshakeForm(
  mode: AppOriginMode,
  request: AddressedRequest,
): HandshakeForm {
  if (mode !== "auto") return requestForm(mode, request);
  const origin = request.headers.get("origin");
  return origin !== null && isOwn(origin, request) ? "either" : "public";
}

/** True for the origin of the very preview that is addressed. */
function isOwn(origin: string, { appAddress }: AddressedRequest): boolean {
  return origin === appAddress?.publicOrigin;
}

/** The local URL for one at an app's public address, and at no host that only begins like it; any other as it is. */
export function localUrl(
  url: string,
  { port, publicOrigin }: AppAddress,
): string {
  const { origin, rest } = splitOrigin(url);
  return origin === publicOrigin ? `http://localhost:${port}${rest}` : url;
}

/** What tells which addresses, besides the public one, an app may take for its own. */
type OwnAddresses = Pick<Destination, "appOrigin" | "publicOrigin">;

const LOCAL_ONLY: OwnAddresses = { appOrigin: "auto", publicOrigin: undefined };

/**
 * A response's headers, with Location, Content-Location and Refresh at a local address led back to the public one, byte
 * for byte after the origin. `headers` itself is returned if there are none.
 */
export function withPublicLocation(
  headers: HeaderList,
  request: Pick<AddressedRequest, "appAddress">,
  own: OwnAddresses = LOCAL_ONLY,
): HeaderList {
  if (!headers.some(isLocation)) return headers;
  const { appAddress } = request; // which is made when it is read
  if (appAddress === undefined) return headers;
  return headers.map((header) =>
    isLocation(header) ? [header[0], ledBack(header, appAddress, own)] : header
  );
}

/** Seconds, and a URL that may be quoted (HTML standard, shared declarative refresh steps). */
const REFRESH =
  /^[\d.]+[ \t]*[;,][ \t]*(?:url[ \t]*=[ \t]*)?(?:"([^"]*)|'([^']*)|([^"'].*))/i;

function ledBack(
  [name, value]: Header,
  app: AppAddress,
  own: OwnAddresses,
): string {
  if (!isName(name, "refresh")) return publicLocation(value, app, own);
  const [, double, single, bare] = REFRESH.exec(value) ?? [];
  const url = double ?? single ?? bare ?? "";
  return value.replace(url, () => publicLocation(url, app, own));
}

/**
 * The public URL for one at an address of the app's own, its local one by default, or at another port of its machine;
 * any other is returned as it is. So is a login's answer at another port: a program on the visitor's own machine may
 * wait for it there (RFC 8252 section 7.3).
 */
export function publicLocation(
  location: string,
  { port, publicOrigin, originOf }: AppAddress,
  own: OwnAddresses = LOCAL_ONLY,
): string {
  const { origin, rest } = splitOrigin(location);
  if (own.publicOrigin !== undefined && origin === own.publicOrigin) {
    return publicOrigin + rest;
  }
  if (own.appOrigin === "pass") return location;
  const local = localPort(origin);
  if (local === port) return publicOrigin + rest;
  if (local === undefined || LOGIN_ANSWER.test(rest)) return location;
  const other = originOf?.(local);
  return other === undefined ? location : other + rest;
}

/** The parameters of an authorization response (RFC 6749 sections 4.1.2 and 4.2.2). */
const LOGIN_ANSWER = /[?&#](?:code|access_token|error)=/;

/**
 * The port of an origin on the app's own machine; undefined for any other text.
 * @example `localPort("http://localhost:3000")` is 3000, `localPort("http://localhost:3000@evil.test")` undefined
 */
export function localPort(origin: string): number | undefined {
  const [, scheme = "", digits] = LOCAL_ORIGIN.exec(origin) ?? [];
  const port = digits ?? DEFAULT_PORTS[scheme];
  return port === undefined ? undefined : Number(port);
}

/** Also the addresses that servers listen on, and name in redirects. */
const LOCAL_ORIGIN =
  /^(?:(https?):)?\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::([0-9]+))?$/;

const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  http: "80",
  https: "443",
};

function isLocation(header: Header): boolean {
  const name = header[0];
  return isName(name, "location") || isName(name, "content-location") ||
    isName(name, "refresh");
}

/**
 * Splits an absolute URL, or one that lacks its scheme, after its authority, which ends at the first `/`, `?` or `#`
 * (RFC 3986 section 3.2). Neither userinfo nor a `\`, which browsers take for a `/`, is part of any origin that
 * we compare with.
 */
function splitOrigin(url: string): { origin: string; rest: string } {
  const [origin = ""] = /^(?:[a-z]+:)?\/\/[^/?#]*/i.exec(url) ?? [];
  return { origin: origin.toLowerCase(), rest: url.slice(origin.length) };
}
