/** What a route of the control plane gets along with the request. */
export interface ControlContext {
  readonly requestId: string;
  /** `host[:port]` as received. */
  readonly authority: string;
  /** The base domain that the request is for; undefined for any other host. */
  readonly base: string | undefined;
  /** The address to hold responsible. */
  readonly clientAddress: string;
}

/** The same as Hono's environment type. */
export interface ControlEnv {
  Bindings: ControlContext;
}
