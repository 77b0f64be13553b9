/**
 * Limits how often a client may be refused. Every refusal (of a guessed token, an invented label) costs calls to the
 * API, so a client that has used up its budget is told to retry later, and the API is not called.
 *
 * Many users can share one address, and one of them must not lock the others out. So only API lookups are charged, and
 * lookups that led to admission are refunded: what is cached, such as a public preview or a cookie known to be good,
 * opens as usual. A lookup is charged before it is sent, so the budget bounds concurrent lookups too.
 */
import ipaddr from "ipaddr.js";
import { GatewayError } from "../errors.ts";
import { createTokenBuckets } from "../lib/token_bucket.ts";

/** Budgets of API lookups by client address. */
export interface Throttle {
  /**
   * Charges one API lookup to the client.
   *
   * @throws {GatewayError} `too_many_refusals` if its budget is used up
   */
  charge(address: string): void;
  /** Refunds `count` lookups to the client. */
  refund(address: string, count: number): void;
}

/** The budget of every client. */
export interface ThrottleOptions {
  /** Lookups refilled per minute, and the largest burst. */
  readonly refusalsPerMinute: number;
  /** Most clients tracked. */
  readonly maxClients: number;
  /** Current time, ms. */
  readonly now: () => number;
}

/** Creates a throttle; every client starts with a full budget. */
export function createThrottle(options: ThrottleOptions): Throttle {
  const buckets = createTokenBuckets({
    capacity: options.refusalsPerMinute,
    refillPerSec: options.refusalsPerMinute / 60,
    maxKeys: options.maxClients,
    now: options.now,
  });
  return {
    charge(address) {
      const allowance = buckets.take(clientOf(address));
      if (allowance.ok) return;
      const { retryAfterSec } = allowance;
      throw new GatewayError("too_many_refusals", "Client is over its budget", {
        retryAfterSec,
      });
    },
    refund: (address, count) => buckets.giveBack(clientOf(address), count),
  };
}

/**
 * Length of an IPv6 subnet prefix, bits; a host is free to choose the interface identifier (RFC 4291 section 2.5.4).
 */
const IPV6_PREFIX_BITS = 64;

/** The key of a client: its IPv4 address in canonical form, or the prefix of its IPv6 subnet. */
function clientOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === "ipv4") return parsed.toString();
  return parsed.toByteArray().slice(0, IPV6_PREFIX_BITS / 8).join(":");
}
