/** Grants: what a member has allowed at ports of a sandbox, by a secret or by the session that stands for it. */
import { isUuid } from "../../address/grammar.ts";
import { then } from "../../lib/awaitable.ts";
import type { Budget } from "../../resolver/lookup_cache.ts";
import type { Credential } from "../credentials.ts";
import type { GrantSession, PresentedGrant } from "../grants.ts";
import type { GateRequest } from "../verdict.ts";
import type { Judgement, JudgeParts } from "./judgement.ts";
import { grantDenial, within } from "./port_access.ts";

export function judgeGrant(
  parts: JudgeParts,
  carrier: PresentedGrant | GrantSession,
  credential: Credential,
  request: GateRequest,
  budget: Budget,
): Judgement {
  const { sandboxes } = parts;
  const { label, takesGrants } = request;
  if (!takesGrants) return undefined;
  // Grants name ids: what is known of a name may be stale, and so not told by sandboxIdOf().
  const found = isUuid(label)
    ? undefined
    : sandboxes.sandboxOf?.(label, budget);
  return then(found, (sandbox) => {
    const sandboxId = sandbox?.id ?? sandboxes.sandboxIdOf(label);
    const session = "port" in carrier ? carrier : undefined;
    if (session && isPlanted(session, request, sandboxId)) return undefined;
    const ancestors = session?.frame?.ancestors;
    const framedBy = credential.kind === "session"
      ? credential.framedBy
      : undefined;
    if (framedBy !== undefined && !ancestors?.includes(framedBy)) {
      return undefined;
    }
    const shown = { carrier, credential, sandboxId, ancestors };
    return judgeTerms(parts, shown, request, budget);
  });
}

/** True for a session of another host's, which was planted over http by another sandbox's page. */
function isPlanted(
  session: GrantSession,
  { port, name }: GateRequest,
  sandboxId: string,
): boolean {
  return session.sandboxId !== sandboxId || session.port !== port ||
    session.name !== name;
}

async function judgeTerms(
  parts: JudgeParts,
  { carrier, credential, sandboxId, ancestors }: {
    readonly carrier: PresentedGrant | GrantSession;
    readonly credential: Credential;
    readonly sandboxId: string;
    readonly ancestors: readonly string[] | undefined;
  },
  request: GateRequest,
  budget: Budget,
) {
  const { port, method, clientAddress } = request;
  const use = { sandboxId, port, method, clientAddress };
  const { isGood, grant } = await parts.grants.judge(carrier, use, budget);
  if (!isGood || grant === undefined) return grantDenial(grant, ancestors);
  const { via: by, subject } = grant;
  const kind = "allow";
  const admission = { kind, sandboxId, by, credential, grant } as const;
  return await within(
    parts,
    subject === undefined ? admission : { ...admission, subject },
    request,
  );
}
