/**
 * The request-target sent to a runner: the app's own, byte for byte, below the sandbox's prefix. The one exception is dot
 * segments (RFC 3986 section 3.3), however they are spelled: they could reach the rest of the runner's API.
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
 * @example `removeDotSegments("/a/%2e%2e/b//c")` is `"/b//c"`, and `removeDotSegments("/a/..%2fb")` undefined
 */
export function removeDotSegments(path: string): string | undefined {
  if (!DOT_SEGMENT.test(path)) return path;
  const segments = path.slice(1).split("/");
  const kept: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const isUp = TWO_DOTS.test(segment);
    if (isUp) kept.pop();
    if (!isUp && !ONE_DOT.test(segment)) kept.push(segment);
    else if (index === segments.length - 1) kept.push("");
  }
  const resolved = `/${kept.join("/")}`;
  return DOT_SEGMENT.test(resolved) ? undefined : resolved;
}

/** The path under which a runner proxies a sandbox's toolbox; throws a TypeError if `sandboxId` is none. */
export function toolboxPrefix(sandboxId: string): string {
  if (!isSandboxRef(sandboxId)) throw new TypeError("Not a sandbox id");
  return `/sandboxes/${sandboxId}/toolbox`;
}

/** The path under which a runner proxies a port of the sandbox whose toolbox has the prefix `toolbox`. */
export function portPrefix(toolbox: string, port: number): string {
  return `${toolbox}/proxy/${port}`;
}

/** The request-target for `target` (origin form) below `prefix`; undefined if it cannot be confined to that. */
export function appTarget(prefix: string, target: string): string | undefined {
  const { path, query } = splitQuery(target);
  const confined = removeDotSegments(path);
  return confined === undefined ? undefined : prefix + confined + query;
}
