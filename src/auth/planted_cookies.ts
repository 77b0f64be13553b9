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
import { cookieName, cookieValues, isOwnCookieName } from "../http/cookies.ts";
import type { Header } from "../http/headers.ts";
import type { OwnCookies } from "./own_cookies.ts";
import type { SessionSealer } from "./session.ts";

/** The parts of a request that is refused for its cookies. */
export interface TooLargeRequest {
  readonly cookie: string;
  readonly target: string;
  readonly host: PreviewHost;
  /** True if a person is about to see the refusal. */
  readonly isNavigation: boolean;
}

interface PlantedCookiesOptions {
  readonly scheme: "http" | "https";
  readonly cookies: OwnCookies;
  readonly sessions: Pick<SessionSealer, "open">;
}

/** Most bytes of Set-Cookie lines in one refusal: a proxy in front must be able to take its head. */
const MAX_LINES_BYTES = 16 * 1024;

/** Most segments of the target's path below which cookies are deleted. */
const MAX_SEGMENTS = 4;

/** Most cookies that are unsealed to know our logins, from the end of the header: twice as many as a browser keeps. */
const MAX_OPENED = 24;

const LAST_STEP = 3;

/** For how long a browser remembers the last step, seconds: as long as a person may take to reload the page. */
const MEMORY_SEC = 60;

/** Makes browsers delete cookies. */
export class PlantedCookies {
  readonly #options: PlantedCookiesOptions;

  constructor(options: PlantedCookiesOptions) {
    this.#options = options;
  }

  /**
   * The headers of the refusal, in three steps. Each comes if the one before, less than a minute ago, has not
   * helped. The first deletes by name what was set for all previews, but not our logins; the second also what the app
   * has set for its own host, and anybody for a domain above the base domain. The third is for what has another domain
   * or path: when a person sees the refusal, the browser has to delete all cookies of the site, and its logins with them.
   */
  async headersFor(request: TooLargeRequest): Promise<Header[]> {
    const { cookies } = this.#options;
    const { cookie, isNavigation } = request;
    const step = nextStep(cookieValues(cookie, cookies.reliefs).at(-1));
    const lines = [cookies.hostOnly(cookies.reliefs, String(step), MEMORY_SEC)];
    const logins = await this.#ownLogins(cookie);
    let bytes = 0;
    for (const line of this.#deletions(request, { logins, step })) {
      bytes += "set-cookie: \r\n".length + line.length;
      if (bytes > MAX_LINES_BYTES) break;
      lines.push(line);
    }
    const headers = lines.map((line): Header => ["set-cookie", line]);
    if (step === LAST_STEP && isNavigation) {
      headers.push(["clear-site-data", '"cookies"']);
    }
    return headers;
  }

  /** The Set-Cookie lines of a step, the most useful first: for the largest cookies, at the root. */
  *#deletions(
    { cookie, target, host }: TooLargeRequest,
    { logins, step }: { logins: ReadonlySet<string>; step: number },
  ): Iterable<string> {
    const self = hostName(host);
    const all = parentDomains(host);
    // Those above the base domain may have cookies of others than previews.
    const parents = step === 1
      ? all.filter((each, i) => i === 0 || `.${each}`.endsWith(`.${host.base}`))
      : all;
    const names = namesBySize(cookie);
    for (const path of cookiePaths(target)) {
      for (const name of names) {
        // A name may be that of a login at the root, and of a planted cookie below it.
        const isLogin = path === "/" && logins.has(name);
        // With the prefix `__Host-` no cookie has a domain (RFC 6265bis section 4.1.3.2).
        if (!isLogin && !/^__host-/i.test(name)) {
          for (const domain of parents) {
            yield this.#deletion(name, { domain, path });
          }
        }
        if (step === 1 || isOwnCookieName(name)) continue;
        yield this.#deletion(name, { path });
        yield this.#deletion(name, { domain: self, path });
      }
    }
  }

  /** A Set-Cookie line that deletes one cookie: its name, domain and path identify it. */
  #deletion(
    name: string,
    { domain, path }: { domain?: string; path: string },
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

function nextStep(before = ""): number {
  return /^[1-3]$/.test(before) ? Math.min(Number(before) + 1, LAST_STEP) : 1;
}

/** The names in a Cookie header, those of the largest cookies first; the empty one if a cookie has no name. */
function namesBySize(header: string): string[] {
  const sizes = new Map<string, number>();
  for (const pair of header.split(";")) {
    const name = pair.includes("=") ? cookieName(pair) : "";
    sizes.set(name, (sizes.get(name) ?? 0) + pair.trim().length);
  }
  return [...sizes].sort(([, a], [, b]) => b - a).map(([name]) => name);
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
