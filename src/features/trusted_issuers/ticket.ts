/** What a JWT grants by a rule, once its signature, issuer, audience and times have been verified. */
import type { JWTPayload } from "jose";
import type { z } from "zod";
import type { FrameTerms, Grant, GrantRequest } from "../../auth/grants.ts";
import { digestKey } from "../../lib/digest.ts";
import { type Rule, ticketClaim } from "./rules.ts";

/** Tolerated difference between an issuer's clock and ours, seconds. */
export const SKEW_SEC = 60;

/** The most that may be left of an identity's life, seconds: CI systems end it with the job. */
const IDENTITY_LIFE_SEC = 86_400;

/**
 * The grant, if the rule is for that sandbox, or why there is none; without a `jti` if it `isOnce`, and without ancestors if
 * it `isFramed`. `now` is in ms.
 */
export function grantBy(
  rule: Rule,
  claims: JWTPayload,
  { sandboxId, port, isOnce, isFramed, now }:
    & Pick<GrantRequest, "sandboxId" | "port">
    & {
      readonly isOnce: boolean;
      readonly isFramed: boolean;
      readonly now: number;
    },
): Grant | string {
  const { exp = 0, iat = 0, jti, sub } = claims;
  // Nobody has checked that it is a text.
  const subject = typeof sub === "string" ? sub : undefined;
  const latest = now / 1000 + SKEW_SEC;
  if (iat > latest) return "issued in the future";
  const { maxLifeSec } = rule.kind === "minting"
    ? rule
    : { maxLifeSec: IDENTITY_LIFE_SEC };
  if (exp > latest + maxLifeSec) return "does not end soon enough";
  const hasId = typeof jti === "string" && jti !== "";
  if (isOnce && !hasId) return "no jti, in an address";
  const ticket = rule.kind === "minting"
    ? ticketClaim.safeParse(claims["porthole"]).data
    : undefined;
  const isMapped = rule.kind === "mapped" && subject !== undefined &&
    matches(subject, rule.subject);
  const told = isMapped ? rule : ticket;
  if (told === undefined) return "another subject, or no ticket";
  if (ticket && ticket.sandbox !== sandboxId) return "another sandbox";
  const { ports, methods = rule.methods } = told;
  if (!isWithin(ports, rule.ports) || !isWithin(methods, rule.methods)) {
    return "more than the rule allows";
  }
  if (!isWithin([port], ports)) return "another port";
  const frame = ticket && frameOf(ticket);
  if (isFramed && frame === undefined) return "no ancestors";
  const itsId = [rule.issuer, hasId ? jti : JSON.stringify(claims)];
  return {
    via: "ticket",
    id: `${rule.name}.${digestKey(itsId).slice(0, 16)}`,
    sandboxId,
    ports: ports === "*" ? [port] : ports,
    methods,
    subject,
    ...frame && { frame },
    // What is good once becomes a session, which ends by our clock alone, unless the ticket came after that.
    expiresAt: 1000 * (isOnce && 1000 * exp > now ? exp : exp + SKEW_SEC),
  };
}

/** The terms of a ticket for frames; the bridge is for embeds that members make. */
function frameOf(
  { ancestors, frame, cookies, isolate }: z.output<typeof ticketClaim>,
): FrameTerms | undefined {
  return ancestors && { ancestors, frame, cookies, isolate, bridge: [] };
}

/** True if nothing is claimed that is not allowed; undefined is every method. */
export function isWithin<T>(
  claimed: readonly T[] | "*" | undefined,
  allowed: readonly T[] | "*" | undefined,
): boolean {
  if (allowed === "*" || allowed === undefined) return true;
  return Array.isArray(claimed) && claimed.every((it) => allowed.includes(it));
}

/** A `*` is never empty, and never crosses `/` or `:`. @example `matches("repo:acme-evil/x", "repo:acme/*")` is false */
function matches(subject: string, pattern: string): boolean {
  const source = pattern.split("*").map(RegExp.escape).join("[^/:]+");
  return new RegExp(`^${source}$`).test(subject);
}
