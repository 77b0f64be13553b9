/** What can be said of an error code, and the kinds of failure that several codes name; error_codes.ts has the table. */

/** What an error code means to the parts of the gateway; a fact that does not apply is left out. */
export interface ErrorFacts {
  /** The HTTP status (RFC 9110 section 15). */
  readonly status: number;
  /**
   * Who can do something about it, which decides how it is logged: the `client`, whose request is refused; the users of
   * the `sandbox` alone; the `operator`, or those on whom the gateway depends; or us, since it is a `bug`.
   */
  readonly fault: "client" | "sandbox" | "operator" | "bug";
  /**
   * Whether the same request may be answered otherwise later: `by_itself`, since an app still boots, a sandbox moves or a
   * gateway restarts, so that a page reloads by itself; `maybe`, so that it has a button for that; or `never`.
   */
  readonly passes: "by_itself" | "maybe" | "never";
  /** When to try again (Retry-After, RFC 9110 section 10.2.3) unless the failure says, seconds; with 429 and 503. */
  readonly retryAfterSec?: number;
  /** What is wrong with the credential (RFC 6750 section 3.1); with 401. */
  readonly credential?: "missing" | "invalid";
  /**
   * Where something can be done about it: in the app or how it is used, so that its developer is led to what `apps`
   * receive; or in Daytona's `dashboard`.
   */
  readonly help?: "apps" | "dashboard";
  /** What a login has come to that fails by it: its client answers for it, or the same callback may come again. */
  readonly login?: "refused" | "repeatable";
  /**
   * The part of the way to an app's answer on which it is told: the sandbox is `starting`, or it runs, and its app is
   * `booting`.
   */
  readonly stage?: "starting" | "booting";
  /** How the sandbox would be brought to run. */
  readonly start?: {
    /** The call of Daytona's API. */
    readonly means: "start" | "recover";
    /** The code that is told from then on. */
    readonly next: `sandbox_${"starting" | "resuming" | "restoring"}`;
    /** False if it takes long and costs, since files are brought back, or if somebody should look at the sandbox first. */
    readonly isQuick: boolean;
  };
  /** True if it does not tell by itself what has become of the sandbox, whose state may: an archived one has no runner. */
  readonly needsState?: boolean;
  /** True if an earlier answer no longer holds through it: it is a change, and no outage. */
  readonly endsEarlier?: boolean;
  /** What pages around a frame of the preview are told, if not what follows from the rest: that it is over, or at rest. */
  readonly frame?: "ended" | "stopped";
  /** Daytona's own code for the same error. */
  readonly daytonaCode?: string;
}

/** A request that is refused, now and whenever it comes again. */
export const REFUSED = { fault: "client", passes: "never" } as const;

/** A credential that is no good. */
export const INVALID = {
  ...REFUSED,
  status: 401,
  credential: "invalid",
} as const;

/** A sandbox that is not there for who asks, in the dashboard perhaps. */
export const NOT_FOUND = {
  ...REFUSED,
  status: 404,
  help: "dashboard",
} as const;

/** A sandbox that is no more, as only its members are told. */
export const DELETED = {
  ...NOT_FOUND,
  daytonaCode: "SANDBOX_DESTROYED",
  frame: "ended",
} as const;

/** A client that asks for too much. */
export const THROTTLED = {
  status: 429,
  fault: "client",
  passes: "maybe",
  retryAfterSec: 2,
} as const;

/** A sandbox that stays as it is until somebody does something. */
export const AT_REST = {
  status: 503,
  fault: "sandbox",
  passes: "maybe",
  retryAfterSec: 30,
  help: "dashboard",
  frame: "stopped",
} as const;

/** A sandbox that will run. */
export const STARTING = {
  status: 503,
  fault: "sandbox",
  passes: "by_itself",
  retryAfterSec: 2,
  stage: "starting",
} as const;

/** What the gateway, or something that it depends on, cannot do at the moment. */
export const UNAVAILABLE = {
  status: 503,
  fault: "operator",
  passes: "by_itself",
  retryAfterSec: 2,
} as const;
