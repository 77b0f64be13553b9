/**
 * Grants: what somebody may do at which ports of a sandbox, until when. Whatever carries one (a token, a ticket, a link)
 * is a feature's; the gate judges all of them alike. A grant opens previews only: no toolbox, no view of the owner's, no
 * control API, no start.
 */
import type { GrantVia } from "../observability/metrics/facts.ts";
import type { Budget } from "../resolver/lookup_cache.ts";

/** How pages of other origins may show what a grant opens, in a frame. */
export interface FrameTerms {
  /** Their origins: 1 to 8. */
  readonly ancestors: readonly string[];
  /** What becomes of the app's own word on who may frame it. */
  readonly frame: "replace" | "keep";
  /** Whether the app's cookies are made such that browsers keep them in frames of other sites. */
  readonly cookies: "partition" | "keep";
  /** The Cross-Origin-Embedder-Policy to add; null for none. */
  readonly isolate: "require-corp" | "credentialless" | null;
  /** What a script of ours in the app's pages tells the page around them. */
  readonly bridge: readonly ("errors" | "console" | "navigation")[];
}

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
  /** Who has logged in to open it, if that takes a login. */
  readonly user?: readonly [issuer: string, subject: string] | undefined;
  /** True for what is passed on as a link: whoever opened it may do what a link's visitor may. */
  readonly isLink?: boolean | undefined;
  /** Undefined if it is for no frame. */
  readonly frame?: FrameTerms | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** A secret that a request presents, and how. */
export interface PresentedGrant {
  readonly secret: string;
  /** `X-Porthole-Token`, `porthole_token` in the query, `Authorization: Bearer`, or the page that makes a frame of it. */
  readonly place: "header" | "query" | "bearer" | "frame";
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

/** A session that stands for a grant, on one preview host or name. */
export interface GrantSession extends Omit<Grant, "ports"> {
  readonly kind: "grant";
  readonly port: number;
  /** The name that it was made at, with the Host header's port; undefined for a preview host. */
  readonly name?: string | undefined;
  /** When it ends, if the cookie outlives it so that a frame hears of the end, ms since the epoch. */
  readonly endsAt?: number | undefined;
}

/** The port of a grant that a session is for, and the name, if it is made at one. */
type GrantPlace = Pick<GrantSession, "port" | "name">;

/** How long a frame hears that its session has ended, ms. */
export const ENDED_MS = 60 * 60 * 1000;

/** The session of a frame for a grant at one of its ports, which ends at `endsAt`, ms since the epoch. */
export function frameSessionFor(
  grant: Grant,
  place: GrantPlace,
  endsAt: number,
): GrantSession {
  return { ...sessionFor(grant, place), endsAt, expiresAt: endsAt + ENDED_MS };
}

/** The session that stands for a grant at one of its ports, as long as it lasts. */
export function sessionFor(
  { ports: _, ...grant }: Grant,
  { port, name }: GrantPlace,
): GrantSession {
  return { kind: "grant", port, name, ...grant };
}

/** True if what was unsealed is such a session. */
export function isGrantSession(value: object): value is GrantSession {
  const { kind, via, id, sandboxId, port } = value as Partial<GrantSession>;
  return kind === "grant" && typeof via === "string" &&
    typeof id === "string" && typeof sandboxId === "string" &&
    typeof port === "number";
}
