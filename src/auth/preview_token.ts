/** Takes the preview token out of a request-target: the `DAYTONA_SANDBOX_AUTH_KEY` query parameter. */
import { splitParameter } from "../http/query_parameter.ts";

/**
 * Removes every `DAYTONA_SANDBOX_AUTH_KEY` pair, percent-encoded names included, from a target's query, and keeps all
 * other bytes. The token is the first such value, decoded.
 * @example Of `/a?b=%20&DAYTONA_SANDBOX_AUTH_KEY=t%2B1&c`, the target is `/a?b=%20&c`, and the token `t+1`
 */
export function splitPreviewToken(
  given: string,
): { target: string; token: string | undefined } {
  const { target, value } = splitParameter(given, "DAYTONA_SANDBOX_AUTH_KEY");
  return { target, token: value };
}
