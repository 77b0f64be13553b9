/** What the gate is asked, and what it decides. */
import type { ErrorCode, GatewayError } from "../errors.ts";
import type { GrantVia } from "../observability/metrics/facts.ts";
import type { Credential } from "./credentials.ts";
import type { Grant } from "./grants.ts";
import type { ThrottledClient } from "./throttle.ts";

/** The gate's decision. */
export type Verdict =
  | {
    readonly kind: "allow";
    readonly sandboxId: string;
    /** The reason: a credential, by what a grant was carried, or that none was needed. */
    readonly by: "public" | "signed_token" | Credential["kind"] | GrantVia;
    /** The accepted credential; undefined if none was needed, or if it is the label itself. */
    readonly credential?: Credential;
    /** The grant, if that is the reason. */
    readonly grant?: Grant;
    /** What the log calls who presented it; undefined if that is not known. */
    readonly subject?: string;
    /** True for who has logged in, and is no member, but may look. */
    readonly isVisitor?: boolean;
    /** True if a label of the sandbox's owner opens its port, and Daytona says that it is private. */
    readonly isByLabel?: boolean;
    /** Why nobody can tell now where the sandbox is, and what its labels close: the app must not be asked. */
    readonly failure?: GatewayError;
  }
  /** Nothing presented is sufficient, but a login might be. */
  | { readonly kind: "login"; readonly code: ErrorCode }
  | {
    readonly kind: "deny";
    readonly code: ErrorCode;
    /** The grant that is not good for this, if it is known. */
    readonly grant?: Grant | undefined;
    /** Whose pages may hear of it, in a frame of theirs. */
    readonly ancestors?: readonly string[] | undefined;
  };

/** A verdict that admits the request. */
export type Admission = Extract<Verdict, { kind: "allow" }>;

/** A verdict that no login changes. */
export type Denial = Extract<Verdict, { kind: "deny" }>;

/** The parts of a request that the gate decides by. */
export interface GateRequest extends ThrottledClient {
  /** A sandbox id, a name where those count, or a signed token unless {@linkcode GateRequest.isToolbox}. */
  readonly label: string;
  readonly port: number;
  readonly method: string;
  /** True if a grant for its port may be enough. */
  readonly takesGrants?: boolean;
  /** True if it may be a frame's, by its cookies: then it is not admitted as public without a look at them. */
  readonly isEmbedded?: boolean;
  /** The name that was asked for, with its port; undefined if none was. Sessions count only where they were made. */
  readonly name?: string | undefined;
  /** True if it came by the toolbox route, which takes no signed tokens and treats no sandbox as public. */
  readonly isToolbox: boolean;
  /** True on the base host, for whoever has logged in or has a bearer: what opens a preview only is not enough. */
  readonly isForMembers?: boolean;
  /** In order of precedence; not called if the sandbox is known to be public. */
  credentials(): readonly Credential[];
  readonly progress: {
    /** Called after the decision, if the cache in process could not answer all of its lookups. */
    onMiss(): void;
  };
}
