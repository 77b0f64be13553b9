/** Takes out of a request-target what opens a sandbox: query parameters, each in every spelling. */
import { splitParameter } from "../http/query_parameter.ts";

/**
 * Removes every `DAYTONA_SANDBOX_AUTH_KEY` pair, percent-encoded names included, from a target's query, and keeps all
 * other bytes. The token is the first such value, decoded.
 */
export function splitPreviewToken(
  given: string,
): { target: string; token: string | undefined } {
  const { target, value } = splitParameter(given, "DAYTONA_SANDBOX_AUTH_KEY");
  return { target, token: value };
}

/** The query parameter with a grant's secret. */
export const GRANT_PARAMETER = "porthole_token";

/** What a target's query says of a grant. */
export interface GrantSplit {
  /** The target without that, byte for byte otherwise. */
  readonly target: string;
  /** `porthole_token`, decoded. */
  readonly secret: string | undefined;
  /** `porthole_cookie`: how a browser is to keep the session that stands for it. */
  readonly cookie: string | undefined;
}

/** How either of its parameters begins: few targets have one, and all are searched. */
const MAY_HOLD_GRANT = /[?&](?:p|%70)(?:o|%6f)/i;

/** Removes every `porthole_token` and `porthole_cookie` pair from a target's query. */
export function splitGrant(given: string): GrantSplit {
  if (!MAY_HOLD_GRANT.test(given)) {
    return { target: given, secret: undefined, cookie: undefined };
  }
  const { target, value: secret } = splitParameter(given, GRANT_PARAMETER);
  const rest = splitParameter(target, "porthole_cookie");
  return { target: rest.target, secret, cookie: rest.value };
}

/** A URL without any of these parameters. */
export function withoutTokens(url: string): string {
  return splitGrant(splitPreviewToken(url).target).target;
}
