/** What shows that somebody belongs to the sandbox: its preview token, a member's bearer, a login (see session.ts). */
import { isAlwaysPrivate } from "../../address/grammar.ts";
import { type Awaitable, then } from "../../lib/awaitable.ts";
import type { Budget } from "../../resolver/lookup_cache.ts";
import type { Credential } from "../credentials.ts";
import type { Admission, GateRequest } from "../verdict.ts";
import type { Judgement, JudgeParts } from "./judgement.ts";
import { within } from "./port_access.ts";

/** Who presents a credential that is good. */
interface Holder {
  readonly credential: Credential;
  /** What the log calls them; undefined for whoever has a preview token, who is nobody's user. */
  readonly subject?: string | undefined;
  /** True if they have logged in, and are no member, but may look. */
  readonly isVisitor?: boolean;
}

export function judgePreviewToken(
  parts: JudgeParts,
  credential: Extract<Credential, { kind: "preview_token" | "auth_key" }>,
  request: GateRequest,
  budget: Budget,
): Judgement {
  return then(
    isPreviewToken(parts, credential.token, request, budget),
    (isGood) =>
      isGood ? admitted(parts, { credential }, request, budget) : undefined,
  );
}

export function judgeBearer(
  parts: JudgeParts,
  credential: Extract<Credential, { kind: "bearer" }>,
  request: GateRequest,
  budget: Budget,
): Judgement {
  const { token: bearer } = credential;
  const { label, clientAddress } = request;
  const user = { bearer, clientAddress };
  return then(parts.access.hasAccess(label, user, budget), (isGood) => {
    if (isGood === null) return { kind: "deny", code: "sandbox_deleted" };
    if (!isGood) return undefined;
    const subject = parts.subjects.ofBearer(bearer);
    return admitted(parts, { credential, subject }, request, budget);
  });
}

/** True if it is the sandbox's own token, and opens what is asked for. */
export function isPreviewToken(
  { access, toolboxTakesPreviewToken = true }: JudgeParts,
  token: string,
  { label, port, isToolbox }: GateRequest,
  budget: Budget,
): Awaitable<boolean> {
  const isOfApp = !isToolbox && !isAlwaysPrivate(port);
  return (isOfApp || toolboxTakesPreviewToken) &&
    access.isPreviewToken(label, token, budget);
}

/** The admission of whoever has shown a good credential, within what the port allows. */
export function admitted(
  parts: JudgeParts,
  { credential, subject, isVisitor = false }: Holder,
  request: GateRequest,
  budget: Budget,
): Judgement {
  const { sandboxes } = parts;
  const { label, isForMembers } = request;
  const { kind: by } = credential;
  const found = isForMembers ? sandboxes.sandboxOf?.(label, budget) : undefined;
  return then(found, (sandbox) => {
    if (sandbox === null) return { kind: "deny", code: "sandbox_not_found" };
    // What members record outlives names.
    const sandboxId = sandbox?.id ?? sandboxes.sandboxIdOf(label);
    let admission: Admission = { kind: "allow", sandboxId, by, credential };
    if (subject !== undefined) admission = { ...admission, subject };
    if (isVisitor) admission = { ...admission, isVisitor };
    return within(parts, admission, request);
  });
}
