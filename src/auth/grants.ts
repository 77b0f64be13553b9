/**
 * Grants: what somebody may do at which ports of a sandbox, until when. Whatever carries one (a token, a ticket, a link)
 * is a feature's; the gate judges all of them alike. A grant opens previews only: no toolbox, no view of the owner's, no
 * control API, no start.
 */
import type { GrantVia } from "../observability/metrics/facts.ts";
import type { Budget } from "../resolver/lookup_cache.ts";

/** What its carrier may do. */
export interface Grant {
  readonly via: GrantVia;
  /** Names it in logs and sessions; no secret. */
  readonly id: string;
  readonly sandboxId: string;
  /** Never those of Daytona's own services. */
  readonly ports: readonly number[];
  /** In upper case; undefined for all. */
  readonly methods?: readonly string[] | undefined;
  /** What the log calls its holder, if that is somebody. */
  readonly subject?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** A secret that a request presents, and how. */
export interface PresentedGrant {
  readonly secret: string;
  /** `X-Porthole-Token`, `porthole_token` in the query, or `Authorization: Bearer`. */
  readonly place: "header" | "query" | "bearer";
}

/** The request that presents it. */
export interface GrantRequest {
  /** The sandbox's id, as the gate knows it. */
  readonly sandboxId: string;
  readonly port: number;
  readonly clientAddress: string;
}

/** What a feature knows of grants of its kinds. Both methods throw a `GatewayError` if nobody can tell now. */
export interface GrantSource {
  readonly via: readonly GrantVia[];
  /** True if a secret looks like one of these; without I/O. */
  recognizes(secret: string): boolean;
  /** True if one is for nobody but this gateway, so that no app gets it; each that it recognizes, by default. */
  owns?(secret: string): boolean;
  /**
   * The grant of a secret at one sandbox; undefined if it is unknown, over, revoked or for another one. Questions to the
   * API or a store are the client's to pay for, by `budget`.
   */
  open(
    presented: PresentedGrant,
    request: GrantRequest,
    budget: Budget,
  ): Promise<Grant | undefined>;
  /** The grant that a session stands for, as it is now; undefined if it is no more. */
  reopen(session: GrantSession, budget: Budget): Promise<Grant | undefined>;
}

/** A session that stands for a grant, on one preview host. */
export interface GrantSession extends Omit<Grant, "ports"> {
  readonly kind: "grant";
  readonly port: number;
}

/** The session that stands for a grant at one of its ports, as long as it lasts. */
export function sessionFor(
  { ports: _, ...grant }: Grant,
  port: number,
): GrantSession {
  return { kind: "grant", port, ...grant };
}

/** True if what was unsealed is such a session. */
export function isGrantSession(value: object): value is GrantSession {
  const { kind, via, id, sandboxId, port } = value as Partial<GrantSession>;
  return kind === "grant" && typeof via === "string" &&
    typeof id === "string" && typeof sandboxId === "string" &&
    typeof port === "number";
}
