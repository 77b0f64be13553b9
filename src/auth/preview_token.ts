/** Takes the preview token out of a request-target: the `DAYTONA_SANDBOX_AUTH_KEY` query parameter. */
import { splitParameter } from "../http/query_parameter.ts";

/** A request-target, and the preview token that was removed from it. */
interface PreviewTokenSplit {
  /** The target without the parameter, byte for byte otherwise. */
  readonly target: string;
  /** The value of the first such parameter, decoded; undefined if there is none. */
  readonly token: string | undefined;
}

/**
 * Removes every `DAYTONA_SANDBOX_AUTH_KEY` pair, percent-encoded names included, from a target's query.
 *
 * @example
 * ```ts
 * splitPreviewToken("/a?b=%20&DAYTONA_SANDBOX_AUTH_KEY=t%2B1&c");
 * // { target: "/a?b=%20&c", token: "t+1" }
 * ```
 */
export function splitPreviewToken(given: string): PreviewTokenSplit {
  const { target, value } = splitParameter(given, "DAYTONA_SANDBOX_AUTH_KEY");
  return { target, token: value };
}
