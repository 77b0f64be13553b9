/** What every route of the control plane gets with its request. */
export interface ControlContext {
  readonly requestId: string;
  /** `host[:port]` as received. */
  readonly authority: string;
  /** The base domain that was asked; undefined on any other host. */
  readonly base: string | undefined;
  /** The address to hold responsible. */
  readonly clientAddress: string;
}

/** Hono's type for it. */
export interface ControlEnv {
  Bindings: ControlContext;
}
