/**
 * Deno 2.9.6 writes the whole URL into the cause of a failed `fetch()`, with whatever tokens it contains. No upstream
 * issue is known. To reproduce:
 *
 *     await fetch("http://127.0.0.1:9/?token=secret").catch(({ cause }) => console.log(cause.message));
 *     // error sending request for url (http://127.0.0.1:9/?token=secret): client error (Connect): …
 *
 * Instead, URLs are taken out before anything of it is logged.
 */

/** Why a `fetch()` failed, without any URL. */
export function fetchFailure(error: unknown): string {
  const { cause = error } = error instanceof Error ? error : {};
  return String(cause).replaceAll(/\(?https?:\/\/\S+/gi, "(url)");
}
