const encoder = new TextEncoder();

/** Whether a message of a WebSocket has more bytes than that, which are those of UTF-8 for a text. */
export function isLonger(
  data: string | ArrayBuffer,
  maxBytes: number,
): boolean {
  if (typeof data !== "string") return data.byteLength > maxBytes;
  // A code unit of UTF-16 takes one to three bytes of UTF-8.
  return data.length > maxBytes ||
    (3 * data.length > maxBytes && encoder.encode(data).length > maxBytes);
}
