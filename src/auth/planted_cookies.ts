/**
 * Relieves a browser of the cookies that make its requests too large. A script on any preview can set some for the base
 * domain: nine of 4 KB would have every request to any preview refused, for up to 400 days (RFC 6265bis section 5.5). The
 * refusal itself has to delete them, since nothing else reaches that browser.
 */
import {
  hostName,
  parentDomains,
  type PreviewHost,
} from "../address/preview_host.ts";
import { cookieName, isOwnCookieName } from "../http/cookies.ts";
import type { Header } from "../http/headers.ts";
import type { OwnCookies } from "./own_cookies.ts";
import type { SessionSealer } from "./session.ts";

/** The parts of a request that is refused for its cookies. */
export interface TooLargeRequest {
  readonly cookie: string;
  readonly target: string;
  readonly host: PreviewHost;
}

interface PlantedCookiesOptions {
  readonly scheme: "http" | "https";
  readonly cookies: Pick<OwnCookies, "loginSessionPrefix">;
  readonly sessions: Pick<SessionSealer, "open">;
}

/** Most bytes of Set-Cookie lines in one refusal: a proxy in front must be able to take its head. */
const MAX_LINES_BYTES = 16 * 1024;

/** Most segments of the target's path below which cookies are deleted. */
const MAX_SEGMENTS = 4;

/** Most cookies that are unsealed to know our logins, from the end of the header: twice as many as a browser keeps. */
const MAX_OPENED = 24;

/** The share of the cookies' bytes that may stay: apps, too, have limits, of 8 KiB and more, and refuse without relief. */
const KEPT_SHARE = 1 / 4;

const NONE: ReadonlySet<string> = new Set();

/** Makes browsers delete cookies. */
export class PlantedCookies {
  readonly #options: PlantedCookiesOptions;

  constructor(options: PlantedCookiesOptions) {
    this.#options = options;
  }

  /**
   * The headers of the refusal, which delete cookies by name: whatever was set for all previews, but our logins; and the
   * largest, which make the request too large, also of the app's own host and of domains above the base domain, where a
   * small one may be a session that nobody planted. What has another path stays: a person who sees the refusal can have
   * all cookies deleted by the logout page.
   */
  async headersFor(request: TooLargeRequest): Promise<Header[]> {
    const logins = await this.#ownLogins(request.cookie);
    const headers: Header[] = [];
    let bytes = 0;
    for (const line of this.#deletions(request, logins)) {
      bytes += "set-cookie: \r\n".length + line.length;
      if (bytes > MAX_LINES_BYTES) break;
      headers.push(["set-cookie", line]);
    }
    return headers;
  }

  /** The Set-Cookie lines, the most useful first: at the root, for all previews, for the largest cookies. */
  *#deletions(
    { cookie, target, host }: TooLargeRequest,
    logins: ReadonlySet<string>,
  ): Iterable<string> {
    const all = parentDomains(host);
    const ofPreviews = all.filter((each, i) =>
      i === 0 || `.${each}`.endsWith(`.${host.base}`)
    );
    const above = all.slice(ofPreviews.length);
    const { names, largest } = namesBySize(cookie);
    const ofApp = largest.filter((name) => !isOwnCookieName(name));
    for (const path of cookiePaths(target)) {
      // A name may be that of a login at the root, and of a planted cookie below it.
      const kept = path === "/" ? logins : NONE;
      yield* this.#ofDomains(names, ofPreviews, { path, kept });
      yield* this.#ofDomains(largest, above, { path, kept });
      yield* this.#ofDomains(ofApp, [undefined, hostName(host)], {
        path,
        kept,
      });
    }
  }

  /** The lines for a path; a domain is undefined for cookies of the host alone. */
  *#ofDomains(
    names: readonly string[],
    domains: readonly (string | undefined)[],
    { path, kept }: { path: string; kept: ReadonlySet<string> },
  ): Iterable<string> {
    for (const name of names) {
      if (kept.has(name)) continue;
      for (const domain of domains) {
        // With the prefix `__Host-` no cookie has a domain (RFC 6265bis section 4.1.3.2).
        if (domain !== undefined && /^__host-/i.test(name)) continue;
        yield this.#deletion(name, { domain, path });
      }
    }
  }

  /** A Set-Cookie line that deletes one cookie: its name, domain and path identify it. */
  #deletion(
    name: string,
    { domain, path }: { domain: string | undefined; path: string },
  ): string {
    // A browser ignores a line without name and value.
    const pair = name === "" ? "=0" : `${name}=`;
    const forDomain = domain === undefined ? "" : `; Domain=${domain}`;
    // Names with the prefix `__Secure-` require it (RFC 6265bis section 4.1.3.1).
    const secure = this.#options.scheme === "https" ? "; Secure" : "";
    return `${pair}${forDomain}; Path=${path}; Max-Age=0${secure}`;
  }

  /** The names of the cookies that hold a login of ours: no other cookie of ours has a domain. */
  async #ownLogins(cookie: string): Promise<ReadonlySet<string>> {
    const { cookies: { loginSessionPrefix }, sessions } = this.#options;
    const names = new Set<string>();
    const pairs = cookie.split(";")
      .filter((pair) => cookieName(pair).startsWith(loginSessionPrefix));
    for (const pair of pairs.slice(-MAX_OPENED)) {
      const sealed = pair.slice(pair.indexOf("=") + 1).trim();
      const session = await sessions.open(sealed);
      if (session?.kind === "login") names.add(cookieName(pair));
    }
    return names;
  }
}

/** The names in a Cookie header, the largest cookies first, and which of them are too large; one without a name is empty. */
function namesBySize(header: string): Record<"names" | "largest", string[]> {
  const sizes = new Map<string, number>();
  for (const pair of header.split(";")) {
    const name = pair.includes("=") ? cookieName(pair) : "";
    sizes.set(name, (sizes.get(name) ?? 0) + pair.trim().length);
  }
  const sorted = [...sizes].sort(([, a], [, b]) => b - a);
  const largest: string[] = [];
  let left = header.length;
  for (const [name, bytes] of sorted) {
    if (left <= header.length * KEPT_SHARE) break;
    largest.push(name);
    left -= bytes;
  }
  return { names: sorted.map(([name]) => name), largest };
}

/** A segment that can stand in a Path attribute as it is. */
const SEGMENT = /^[\x21-\x3a\x3c-\x7e]+$/;

/**
 * The paths that a cookie sent with a request can have (RFC 6265bis section 5.1.4), the shortest first.
 * @example `cookiePaths("/a/b?c"); // ["/", "/a", "/a/", "/a/b"]`
 */
export function cookiePaths(target: string): string[] {
  const [path = ""] = target.split("?", 1);
  const segments = path.split("/").slice(1, MAX_SEGMENTS + 2);
  const paths = ["/"];
  let parent = "";
  for (const [i, segment] of segments.entries()) {
    if (!SEGMENT.test(segment) || i === MAX_SEGMENTS) break;
    parent += `/${segment}`;
    paths.push(parent);
    if (i + 1 < segments.length) paths.push(`${parent}/`);
  }
  return paths;
}
