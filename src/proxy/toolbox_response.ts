/**
 * The fields of a toolbox's response. It reaches the client below `/toolbox/{id}` of the base host, where the daemon's
 * own addresses lead nowhere, and on the origin that logins happen on, which no sandbox's files may act for.
 */
import { responseFields } from "./response_headers.ts";

type Field = readonly [name: string, value: string];

/** Where the toolbox is, as its client sees it. */
export interface ToolboxAddress {
  readonly sandboxId: string;
  /** The public `host[:port]`. */
  readonly authority: string;
}

/**
 * What a toolbox or a build may say on a base host: about its content, and to the program that asked. Everything else
 * may be for the origin as a whole, which is the one of logins and of every other sandbox's toolbox: cookies, stored
 * data, service workers, transport security, reports of all later addresses (NEL), and what browsers will yet invent.
 */
const ALLOWED: ReadonlySet<string> = new Set([
  "accept-ranges",
  "age",
  "allow",
  "cache-control",
  "date",
  "etag",
  "expires",
  "last-modified",
  "location",
  "retry-after",
  "server-timing",
  "vary",
]);

/** The same by how the name begins; a policy of the daemon's could report the address that it was asked for. */
const ALLOWED_PREFIX = /^(?:access-control-|content-(?!security-policy)|x-)/;

/** Fields that hold a reference to where something is (RFC 9110 sections 10.2.2, 8.7). */
const REFERENCES: ReadonlySet<string> = new Set([
  "content-location",
  "location",
]);

/** Where the daemon listens: what an absolute address of its own names, whatever the host is called there. */
const DAEMON_PORT = "2280";

/**
 * A reference out of a toolbox's response as the client has to see it. A path gets the toolbox's prefix, also behind
 * an address of the daemon, the runner or the gateway; what leads elsewhere, and what is relative, stays.
 */
export function toolboxReference(
  reference: string,
  { sandboxId, authority }: ToolboxAddress,
): string {
  const [origin, host] = /^https?:\/\/([^/?#]*)/i.exec(reference) ?? ["", ""];
  if (origin === "" && !/^\/(?![/\\])/.test(reference)) return reference;
  const path = reference.slice(origin.length);
  const runnerPrefix = `/sandboxes/${sandboxId}/toolbox`;
  const isRunners = startsWithSegments(path, runnerPrefix);
  const isOurs = origin === "" || isRunners ||
    host?.endsWith(`:${DAEMON_PORT}`) ||
    host?.toLowerCase() === authority.toLowerCase();
  if (!isOurs) return reference;
  const prefix = `/toolbox/${sandboxId}`;
  const own = isRunners ? path.slice(runnerPrefix.length) : path;
  if (startsWithSegments(own, prefix)) return own;
  return prefix + (own === "" || own.startsWith("/") ? own : `/${own}`);
}

function startsWithSegments(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && /^(?:[/?#]|$)/.test(
    path.slice(prefix.length),
  );
}

/**
 * The end-to-end fields of what a sandbox or a build wrote, for a client that gets it on a base host: opened in a
 * browser it is a document of no origin, and runs nothing.
 */
export function inertResponseFields(
  fields: readonly Field[],
): [string, string][] {
  return [
    ...responseFields(fields, "").filter(([name]) => {
      const lower = name.toLowerCase();
      return ALLOWED.has(lower) || ALLOWED_PREFIX.test(lower);
    }),
    ["content-security-policy", "sandbox"],
    ["x-content-type-options", "nosniff"],
  ];
}

/** The same for a toolbox's response, with its references leading to where the client finds the toolbox. */
export function toolboxResponseFields(
  fields: readonly Field[],
  address: ToolboxAddress,
): [string, string][] {
  return inertResponseFields(fields).map(([name, value]) => [
    name,
    REFERENCES.has(name.toLowerCase())
      ? toolboxReference(value, address)
      : value,
  ]);
}
