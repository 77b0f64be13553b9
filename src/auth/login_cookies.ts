/** How many login cookies a browser keeps: each one is sent with every request for every preview. */
import { cookiesByName } from "./cookies.ts";
import { MAX_SESSION_COOKIES } from "./credentials.ts";
import type { OwnCookies } from "./own_cookies.ts";
import type { SessionSealer } from "./session.ts";

/**
 * Most login cookies of one browser. Each is about 490 bytes, and servers in front often take no more than 8 KB in one
 * header.
 */
const MAX_LOGIN_COOKIES = 12;

/** Most names that are looked at, from the end of the header; browsers keep some 180 cookies per site. */
const MAX_NAMES = 200;

/**
 * The names of the login cookies that have to make room for the one called `added`: those whose sessions end first. All
 * sessions last equally long unless their tokens do not, so these are the oldest, or of the least use. Cookies that hold
 * no session of ours go before any other.
 */
export async function surplusLoginCookies(
  cookieHeader: string,
  added: string,
  { cookies, sessions }: {
    readonly cookies: Pick<OwnCookies, "loginSessionPrefix">;
    readonly sessions: Pick<SessionSealer, "open">;
  },
): Promise<string[]> {
  const presented = cookiesByName(cookieHeader, cookies.loginSessionPrefix);
  presented.delete(added);
  const others = [...presented].slice(-MAX_NAMES);
  if (others.length < MAX_LOGIN_COOKIES) return [];
  const ends = await Promise.all(
    others.map(async ([name, values]) => ({
      name,
      endsAt: await endOf(values.slice(-MAX_SESSION_COOKIES), sessions),
    })),
  );
  // A stable sort: of those that end together, browsers have sent the older one first (RFC 6265bis section 5.8.3).
  ends.sort((a, b) => a.endsAt - b.endsAt);
  return ends.slice(0, 1 - MAX_LOGIN_COOKIES).map(({ name }) => name);
}

/** The end of the session that ends last, ms since the epoch; 0 if none opens. */
async function endOf(
  sealed: readonly string[],
  sessions: Pick<SessionSealer, "open">,
): Promise<number> {
  const opened = await Promise.all(sealed.map((text) => sessions.open(text)));
  return Math.max(0, ...opened.map((session) => session?.expiresAt ?? 0));
}
