/** An upstream's origin: where its requests are sent (RFC 9110 section 4.3.1). */
export interface Origin {
  readonly tls: boolean;
  /** A name or an IP address; IPv6 addresses without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** `scheme://host:port`, always with the port: equal for equal origins. */
  readonly key: string;
}

/** `https` origins, whose names a Content-Security-Policy can have; over `http` those of this machine, at a port. */
const ANCESTOR =
  /^(?:https:\/\/(?:[a-z0-9-]+\.)*[a-z0-9-]+(?::[1-9][0-9]*)?|http:\/\/(?:[a-z0-9-]+\.)*localhost:[1-9][0-9]*)$/;

/** True for the serialization of an origin that `frame-ancestors` can name, and no other by it (CSP3 section 2.3.1). */
export function isAncestor(text: string): boolean {
  return ANCESTOR.test(text) && URL.parse(text)?.origin === text;
}

/** The origin of an http or https URL, without its path and query; throws a TypeError for any other, or userinfo. */
export function parseOrigin(url: string): Origin {
  const { protocol, hostname, port, username, password } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") {
    throw new TypeError(
      `Cannot use '${protocol}' as an upstream's scheme: must be http or https`,
    );
  }
  if (username !== "" || password !== "") {
    throw new TypeError("Cannot use an upstream URL with userinfo");
  }
  const tls = protocol === "https:";
  const portNumber = port === "" ? (tls ? 443 : 80) : Number(port);
  return {
    tls,
    hostname: hostname.replace(/^\[|\]$/g, ""),
    port: portNumber,
    key: `${protocol}//${hostname}:${portNumber}`,
  };
}
