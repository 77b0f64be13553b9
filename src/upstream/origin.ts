import type { Origin } from "./types.ts";

/**
 * The origin of an absolute http or https URL (RFC 9110 section 4.3.1); path and query play no part. Throws
 * `TypeError` where it is no such URL, or has user information.
 */
export function parseOrigin(url: string): Origin {
  const { protocol, hostname, port, username, password } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") {
    throw new TypeError(
      `Cannot use '${protocol}' as an upstream's scheme: it must be http or https`,
    );
  }
  if (username !== "" || password !== "") {
    throw new TypeError("Cannot use an upstream URL with user information");
  }
  const tls = protocol === "https:";
  const number = port === "" ? (tls ? 443 : 80) : Number(port);
  return {
    tls,
    hostname: hostname.replace(/^\[|\]$/g, ""),
    port: number,
    key: `${protocol}//${hostname}:${number}`,
  };
}
