/** How many logins a browser keeps, since the cookie of each is sent with every request to its hosts, and how others end. */
import { cookiesByName } from "../http/cookies.ts";
import { MAX_SESSION_COOKIES } from "./credentials.ts";
import type { LoginSessions } from "./login_sessions.ts";
import type { Session, SessionSealer } from "./session.ts";

/** Most login cookies of one browser: each is some 490 bytes, and servers in front often take 8 KB in one header. */
const MAX_LOGIN_COOKIES = 12;

/** Most names that are looked at, from the end of the header; browsers keep some 180 cookies per site. */
const MAX_NAMES = 200;

/** Which cookies hold a browser's logins. */
interface LoginCookies {
  /** Of their names. */
  readonly prefix: string;
  readonly sessions: Pick<SessionSealer, "open">;
}

interface SurplusLogin {
  readonly name: string;
  /** The sessions under that name that we sealed; more than one, or none, if others have planted cookies. */
  readonly opened: readonly Session[];
}

/** The sealed logins in the cookies whose names begin with `prefix`: of each name, the latest. */
export function sealedLogins(cookieHeader: string, prefix: string): string[] {
  return [...cookiesByName(cookieHeader, prefix).values()]
    .flatMap((values) => values.slice(-MAX_SESSION_COOKIES));
}

/**
 * Ends a browser's logins; false if one could not be ended. One that goes on must keep its cookie: a logout ends what it
 * is shown.
 */
export async function endLogins(
  opened: readonly (Session | undefined)[],
  logins: Pick<LoginSessions, "end">,
): Promise<boolean> {
  const ends = opened.map((session) =>
    session?.kind === "user" || session?.kind === "login"
      ? logins.end(session)
      : undefined
  );
  return await Promise.all(ends).then(() => true, () => false);
}

/**
 * Ends the logins that make room for the one called `added`, those of {@linkcode surplusLogins}. Resolves to the names of
 * the cookies that are to expire.
 */
export async function endSurplus(
  cookieHeader: string,
  added: string,
  options: LoginCookies & { readonly logins: Pick<LoginSessions, "end"> },
): Promise<string[]> {
  const names: string[] = [];
  const surplus = await surplusLogins(cookieHeader, added, options);
  for (const { name, opened } of surplus) {
    if (await endLogins(opened, options.logins)) names.push(name);
  }
  return names;
}

/**
 * The logins, whose cookies' names begin with `prefix`, that have to make room for the one called `added`: those whose
 * sessions end first, which are the oldest, or of the least use. Cookies that hold no session of ours go before any other.
 */
async function surplusLogins(
  cookieHeader: string,
  added: string,
  { prefix, sessions }: LoginCookies,
): Promise<SurplusLogin[]> {
  const presented = cookiesByName(cookieHeader, prefix);
  presented.delete(added);
  const others = [...presented].slice(-MAX_NAMES);
  if (others.length < MAX_LOGIN_COOKIES) return [];
  const logins = await Promise.all(others.map(async ([name, values]) => {
    const latest = values.slice(-MAX_SESSION_COOKIES);
    const opened = await Promise.all(latest.map((text) => sessions.open(text)));
    return { name, opened: opened.filter((one) => one !== undefined) };
  }));
  // A stable sort: of those that end together, browsers have sent the older one first (RFC 6265bis section 5.8.3).
  return logins.sort((a, b) => endOf(a) - endOf(b))
    .slice(0, 1 - MAX_LOGIN_COOKIES);
}

/** The end of the session that ends last, ms since the epoch; 0 if there is none. */
function endOf({ opened }: SurplusLogin): number {
  return Math.max(0, ...opened.map(({ expiresAt }) => expiresAt));
}
