/** No credential is needed where Daytona, or a label of the sandbox's owner, says that anyone may look. */
import { ANYONE } from "../../config/port_rules.ts";
import { GatewayError } from "../../errors.ts";
import { then } from "../../lib/awaitable.ts";
import type { Budget } from "../../resolver/lookup_cache.ts";
import type { GateRequest } from "../verdict.ts";
import type { Judgement, JudgeParts } from "./judgement.ts";
import { accessTo } from "./port_access.ts";

/** Judges a request without a look at its credentials. */
export function judgePublic(
  parts: Pick<JudgeParts, "sandboxes" | "ports">,
  request: GateRequest,
  budget: Budget,
): Judgement {
  const { sandboxes, ports: { labelsOpen } } = parts;
  const { label } = request;
  return then(sandboxes.isPublic(label, budget), (isPublic) => {
    if (!isPublic && !labelsOpen) return undefined;
    const payer = isPublic ? undefined : budget;
    return then(accessTo(parts, label, request, payer), (access) => {
      const isUnknown = access instanceof GatewayError;
      if (isUnknown && !isPublic) throw access;
      if (access === 0 && isPublic) return { kind: "deny", code: "port_off" };
      if (!isUnknown && (access & ANYONE) === 0) return undefined;
      const sandboxId = sandboxes.sandboxIdOf(label);
      const admission = { kind: "allow", sandboxId, by: "public" } as const;
      if (isUnknown) return { ...admission, failure: access };
      return isPublic ? admission : { ...admission, isByLabel: true };
    });
  });
}

/** In place of the resolver's answers where no sandbox opens without a credential (`PUBLIC=never`). */
export function nonePublic(
  sandboxes: Pick<JudgeParts["sandboxes"], "sandboxIdOf" | "sandboxOf">,
): JudgeParts["sandboxes"] {
  return {
    isPublic: () => false,
    sandboxIdOf: (label) => sandboxes.sandboxIdOf(label),
    sandboxOf: (label, budget) => sandboxes.sandboxOf?.(label, budget),
  };
}
