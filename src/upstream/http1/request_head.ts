import { byName } from "../../lib/by_name.ts";
import type { UpstreamRequest } from "./message.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const TARGET = /^[\x21-\x7e\x80-\xff]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Headers for framing and connection management, which the client sets itself. */
const RESERVED =
  /^(?:connection|content-length|keep-alive|proxy-connection|transfer-encoding)$/;

type NameKind = "host" | "upgrade" | "reserved" | "invalid" | "other";

const kindOf = byName((name): NameKind => {
  if (!TOKEN.test(name)) return "invalid";
  const lowerCase = name.toLowerCase();
  if (RESERVED.test(lowerCase)) return "reserved";
  return lowerCase === "host" || lowerCase === "upgrade" ? lowerCase : "other";
});

/**
 * The request head (RFC 9112 sections 2, 3 and 5) as Latin-1 text: the headers in the order given, then the framing.
 * @throws {TypeError} If a part would change the message's structure; without header values, which may be secret.
 */
export function requestHead(
  request: UpstreamRequest,
  options: { upgrade: boolean },
): string {
  const { method, target, body } = request;
  if (!TOKEN.test(method) || method === "CONNECT") {
    throw new TypeError(`Cannot send a request with method '${method}'`);
  }
  if (!TARGET.test(target)) {
    throw new TypeError(
      "Cannot send a request-target that is empty or contains control characters or spaces",
    );
  }
  if (body !== null && options.upgrade) {
    throw new TypeError("Cannot send a body with an opening handshake");
  }

  let head = `${method} ${target} HTTP/1.1\r\n`;
  /** All of them in one text: testing each for itself takes much longer. */
  let values = "";
  let hosts = 0;
  let upgrades = 0;
  for (const [name, value] of request.headers) {
    const kind = kindOf(name);
    if (kind === "invalid") {
      throw new TypeError("Cannot send a field whose name is not a token");
    }
    if (kind === "reserved") {
      throw new TypeError(
        `Cannot send field '${name}': the client sets it itself`,
      );
    }
    if (kind === "host") hosts++;
    if (kind === "upgrade") upgrades++;
    values += value;
    head += `${name}: ${value}\r\n`;
  }
  if (!HEADER_VALUE.test(values)) throw invalidValue(request);
  if (hosts !== 1) {
    throw new TypeError(
      `Cannot send ${hosts} Host fields: exactly one is required`,
    );
  }
  if (upgrades !== (options.upgrade ? 1 : 0)) {
    throw new TypeError(
      `Cannot send ${upgrades} Upgrade fields: upgrade() requires one, request() none`,
    );
  }
  const connection = options.upgrade ? "connection: Upgrade\r\n" : "";
  return `${head}${framing(request)}${connection}\r\n`;
}

function invalidValue({ headers }: UpstreamRequest): TypeError {
  const [name] = headers.find(([, value]) => !HEADER_VALUE.test(value)) ?? [];
  return new TypeError(
    `Cannot send field '${name}': its value contains control characters`,
  );
}

function framing({ body, contentLength }: UpstreamRequest): string {
  if (contentLength === null) {
    return body === null ? "" : "transfer-encoding: chunked\r\n";
  }
  if (!Number.isSafeInteger(contentLength) || contentLength < 0) {
    throw new TypeError(`Cannot send a Content-Length of ${contentLength}`);
  }
  if (body === null && contentLength > 0) {
    throw new TypeError(
      "Cannot declare the length of a body that does not exist",
    );
  }
  return `content-length: ${contentLength}\r\n`;
}
