/** What every route of the control plane gets with its request. */
export interface ControlEnv {
  Bindings: { readonly requestId: string };
}
