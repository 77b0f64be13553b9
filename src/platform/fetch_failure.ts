/**
 * Deno 2.9.6 writes the whole URL into the cause of a failed `fetch()`, with whatever tokens it contains. No upstream
 * issue is known.
 *
 * Instead, URLs are taken out before anything of it is logged.
 */

/** Why a `fetch()` failed, without any URL. */
export function fetchFailure(error: unknown): string {
  const { cause = error } = error instanceof Error ? error : {};
  return String(cause).replaceAll(/\(?https?:\/\/\S+/gi, "(url)");
}
