/**
 * The request-target sent to a runner. The app's own target is appended to the sandbox's prefix as text, so that every
 * byte of it survives. The one exception is dot segments (RFC 3986 section 3.3), however they are spelled: one that
 * climbs out of the prefix reaches the rest of the runner's API.
 */
import { splitQuery } from "../http/request_url.ts";
import { isSandboxRef } from "./grammar.ts";

/** A dot segment, or one that may become that at some hop: plain or encoded dots between separators of any kind. */
const DOT_SEGMENT = /(?:[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:[/\\#]|%2f|%5c|$)/i;

const ONE_DOT = /^(?:\.|%2e)$/i;
const TWO_DOTS = /^(?:\.|%2e){2}$/i;

/**
 * Removes the dot segments of a path as a browser does (WHATWG URL, path state) and keeps all other bytes; undefined if
 * dots adjoin something that only some hops take for a separator (`\`, `%2F`, `%5C`, `#`).
 *
 * @example
 * ```ts
 * removeDotSegments("/a/%2e%2e/b//c"); // "/b//c"
 * removeDotSegments("/a/..%2fb"); // undefined
 * ```
 */
export function removeDotSegments(path: string): string | undefined {
  if (!DOT_SEGMENT.test(path)) return path;
  const segments = path.slice(1).split("/");
  const kept: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (TWO_DOTS.test(segment)) {
      kept.pop();
      if (isLast) kept.push("");
    } else if (ONE_DOT.test(segment)) {
      if (isLast) kept.push("");
    } else {
      kept.push(segment);
    }
  }
  const resolved = `/${kept.join("/")}`;
  return DOT_SEGMENT.test(resolved) ? undefined : resolved;
}

/**
 * The path under which a runner proxies a sandbox's toolbox, the daemon that also proxies its ports.
 *
 * @throws {TypeError} if `sandboxId` is not a sandbox id: it comes from the API and should have been validated there
 */
export function toolboxPrefix(sandboxId: string): string {
  if (!isSandboxRef(sandboxId)) throw new TypeError("Not a sandbox id");
  return `/sandboxes/${sandboxId}/toolbox`;
}

/**
 * The path under which a runner proxies a port of the sandbox whose toolbox has the prefix `toolbox`.
 *
 * @example
 * ```ts
 * portPrefix(toolboxPrefix("box"), 3000); // "/sandboxes/box/toolbox/proxy/3000"
 * ```
 */
export function portPrefix(toolbox: string, port: number): string {
  return `${toolbox}/proxy/${port}`;
}

/**
 * The request-target that leads to `target` (origin form) below `prefix`; undefined if its path cannot be confined to
 * the prefix.
 *
 * @example
 * ```ts
 * appTarget("/p", "/a/../b?q=%zz"); // "/p/b?q=%zz"
 * appTarget("/p", "/..%2f"); // undefined
 * ```
 */
export function appTarget(prefix: string, target: string): string | undefined {
  const { path, query } = splitQuery(target);
  const confined = removeDotSegments(path);
  return confined === undefined ? undefined : prefix + confined + query;
}
