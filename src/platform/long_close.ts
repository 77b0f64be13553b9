/**
 * Deno 2.9.6 accepts a Close of more than 125 bytes, which no control frame may have (RFC 6455 section 5.5), and
 * reports it as a clean close: denoland/fastwebsockets#142.
 *
 * Instead, the length is checked again, so that such a Close counts as a violation and is never passed on.
 */

/** The longest reason of a Close: a control frame has room for 125 bytes, of which the code takes two. */
const MAX_REASON_BYTES = 123;

const encoder = new TextEncoder();

/** True if a Close frame has room for the reason of a close event. */
export function fitsCloseFrame(reason: string): boolean {
  return encoder.encode(reason).length <= MAX_REASON_BYTES;
}
