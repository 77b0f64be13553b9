/** The commits that a change is measured by: they do not move, where "within 3 % of the one before" adds up. */

/** The last commit before the source's new order, to which "public" and "private" are held. */
export const ANCHOR = "7197136";

/**
 * The commit whose stored run has the best rate of a row, beside the rate of the fetch proxy in the same run, of Caddy by
 * TLS, or of the bare relay: the machines of these runs differ.
 */
export const ANCHORS: Readonly<Record<string, string>> = {
  "public": ANCHOR, // 1.53 of the fetch proxy
  "private": ANCHOR,
  "body-4k": ANCHOR, // 1.46
  "body-16k": "234bb18b", // 1.23
  "body-64k": "fd2ebb70", // 1.10
  "body-256k": "fd2ebb70", // 1.05
  "body-1m": "cd8aa570", // 1.10
  "chunked-64k": "bca26cc4", // 1.24
  "chunked-1m": "bca26cc4", // 0.91
  "upload-64k": "fd2ebb70", // 1.19
  "upload-1m": "8d6dc427", // 0.97
  "upload-chunked-64k": "bca26cc4", // 1.07
  "upload-chunked-1m": "8d6dc427", // 1.06
  "tls-http1": ANCHOR, // 0.93 of Caddy
  "tls-http1-64k": "bca26cc4", // 0.80
  "tls-http2": "234bb18b", // 1.43
  "tls-http2-64k": "fd2ebb70", // 1.23
  "echo-128": "cd8aa570", // 0.91 of the bare relay
  "echo-64k": "234bb18b", // 1.86
};

/** The commit to compare a row with: "anchor" stands for that of the row. */
export function commitFor(row: string, against: string): string {
  return against === "anchor" ? ANCHORS[row] ?? ANCHOR : against;
}
