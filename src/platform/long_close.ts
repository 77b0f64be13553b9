/**
 * Deno 2.9.6 accepts a Close of more than 125 bytes, which no control frame may have (RFC 6455 section 5.5), and
 * reports it as a clean close: denoland/fastwebsockets#142.
 *
 * Instead, the length is checked again, so that such a Close counts as a violation and is never passed on.
 */

/** The longest payload of a control frame, bytes. */
const CONTROL_PAYLOAD_BYTES = 125;

/** The close code at the start of the payload, bytes (RFC 6455 section 5.5.1). */
const CLOSE_CODE_BYTES = 2;

const encoder = new TextEncoder();

/** True if a Close frame has room for the reason of a close event. */
export function fitsCloseFrame(reason: string): boolean {
  return CLOSE_CODE_BYTES + encoder.encode(reason).length <=
    CONTROL_PAYLOAD_BYTES;
}
