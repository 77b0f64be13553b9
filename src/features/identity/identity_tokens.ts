/** The JWTs that tell apps who their visitors are (RFC 7519): short-lived, for one port of one sandbox. */
import { SignJWT } from "jose";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { digestKey, joinParts } from "../../lib/digest.ts";
import { ExpiringLru } from "../../lib/lru.ts";
import { SecretHashes } from "../../lib/secret_hashes.ts";
import { ALGORITHM, type IdentityKeys } from "./identity_keys.ts";
import type { Visitor } from "./visitor.ts";

/** The life of a token, seconds. */
const LIFE_SEC = 60;

/** How long one is sent again, ms: a page's requests cost one signature, and an app has half of its life left. */
const REUSED_MS = 30_000;

/** Whom a token is for, in its own words: the base URL, the sandbox, and the port. */
type Addressed = Readonly<{ iss: string; aud: string; port: number }>;

/** Creates what returns the token of a visitor for an app, and throws as {@linkcode IdentityKeys.signing} does. */
export function createTokens(
  keys: Pick<IdentityKeys, "signing">,
  { config, now }: Pick<FeatureParts, "config" | "now">,
): (app: Addressed, visitor: Visitor) => Promise<string> {
  const { session: { secrets }, cache: { maxEntries: max } } = config;
  /** By these, a visitor is called something else at each sandbox. */
  const hashes = new SecretHashes(secrets, "identity-subject");
  const life = { max, ttlMs: REUSED_MS, now };
  const signed = new ExpiringLru<string, Promise<string>>(life);

  async function sign(app: Addressed, { via, who, claims }: Visitor) {
    const { kid, key } = await keys.signing();
    const name = new TextEncoder().encode(joinParts([app.aud, ...who]));
    const sub = hashes.of(name);
    const iat = Math.floor(now() / 1000);
    const own = { sub, via, iat, exp: iat + LIFE_SEC };
    return await new SignJWT({ ...claims, ...app, ...own })
      .setProtectedHeader({ alg: ALGORITHM, kid, typ: "JWT" }).sign(key);
  }

  return (app, visitor) => {
    const { who, ...told } = visitor;
    const name = digestKey([JSON.stringify([app, told]), ...who]);
    const before = signed.get(name);
    if (before !== undefined) return before;
    const token = sign(app, visitor);
    signed.set(name, token);
    token.catch(() => signed.delete(name));
    return token;
  };
}
