/** Who the client is, and how its request came: by the connection, and by X-Forwarded-* of trusted proxies. */
import ipaddr from "ipaddr.js";
import { isAddress } from "../../config/formats.ts";
import type { RequestHeaders } from "../../http/headers.ts";

/** An address range, as `ipaddr.js` parses it from CIDR notation. */
export type AddressRange = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** True if `address` lies within one of the ranges; false if it is not an IP address. */
export function isTrusted(
  address: string,
  ranges: readonly AddressRange[],
): boolean {
  if (ranges.length === 0 || !isAddress(address)) return false;
  const parsed = ipaddr.process(address);
  return ranges.some(([range, bits]) =>
    range.kind() === parsed.kind() && parsed.match(range, bits)
  );
}

/** Networks in which a load balancer may be; elsewhere, anybody can send X-Forwarded-For. */
const NEARBY = /^(?:loopback|private|uniqueLocal|linkLocal|carrierGradeNat)$/;

/** The kind of nearby network that `peer` is in; undefined if it is trusted, or comes from farther away. */
export function untrustedNetwork(
  peer: string,
  trusted: readonly AddressRange[],
): string | undefined {
  if (!isAddress(peer) || isTrusted(peer, trusted)) return undefined;
  const network = ipaddr.process(peer).range();
  return NEARBY.test(network) ? network : undefined;
}

/** The origin of a request, as the upstream and the app are told. */
export interface Forwarded {
  /** The public `host[:port]` that the client used. */
  readonly host: string;
  readonly proto: "http" | "https";
  /** The client's address and those of proxies, in order; the last one connected to us. */
  readonly for: string;
}

/** Most hops considered, nearest first: real chains are short, and rejecting what is not an address is slow. */
const MAX_HOPS = 32;

/** Where a request came from: what the app is told, and what our own decisions rest on. */
export interface ClientInfo {
  readonly forwarded: Forwarded;
  /** The address to hold responsible: the nearest one that is not a trusted proxy's, or the farthest if all are. */
  readonly clientAddress: string;
}

/**
 * Where a request from `peer`, the connection's remote address, came from. X-Forwarded-* headers count only if the peer
 * is a trusted proxy; X-Forwarded-For is walked from the right, so what a client puts at its left end has no effect.
 */
export function clientOf(
  peer: string,
  headers: RequestHeaders,
  { authority, scheme, trusted }: {
    authority: string;
    scheme: "http" | "https";
    trusted: readonly AddressRange[];
  },
): ClientInfo {
  if (!isTrusted(peer, trusted)) {
    const forwarded: Forwarded = { host: authority, proto: scheme, for: peer };
    return { clientAddress: peer, forwarded };
  }
  const hops = (headers.get("x-forwarded-for") ?? "").split(",")
    .slice(-MAX_HOPS)
    .map((hop) => hop.trim())
    .filter(isAddress);
  const chain = [...hops, peer];
  const nearest = chain.findLast((hop) => !isTrusted(hop, trusted));
  const proto = headers.get("x-forwarded-proto");
  const host = headers.get("x-forwarded-host") ?? "";
  return {
    clientAddress: nearest ?? chain[0] ?? peer,
    forwarded: {
      host: /^[A-Za-z0-9._:[\]-]+$/.test(host) ? host : authority,
      proto: proto === "http" || proto === "https" ? proto : scheme,
      for: chain.join(", "),
    },
  };
}
