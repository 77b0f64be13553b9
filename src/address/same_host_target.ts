/** Where a page of ours on a preview host may send its visitor: to that very host, whatever the request says. */

/** Origin form of visible ASCII: a browser drops tabs and line breaks before it reads a URL. */
const TARGET = /^\/[\x21-\x7e]*$/;

/**
 * The path, query and fragment of `text` if it is a path, or a URL of exactly `origin` (lower case); undefined
 * otherwise. It may begin with `//`, so a Location needs the origin in front of it.
 */
export function sameHostTarget(
  text: string,
  origin: string,
): string | undefined {
  const isAbsolute = text.slice(0, origin.length).toLowerCase() === origin;
  const target = isAbsolute ? text.slice(origin.length) : text;
  if (!TARGET.test(target)) return undefined;
  // On its own this names another host (WHATWG URL, relative slash state).
  const namesHost = /^\/[/\\]/.test(target);
  return isAbsolute || !namesHost ? target : undefined;
}
