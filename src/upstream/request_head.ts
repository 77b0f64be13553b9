import type { UpstreamRequest } from "./types.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const TARGET = /^[\x21-\x7e\x80-\xff]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Fields that say how a message is framed or what becomes of the connection: never the caller's business. */
const RESERVED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
]);

/** What a field's name means here. */
type NameKind = "host" | "upgrade" | "reserved" | "invalid" | "other";

function kindOf(name: string): NameKind {
  if (!TOKEN.test(name)) return "invalid";
  const lowerCase = name.toLowerCase();
  if (RESERVED.has(lowerCase)) return "reserved";
  return lowerCase === "host" || lowerCase === "upgrade" ? lowerCase : "other";
}

/** Kinds of names seen before: the same few come with every request. */
const knownKinds = new Map<string, NameKind>();

/** Bounds of what is remembered, which clients decide on. */
const MAX_KNOWN_NAMES = 1000;
const MAX_KNOWN_LENGTH = 64;

function rememberedKindOf(name: string): NameKind {
  const known = knownKinds.get(name);
  if (known !== undefined) return known;
  const kind = kindOf(name);
  if (name.length <= MAX_KNOWN_LENGTH && knownKinds.size < MAX_KNOWN_NAMES) {
    knownKinds.set(name, kind);
  }
  return kind;
}

/**
 * The request head (RFC 9112 sections 2 and 3) as Latin-1 text, fields in the order given, framing last. Throws
 * `TypeError` where a part would change the message's shape, without quoting values: they may be secret.
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
      "Cannot send a request-target that is empty or has controls or spaces",
    );
  }
  if (body?.locked) throw new TypeError("Cannot send a body that is locked");
  if (body !== null && options.upgrade) {
    throw new TypeError("Cannot send a body with an opening handshake");
  }

  let head = `${method} ${target} HTTP/1.1\r\n`;
  let hosts = 0;
  let upgrades = 0;
  for (const [name, value] of request.headers) {
    switch (rememberedKindOf(name)) {
      case "invalid":
        throw new TypeError("Cannot send a field whose name is no token");
      case "reserved":
        throw new TypeError(
          `Cannot send field '${name}': the client decides on it`,
        );
      case "host":
        hosts++;
        break;
      case "upgrade":
        upgrades++;
        break;
    }
    if (!FIELD_VALUE.test(value)) {
      throw new TypeError(
        `Cannot send field '${name}': its value has controls`,
      );
    }
    head += `${name}: ${value}\r\n`;
  }
  if (hosts !== 1) {
    throw new TypeError(`Cannot send ${hosts} Host fields: there must be one`);
  }
  if (upgrades !== (options.upgrade ? 1 : 0)) {
    throw new TypeError(
      `Cannot send ${upgrades} Upgrade fields: upgrade() needs one, request() none`,
    );
  }
  return `${head}${framing(request)}${
    options.upgrade ? "connection: Upgrade\r\n" : ""
  }\r\n`;
}

/** RFC 9112 section 6. */
function framing({ body, contentLength }: UpstreamRequest): string {
  if (contentLength === null) {
    return body === null ? "" : "transfer-encoding: chunked\r\n";
  }
  if (!Number.isSafeInteger(contentLength) || contentLength < 0) {
    throw new TypeError(`Cannot send a content-length of ${contentLength}`);
  }
  if (body === null && contentLength > 0) {
    throw new TypeError("Cannot announce a body that is not there");
  }
  return `content-length: ${contentLength}\r\n`;
}
