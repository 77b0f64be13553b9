/** A browser's cookies, as RFC 6265bis section 5 has them kept and sent, over http. */

/** One cookie. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  /** The host that set it, or the domain that it was set for. */
  readonly domain: string;
  /** Whether only {@linkcode Cookie.domain} itself gets it. */
  readonly hostOnly: boolean;
  readonly path: string;
  readonly httpOnly: boolean;
  readonly sameSite: "strict" | "lax" | "none";
}

/** What decides which cookies go with a request. */
export interface CookieRequest {
  readonly method: string;
  /** Whether another site led here. */
  readonly crossSite: boolean;
}

/** Cookies of many hosts. */
export interface CookieJar {
  /** All of them, oldest first. */
  readonly cookies: readonly Cookie[];
  /** Keeps what a response to `url` sets. */
  keep(url: URL, setCookie: readonly string[]): void;
  /** The Cookie field of a top-level navigation to `url`, or undefined where there is none. */
  fieldFor(url: URL, request: CookieRequest): string | undefined;
}

/** Makes an empty jar. */
export function createCookieJar(): CookieJar {
  const jar = new Map<string, Cookie>();
  return {
    get cookies() {
      return [...jar.values()];
    },
    keep(url, setCookie) {
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
        .filter((cookie) => goesTo(cookie, url, request))
        .sort((a, b) => b.path.length - a.path.length)
        .map(({ name, value }) => `${name}=${value}`);
      return pairs.length > 0 ? pairs.join("; ") : undefined;
    },
  };
}

/** The site of a host: its last two labels, as nothing below `localhost` is a public suffix. */
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
  const wanted = attribute.get("domain")?.replace(/^\./, "").toLowerCase();
  const domain = wanted || url.hostname;
  const path = attribute.get("path") ?? "";
  const sameSite = attribute.get("samesite")?.toLowerCase();
  // Secure, which the prefixes demand and SameSite=None too, needs https.
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
      hostOnly: !wanted,
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

function goesTo(
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
