/** A browser's cookies over http, stored and sent as in RFC 6265bis section 5. */

/** One cookie. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  /** The host that set it, or its Domain attribute. */
  readonly domain: string;
  /** True if it is sent only to {@linkcode Cookie.domain} itself. */
  readonly hostOnly: boolean;
  readonly path: string;
  readonly httpOnly: boolean;
  readonly sameSite: "strict" | "lax" | "none";
}

/** The properties of a request that decide which cookies it carries. */
export interface CookieRequest {
  readonly method: string;
  /** True if another site initiated it. */
  readonly crossSite: boolean;
}

/** The cookies of all hosts. */
export interface CookieJar {
  /** All cookies, oldest first. */
  readonly cookies: readonly Cookie[];
  /** Stores the cookies that a response to `url` sets. */
  store(url: URL, setCookie: readonly string[]): void;
  /** The Cookie field of a top-level navigation to `url`; undefined if there are no cookies for it. */
  fieldFor(url: URL, request: CookieRequest): string | undefined;
}

/** Creates an empty jar. */
export function createCookieJar(): CookieJar {
  const jar = new Map<string, Cookie>();
  return {
    get cookies() {
      return [...jar.values()];
    },
    store(url, setCookie) {
      for (const line of setCookie) {
        const { cookie, isExpired } = parseSetCookie(url, line) ?? {};
        if (cookie === undefined) continue;
        const { name, domain, hostOnly, path } = cookie;
        const key = JSON.stringify([name, domain, hostOnly, path]);
        if (isExpired) jar.delete(key);
        else jar.set(key, cookie);
      }
    },
    fieldFor(url, request) {
      const pairs = [...jar.values()]
        .filter((cookie) => matches(cookie, url, request))
        .sort((a, b) => b.path.length - a.path.length)
        .map(({ name, value }) => `${name}=${value}`);
      return pairs.length > 0 ? pairs.join("; ") : undefined;
    },
  };
}

/** The site of a host: its last two labels, since `localhost` is the only public suffix here. */
export function siteOf({ hostname }: URL): string {
  return isAddress(hostname)
    ? hostname
    : hostname.split(".").slice(-2).join(".");
}

function parseSetCookie(
  url: URL,
  line: string,
): { cookie: Cookie; isExpired: boolean } | undefined {
  const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
  const [, name = "", value = ""] = /^([^=]+)=(.*)$/.exec(pair) ?? [];
  const attribute = new Map(attributes.map((part) => {
    const [, key = "", text = ""] = /^([^=]*)=?(.*)$/.exec(part) ?? [];
    return [key.toLowerCase(), text];
  }));
  const domainAttribute = attribute.get("domain")?.replace(/^\./, "")
    .toLowerCase();
  const domain = domainAttribute || url.hostname;
  const path = attribute.get("path") ?? "";
  const sameSite = attribute.get("samesite")?.toLowerCase();
  // Secure, which the prefixes and SameSite=None require, is only accepted over https.
  const isRefused = name === "" || attribute.has("secure") ||
    /^__(?:host|secure)-/i.test(name) || sameSite === "none" ||
    !isWithin(url.hostname, domain) ||
    domain !== url.hostname && !domain.includes(".");
  if (isRefused) return undefined;
  return {
    cookie: {
      name,
      value,
      domain,
      hostOnly: !domainAttribute,
      path: path.startsWith("/") ? path : defaultPath(url),
      httpOnly: attribute.has("httponly"),
      sameSite: sameSite === "strict" ? "strict" : "lax",
    },
    isExpired: attribute.has("max-age")
      ? Number(attribute.get("max-age")) <= 0
      : Date.parse(attribute.get("expires") ?? "") <= Date.now(),
  };
}

function defaultPath({ pathname }: URL): string {
  return pathname.slice(0, pathname.lastIndexOf("/")) || "/";
}

function matches(
  { domain, hostOnly, path, sameSite }: Cookie,
  url: URL,
  { method, crossSite }: CookieRequest,
): boolean {
  const isHost = hostOnly
    ? url.hostname === domain
    : isWithin(url.hostname, domain);
  const { pathname } = url;
  const isPath = pathname === path ||
    pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
  const isSite = !crossSite || sameSite === "lax" && method === "GET";
  return isHost && isPath && isSite;
}

function isWithin(hostname: string, domain: string): boolean {
  return hostname === domain ||
    !isAddress(hostname) && hostname.endsWith(`.${domain}`);
}

function isAddress(hostname: string): boolean {
  return /^[\d.]+$|^\[/.test(hostname);
}
