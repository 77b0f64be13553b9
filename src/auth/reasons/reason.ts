/** What may admit a request: a credential of its own, its host, or that none is needed. */
import { mayBeSignedToken } from "../../address/grammar.ts";
import type { Credential } from "../credentials.ts";
import type { GateRequest } from "../verdict.ts";

export type Reason = "public" | "signed_token" | Credential;

/** True if the label of a request's host may be a signed token. */
export function isTokenShaped({ label, isToolbox }: GateRequest): boolean {
  return !isToolbox && mayBeSignedToken(label);
}

/** True if a credential was surely meant for the gateway: a bearer token may be the app's. */
export function isOurs(reason: Reason, { isToolbox }: GateRequest): boolean {
  if (typeof reason === "string") return false;
  const { kind } = reason;
  return kind === "preview_token" || kind === "auth_key" ||
    isToolbox && kind === "bearer";
}

/** True if both are one reason, in whichever order a request has presented them. */
export function isSame(a: Reason, b: Reason): boolean {
  return typeof a === "string" || typeof b === "string"
    ? a === b
    : a.kind === b.kind && secretOf(a) === secretOf(b);
}

/** What tells a credential from others of its kind: there is one signed URL at most. */
function secretOf(credential: Credential): string {
  if (credential.kind === "session") return credential.sealed;
  if (credential.kind === "grant") return credential.secret;
  return credential.kind === "signed_url" ? "" : credential.token;
}
