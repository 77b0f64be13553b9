/** Takes the preview token out of a request-target: the `DAYTONA_SANDBOX_AUTH_KEY` query parameter. */
import { splitQuery } from "../address/request_url.ts";

const PARAMETER = "DAYTONA_SANDBOX_AUTH_KEY";

/** A request-target, and the preview token that was removed from it. */
export interface PreviewTokenSplit {
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
export function splitPreviewToken(target: string): PreviewTokenSplit {
  const { path, query } = splitQuery(target);
  const pairs = query.slice(1).split("&");
  let token: string | undefined;
  const kept = pairs.filter((pair) => {
    const equals = pair.indexOf("=");
    if (!isParameter(equals < 0 ? pair : pair.slice(0, equals))) return true;
    token ??= equals < 0 ? "" : decode(pair.slice(equals + 1));
    return false;
  });
  if (kept.length === pairs.length) return { target, token: undefined };
  return {
    target: kept.length === 0 ? path : `${path}?${kept.join("&")}`,
    token,
  };
}

/** True if `name` decodes to the parameter's name; percent-encoding makes a name at most three times as long. */
function isParameter(name: string): boolean {
  if (name === PARAMETER) return true;
  return name.length > PARAMETER.length &&
    name.length <= 3 * PARAMETER.length &&
    /^(?:[A-Z_]|%[0-9A-F]{2})+$/i.test(name) && decode(name) === PARAMETER;
}

/** Form-decodes a text; one with malformed percent-encoding stays as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}
