/** Where the gateway's own pages on a preview host may redirect: only to that host, whatever the request says. */

/** Visible ASCII in origin form: a browser strips tabs and line breaks before it parses a URL. */
const TARGET = /^\/[\x21-\x7e]*$/;

/**
 * The path, query and fragment of `text` if it is a path or a URL with exactly this `origin` (in lower case); undefined
 * otherwise. The result may start with `//`, so a Location field must prefix it with the origin.
 */
export function sameHostTarget(
  text: string,
  origin: string,
): string | undefined {
  const isAbsolute = text.slice(0, origin.length).toLowerCase() === origin;
  const target = isAbsolute ? text.slice(origin.length) : text;
  if (!TARGET.test(target)) return undefined;
  // A relative reference that starts like this names another host (WHATWG URL, relative slash state).
  const namesHost = /^\/[/\\]/.test(target);
  return isAbsolute || !namesHost ? target : undefined;
}
