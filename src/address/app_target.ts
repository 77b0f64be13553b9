/**
 * The request-target that a runner gets. The app's own target is appended to the sandbox's prefix as text, so every
 * byte of it survives; the one thing that must not survive is a dot segment (RFC 3986 section 3.3), however it is
 * spelled: behind the prefix lies the runner's whole API.
 */

/** A run of path that is or may become a dot segment at some hop: dots plain or encoded, between any separators. */
const DOT_SEGMENT = /(?:[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:[/\\#]|%2f|%5c|$)/i;

const ONE_DOT = /^(?:\.|%2e)$/i;
const TWO_DOTS = /^(?:\.|%2e){2}$/i;

/**
 * Removes the dot segments of a path the way a browser does (WHATWG URL, path state), keeping all other bytes;
 * undefined where dots touch a separator that only some hops see (`\`, `%2F`, `%5C`, `#`).
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

const SANDBOX_ID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The runner's request-target for `target` (origin form) on a port of a sandbox, or undefined where the target's
 * path cannot be kept inside the sandbox.
 *
 * @throws {TypeError} If `sandboxId` is not one: it comes from the API and is trusted to have been checked.
 */
export function portTarget(
  sandboxId: string,
  port: number,
  target: string,
): string | undefined {
  return below(`${toolboxOf(sandboxId)}/proxy/${port}`, target);
}

/**
 * The same for the sandbox's toolbox: its daemon, which the paths of ports lead through as well.
 *
 * @throws {TypeError} If `sandboxId` is not one.
 */
export function toolboxTarget(
  sandboxId: string,
  target: string,
): string | undefined {
  return below(toolboxOf(sandboxId), target);
}

function toolboxOf(sandboxId: string): string {
  if (!SANDBOX_ID.test(sandboxId)) throw new TypeError("Not a sandbox id");
  return `/sandboxes/${sandboxId}/toolbox`;
}

function below(prefix: string, target: string): string | undefined {
  const queryAt = target.indexOf("?");
  const path = removeDotSegments(
    queryAt < 0 ? target : target.slice(0, queryAt),
  );
  if (path === undefined) return undefined;
  return prefix + path + (queryAt < 0 ? "" : target.slice(queryAt));
}
