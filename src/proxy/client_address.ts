/** Who the client is and how it came, with what trusted proxies in front of us say (RFC 7239's older relatives). */
import type { Fields } from "../lib/fields.ts";
import ipaddr from "ipaddr.js";
import type { Forwarded } from "./request_headers.ts";

/** A parsed address range, as `ipaddr.js` makes them from CIDR notation. */
export type AddressRange = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Whether `address` lies in one of the ranges; something that is no address lies in none. */
export function isTrusted(
  address: string,
  ranges: readonly AddressRange[],
): boolean {
  if (ranges.length === 0 || !ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return ranges.some(([range, bits]) =>
    range.kind() === parsed.kind() && parsed.match(range, bits)
  );
}

/** Hops that are looked at, nearest first: a chain is short, and telling that something is no address takes long. */
const MAX_HOPS = 32;

/** Where a request came from: for the app, and for our own decisions. */
export interface Provenance {
  readonly forwarded: Forwarded;
  /** The address to hold responsible: the nearest one that no trusted proxy vouches away. */
  readonly clientAddress: string;
}

/**
 * What to tell upstream about a request from `peer` (the socket's address). The client's own X-Forwarded-* count
 * only where the peer is a trusted proxy; the chain is walked from the right, so an invented left end stays inert.
 */
export function provenance(
  peer: string,
  headers: Fields,
  options: {
    authority: string;
    scheme: "http" | "https";
    trusted: readonly AddressRange[];
  },
): Provenance {
  if (!isTrusted(peer, options.trusted)) {
    return {
      clientAddress: peer,
      forwarded: { host: options.authority, proto: options.scheme, for: peer },
    };
  }
  const hops = (headers.get("x-forwarded-for") ?? "").split(",")
    .slice(-MAX_HOPS)
    .map((hop) => hop.trim())
    .filter((hop) => ipaddr.isValid(hop));
  const chain = [...hops, peer];
  const clientAddress =
    chain.findLast((hop) => !isTrusted(hop, options.trusted)) ?? chain[0] ??
      peer;
  const proto = headers.get("x-forwarded-proto");
  const host = headers.get("x-forwarded-host");
  return {
    clientAddress,
    forwarded: {
      host: host !== null && /^[A-Za-z0-9._:[\]-]+$/.test(host)
        ? host
        : options.authority,
      proto: proto === "http" || proto === "https" ? proto : options.scheme,
      for: chain.join(", "),
    },
  };
}
