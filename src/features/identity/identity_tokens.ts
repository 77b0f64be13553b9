/** The JWTs that tell apps who their visitors are (RFC 7519): short-lived, for one port of one sandbox. */
import { SignJWT } from "jose";
import { createHmac } from "node:crypto";
import { digestKey, joinParts } from "../../lib/digest.ts";
import { ExpiringLru } from "../../lib/lru.ts";
import { ALGORITHM, type IdentityKeys } from "./identity_keys.ts";
import type { Visitor } from "./visitor.ts";

/** The life of a token, seconds. */
const LIFE_SEC = 60;

/** How long one is sent again, ms: a page's requests cost one signature, and an app has half of its life left. */
const REUSED_MS = 30_000;

/** Most that are kept for that: each has some hundred octets. */
const MAX_KEPT = 1000;

/** Whom a token is for, in its own words: the base URL, the sandbox, and the port. */
type Addressed = Readonly<{ iss: string; aud: string; port: number }>;

/** Creates what returns the token of a visitor for an app, and throws as {@linkcode IdentityKeys.signing} does. */
export function createTokens(
  keys: Pick<IdentityKeys, "signing">,
  now: () => number,
): (app: Addressed, visitor: Visitor) => Promise<string> {
  const life = { max: MAX_KEPT, ttlMs: REUSED_MS, now };
  const signed = new ExpiringLru<string, Promise<string>>(life);

  async function sign(app: Addressed, visitor: Visitor): Promise<string> {
    const { via, who, claims } = visitor;
    const { kid, key, salt } = await keys.signing();
    // By the salt, a visitor is called something else at each sandbox.
    const sub = createHmac("sha256", salt).update(joinParts([app.aud, ...who]))
      .digest("base64url");
    const iat = Math.floor(now() / 1000);
    const exp = iat + LIFE_SEC;
    return await new SignJWT({ ...claims, ...app, sub, via, iat, exp })
      .setProtectedHeader({ alg: ALGORITHM, kid, typ: "JWT" }).sign(key);
  }

  return (app, visitor) => {
    const { via, who, claims } = visitor;
    const name = digestKey([JSON.stringify([app, via, claims]), ...who]);
    const before = signed.get(name);
    if (before !== undefined) return before;
    const token = sign(app, visitor);
    signed.set(name, token);
    token.catch(() => signed.delete(name));
    return token;
  };
}
