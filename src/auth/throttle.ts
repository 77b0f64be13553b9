/**
 * How many refusals one client may have. Each costs calls of the API (a guessed token, an invented label), so a client
 * that has used its budget up is told to come back later instead of having the API asked.
 *
 * Many users can stand behind one address, and one of them must not shut the others out. So only questions to the API
 * count, and those that led to a yes are given back: whatever is at hand, a public preview or a known good cookie, opens
 * as ever. A question is paid before it is asked, so the budget also bounds what comes all at once.
 */
import ipaddr from "ipaddr.js";
import { GatewayError } from "../errors.ts";
import { type Allowance, createTokenBuckets } from "../lib/token_bucket.ts";

/** Counts refusals by client address. */
export interface Throttle {
  /** Pays for one question to the API on behalf of this client. */
  take(address: string): Allowance;
  /** Gives back what was paid for `count` questions. */
  giveBack(address: string, count: number): void;
}

/** The budget of each client. */
export interface ThrottleOptions {
  /** Also what may be spent at once after a quiet minute. */
  readonly refusalsPerMinute: number;
  /** Clients remembered. */
  readonly maxClients: number;
  /** Current time, ms. */
  readonly now: () => number;
}

/** Creates a throttle that has seen nobody yet. */
export function createThrottle(options: ThrottleOptions): Throttle {
  const buckets = createTokenBuckets({
    capacity: options.refusalsPerMinute,
    refillPerSec: options.refusalsPerMinute / 60,
    maxKeys: options.maxClients,
    now: options.now,
  });
  return {
    take: (address) => buckets.take(clientOf(address)),
    giveBack: (address, count) => buckets.giveBack(clientOf(address), count),
  };
}

/**
 * Pays for one lookup on behalf of a client.
 *
 * @throws {GatewayError} `too_many_refusals`
 */
export function spend(throttle: Throttle, address: string): void {
  const allowance = throttle.take(address);
  if (allowance.ok) return;
  const { retryAfterSec } = allowance;
  throw new GatewayError("too_many_refusals", "Over its budget", {
    retryAfterSec,
  });
}

/** Bits of an IPv6 address that name a network; the others are a subscriber's to choose (RFC 4291 section 2.5.4). */
const IPV6_NETWORK_BITS = 64;

/** What counts as one client: an IPv4 address, however written, or an IPv6 network. */
function clientOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === "ipv4") return parsed.toString();
  return parsed.toByteArray().slice(0, IPV6_NETWORK_BITS / 8).join(":");
}
