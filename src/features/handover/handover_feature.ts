/**
 * Hands sessions over to one host at a time: to every preview host with `SESSION_SCOPE=host`, where logins are for users,
 * and otherwise to names, at which what is for the base domain does not count.
 */
import { TRANSACTION_TTL_MS } from "../../auth/oidc/transaction.ts";
import { UsedCodes } from "../../auth/used_codes.ts";
import { sandboxLogins } from "../../control/browser_sessions.ts";
import type {
  FeatureModule,
  FeatureParts,
} from "../../gateway/feature_module.ts";
import type { PreviewExchange } from "../../gateway/preview_route.ts";
import { cookieValues } from "../../http/cookies.ts";
import { wantsDocument } from "../../http/fetch_metadata.ts";
import { redirect } from "../../pages/redirect.ts";
import { CODE_PARAMETER, Handover } from "./login_code.ts";
import { userLogins } from "./user_logins.ts";

/** Hands logins over from the base host to the hosts that have sessions of their own. */
export const handover: FeatureModule = {
  name: "handover",
  before: {
    warning:
      "its page would come between a login and its session: the code is good once, for a while",
  },
  create(parts) {
    const { config, cookies, lookups: { store, cache }, now } = parts;
    const isForHosts = config.session.scope === "host";
    const usedCodes = new UsedCodes(store, {
      kind: "login-code",
      maxEntries: cache.maxEntries,
    });
    const sealer = parts.sealerFor("login-code");
    const codes = new Handover({ sealer, usedCodes, now });
    const keepSessions = isForHosts ? userLogins : sandboxLogins;
    const hasOwn = ({ route }: PreviewExchange) =>
      isForHosts || route.name !== undefined;
    return {
      answer: {
        ownParameter: CODE_PARAMETER,
        arrived: (x) =>
          isArrival(x) && hasOwn(x) ? sessionFrom(x, codes, parts) : undefined,
      },
      control: {
        browserSessions: keepSessions({ ...parts, handover: codes }),
        departure(x, loginUrl) {
          if (!hasOwn(x)) return undefined;
          const presented = verifiersOf(x, cookies);
          const { verifier, challenge } = codes.request(presented);
          const cookie = cookies.onHost("handover");
          const maxAgeSec = TRANSACTION_TTL_MS / 1000;
          return {
            location: `${loginUrl}&challenge=${challenge}`,
            setCookie: cookies.hostOnly(cookie, verifier, maxAgeSec),
          };
        },
      },
    };
  },
};

/** True if a browser comes with a code. From anything else that has one, it is taken away, and of no effect. */
function isArrival({ received, route }: PreviewExchange): boolean {
  const { method, headers } = received;
  return route.ownParameters.has(CODE_PARAMETER) && method === "GET" &&
    wantsDocument(headers);
}

/**
 * The redirect to the same address without the code. It sets the session if the code is good: otherwise the browser
 * is sent to log in again, unless it has a session already.
 * @throws {GatewayError} `session_unavailable`
 */
async function sessionFrom(
  x: PreviewExchange,
  codes: Handover,
  { scheme, cookies, sessions, now }: FeatureParts,
): Promise<Response> {
  // Absolute: a target of `//elsewhere/` must stay a path of this host.
  const location = `${scheme}://${x.received.authority}${x.received.target}`;
  const code = x.route.ownParameters.get(CODE_PARAMETER) ?? "";
  const session = await codes.redeem(
    code,
    x.route.host,
    verifiersOf(x, cookies),
  );
  if (session === undefined) return redirect(303, location);
  const maxAgeSec = Math.floor((session.expiresAt - now()) / 1000);
  const sealed = await sessions.seal(session);
  return redirect(303, location, [
    cookies.hostOnly(cookies.hostSession, sealed, maxAgeSec),
  ]);
}

function verifiersOf(
  { received: { headers } }: PreviewExchange,
  cookies: FeatureParts["cookies"],
): string[] {
  return cookieValues(headers.get("cookie") ?? "", cookies.onHost("handover"));
}
