import ipaddr from "ipaddr.js";
import { Lru } from "./lru.ts";

/** Length of an IPv6 subnet prefix, bits; a host chooses the interface identifier (RFC 4291 section 2.5.4). */
const IPV6_PREFIX_BITS = 64;

const CANONICAL_IPV4 = /^(?:(?:0|[1-9][0-9]{0,2})(?:\.(?!$)|$)){4}$/;

/** Networks of addresses seen lately: parsing one of IPv6 takes 4 µs, and busy clients ask for it with every request. */
const known = new Lru<string, string>({ max: 1000 });

/**
 * Who is held responsible for what comes from an address, and counted by. An IPv4 address stands for itself, however it
 * is written; one of IPv6 for its /64, all of which one machine may use. What is no address stands for itself.
 */
export function clientKey(address: string): string {
  if (CANONICAL_IPV4.test(address)) return address;
  let network = known.get(address);
  if (network === undefined) known.set(address, network = networkOf(address));
  return network;
}

function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address); // takes an IPv4-mapped address for IPv4
  if (parsed.kind() === "ipv4") return parsed.toString();
  const { parts } = ipaddr.IPv6.parse(address);
  const prefix = parts.slice(0, IPV6_PREFIX_BITS / 16)
    .map((part) => part.toString(16)).join(":");
  return `${prefix}::/${IPV6_PREFIX_BITS}`;
}
