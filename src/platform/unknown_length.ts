/**
 * Deno 2.9.6: to a HEAD that is answered with a null body, `Deno.serve` adds `Content-Length: 0`, as if a GET had an
 * empty body (RFC 9110 section 9.3.2). A Content-Length of the handler's own is kept since denoland/deno#35728, but
 * there is no way to send none.
 *
 * Instead, the response gets a body that is a stream without content: its length is unknown to Deno.
 */

export const UNKNOWN_LENGTH = {
  read: (): Promise<null> => Promise.resolve(null),
  cancel(): void {},
};
