/** A browser's part in a login: top-level navigations like Chrome's, with cookies, redirects and a form. */
import { type CookieJar, createCookieJar, siteOf } from "./cookie_jar.ts";
import { send } from "./send.ts";

/** A request and its response. */
export interface Hop {
  readonly method: string;
  readonly url: string;
  /** The request's fields. */
  readonly sent: Headers;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** A navigation with its redirects; the last hop is the page that is shown. */
export interface Visit {
  readonly hops: readonly Hop[];
  readonly page: Hop;
}

/** Options of a navigation. */
export interface VisitOptions {
  /** False to stay at a redirect. */
  readonly follow?: boolean;
}

/** A browser with one window. */
export interface Browser {
  readonly jar: CookieJar;
  /** The Cookie header that it sends when its user opens that address; empty if there is none. */
  cookieAt(url: string | URL): string;
  /** Opens an address that the user types. */
  open(url: string, options?: VisitOptions): Promise<Visit>;
  /** Opens an address as whoever has yet to log in there, and does so at the provider's login page. */
  openAs(user: string, url: string, options?: VisitOptions): Promise<Visit>;
  /** Presses the button of a user on the provider's login page. */
  logIn(
    page: Hop,
    user: string,
    options?: VisitOptions,
  ): Promise<Visit>;
  /** Presses a button of a page whose form is sent to its own address. */
  press(
    page: Hop,
    button: readonly [name: string, value: string],
    options?: VisitOptions,
  ): Promise<Visit>;
  /** Presses the only button of a page's form; the address is the form's. */
  submit(page: Hop, options?: VisitOptions): Promise<Visit>;
  /** Presses the button that refuses consent on the provider's login page. */
  deny(page: Hop, options?: VisitOptions): Promise<Visit>;
}

/** A request to send. */
interface Navigation {
  readonly url: URL;
  readonly method: string;
  readonly body?: string | undefined;
  /** The page whose form is submitted; undefined for a typed address. */
  readonly from?: URL | undefined;
  /** The value of Sec-Fetch-Site. */
  readonly site: "none" | FetchSite;
}

type FetchSite = "same-origin" | "same-site" | "cross-site";

/** What Chrome says. */
export const USER_AGENT =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

const MAX_HOPS = 20;

/** Creates a browser that connects to 127.0.0.1 for every host, on `port` if the URL has none. */
export function createBrowser({ port }: { readonly port: number }): Browser {
  const jar = createCookieJar();

  async function visit(
    start: Navigation,
    { follow = true }: VisitOptions = {},
  ): Promise<Visit> {
    let page = await navigate(start, { jar, port });
    const hops = [page];
    let next = follow ? redirected(start, page) : undefined;
    while (next !== undefined) {
      if (hops.length === MAX_HOPS) throw new Error("Too many redirects");
      page = await navigate(next, { jar, port });
      hops.push(page);
      next = redirected(next, page);
    }
    return { hops, page };
  }

  async function press(
    page: Hop,
    [name, value]: readonly [name: string, value: string],
    options?: VisitOptions,
  ): Promise<Visit> {
    if (!page.body.includes(` name="${name}" value="${value}">`)) {
      throw new Error(`No button ${name}=${value} at ${page.url}`);
    }
    const url = new URL(page.url);
    const body = new URLSearchParams([[name, value]]).toString();
    const site = "same-origin";
    return await visit({ url, method: "POST", body, from: url, site }, options);
  }

  async function submit(page: Hop, options?: VisitOptions): Promise<Visit> {
    const form =
      /<form method="post" action="([^"]+)">\s*<button(?: [^>]*name="([^"]+)" value="([^"]+)")?>/
        .exec(page.body);
    if (form === null) throw new Error(`No form at ${page.url}`);
    const [, action = "", name, value = ""] = form;
    const from = new URL(page.url);
    return await visit({
      url: new URL(action, from),
      method: "POST",
      body: new URLSearchParams(name === undefined ? [] : [[name, value]])
        .toString(),
      from,
      site: "same-origin",
    }, options);
  }

  function open(url: string, options?: VisitOptions): Promise<Visit> {
    return visit({ url: new URL(url), method: "GET", site: "none" }, options);
  }

  function logIn(
    page: Hop,
    user: string,
    options?: VisitOptions,
  ): Promise<Visit> {
    return press(page, ["user", user], options);
  }

  return {
    jar,
    cookieAt: (url) =>
      jar.fieldFor(new URL(url), { method: "GET", crossSite: false }) ?? "",
    press,
    submit,
    open,
    logIn,
    openAs: async (user, url, options) =>
      await logIn((await open(url)).page, user, options),
    deny: (page, options) => press(page, ["deny", "1"], options),
  };
}

async function navigate(
  { url, method, body, from, site }: Navigation,
  { jar, port }: { readonly jar: CookieJar; readonly port: number },
): Promise<Hop> {
  // For SameSite, the initiating page counts, not the redirects in between.
  const crossSite = from !== undefined && siteOf(from) !== siteOf(url);
  const cookie = jar.fieldFor(url, { method, crossSite });
  const fields = {
    "host": url.host,
    "user-agent": USER_AGENT,
    "upgrade-insecure-requests": "1",
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "sec-fetch-site": site,
    "sec-fetch-mode": "navigate",
    "sec-fetch-user": "?1",
    "sec-fetch-dest": "document",
    ...cookie !== undefined && { cookie },
    ...body !== undefined && {
      "origin": from?.origin ?? "null",
      "content-type": "application/x-www-form-urlencoded",
      "content-length": String(body.length),
    },
  };
  const answer = await send(url.host, {
    port: Number(url.port || port),
    method,
    path: url.pathname + url.search,
    headers: fields,
    body,
  });
  jar.store(url, answer.headers.getSetCookie());
  return {
    method,
    url: url.href,
    sent: new Headers(fields),
    status: answer.status,
    headers: answer.headers,
    body: answer.body,
  };
}

/** The request that a redirect (RFC 9110 section 15.4) leads to; undefined if the response is not one. */
function redirected(
  { url: before, method, body, from, site }: Navigation,
  { status, headers }: Hop,
): Navigation | undefined {
  const location = headers.get("location");
  if (status < 300 || status > 399 || location === null) return undefined;
  const url = new URL(location, before);
  return {
    ...status === 307 || status === 308 ? { method, body } : { method: "GET" },
    url,
    from,
    site: from === undefined || site === "none"
      ? "none"
      : farther(site, fetchSite(from, url)),
  };
}

function fetchSite(from: URL, to: URL): FetchSite {
  if (from.origin === to.origin) return "same-origin";
  return siteOf(from) === siteOf(to) ? "same-site" : "cross-site";
}

const DISTANCE = ["same-origin", "same-site", "cross-site"] as const;

// A request that has left the site once stays cross-site, even if it comes back.
function farther(a: FetchSite, b: FetchSite): FetchSite {
  return DISTANCE.indexOf(a) > DISTANCE.indexOf(b) ? a : b;
}
