/** The gateway's own cookies, for tests. */
import { OwnCookies } from "../../src/auth/own_cookies.ts";

type Settings = ConstructorParameters<typeof OwnCookies>[0];

/** Those of a gateway at https whose logins are for sandboxes, with these differences. */
export function ownCookies(differences: Partial<Settings> = {}): OwnCookies {
  return new OwnCookies({
    scheme: "https",
    sameSite: "lax",
    scope: "sandbox",
    ...differences,
  });
}
