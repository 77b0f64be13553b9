/** Links that somebody has signed: a preview's, whose label is the token, and a file's of the toolbox. */
import { then } from "../../lib/awaitable.ts";
import type { Budget } from "../../resolver/lookup_cache.ts";
import type { Credential } from "../credentials.ts";
import { isSignedBy } from "../file_url.ts";
import type { GateRequest } from "../verdict.ts";
import type { Judgement, JudgeParts } from "./judgement.ts";
import { within } from "./port_access.ts";

export function judgeSignedToken(
  parts: Pick<JudgeParts, "access" | "ports">,
  request: GateRequest,
  budget: Budget,
): Judgement {
  const { label, port } = request;
  const asked = parts.access.sandboxOfSignedToken(label, port, budget);
  return then(asked, (sandboxId) => {
    if (sandboxId === null) return undefined;
    const admission = { kind: "allow", sandboxId, by: "signed_token" } as const;
    return within(parts, admission, request);
  });
}

export function judgeSignedUrl(
  { access }: Pick<JudgeParts, "access">,
  credential: Extract<Credential, { kind: "signed_url" }>,
  { label }: GateRequest,
  budget: Budget,
): Judgement {
  const { kind: by, signature } = credential;
  const denial = { kind: "deny", code: "signed_url_invalid" } as const;
  if (signature === "invalid") return denial;
  return then(access.signingKeyOf(label, budget), (key) => {
    if (key === null) return undefined; // there are no such URLs
    return isSignedBy(signature, key)
      ? { kind: "allow", sandboxId: label, by, credential }
      : denial;
  });
}
