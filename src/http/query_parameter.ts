import { splitQuery } from "./request_url.ts";

/**
 * Removes every pair with that name, of letters and underscores, from a target's query, even if percent-encoded, and keeps
 * all other bytes. The value is that of the first such pair, decoded; undefined if there is none.
 */
export function splitParameter(
  target: string,
  name: string,
): { readonly target: string; readonly value: string | undefined } {
  const { path, query } = splitQuery(target);
  // Most targets have no such name, plain or encoded.
  if (!query.includes(name) && !query.includes("%")) {
    return { target, value: undefined };
  }
  const pairs = query.slice(1).split("&");
  let value: string | undefined;
  const kept = pairs.filter((pair) => {
    const equals = pair.indexOf("=");
    const given = equals < 0 ? pair : pair.slice(0, equals);
    if (!isSpelling(given, name)) return true;
    const text = equals < 0 ? "" : pair.slice(equals + 1);
    value ??= formDecoded(text) ?? text;
    return false;
  });
  if (kept.length === pairs.length) return { target, value: undefined };
  return {
    target: kept.length === 0 ? path : `${path}?${kept.join("&")}`,
    value,
  };
}

/** Adds a parameter, which needs no encoding, to a URL without a fragment; {@linkcode splitParameter} undoes that. */
export function withParameter(
  url: string,
  name: string,
  value: string,
): string {
  return `${url}${url.includes("?") ? "&" : "?"}${name}=${value}`;
}

/** True if `given` is that name, of letters and underscores, each plain or percent-encoded. */
function isSpelling(given: string, name: string): boolean {
  let at = 0;
  for (const letter of name) {
    if (given[at] === letter) at++;
    else if (isEncoded(letter, given, at)) at += 3;
    else return false;
  }
  return at === given.length;
}

function isEncoded(letter: string, text: string, at: number): boolean {
  return text[at] === "%" &&
    parseInt(text.slice(at + 1, at + 3), 16) === letter.charCodeAt(0);
}

/** Form-decodes a text; undefined if its percent-encoding is malformed. */
export function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
