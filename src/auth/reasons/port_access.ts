/** What the port itself says of a request: it may be closed, whatever its credentials are. */
import { isAlwaysPrivate } from "../../address/grammar.ts";
import { type PortAccess, SHARED } from "../../config/port_rules.ts";
import { GatewayError } from "../../errors.ts";
import { type Awaitable, then } from "../../lib/awaitable.ts";
import type { Budget } from "../../resolver/lookup_cache.ts";
import type { Grant } from "../grants.ts";
import type { Admission, Denial, GateRequest } from "../verdict.ts";
import type { Judgement, JudgeParts } from "./judgement.ts";

/** Whom the port admits, or why nobody can tell; who has nothing to show pays for a question about labels. */
export function accessTo(
  { ports }: Pick<JudgeParts, "ports">,
  label: string,
  { port, progress }: GateRequest,
  stranger?: Budget,
): Awaitable<PortAccess | GatewayError> {
  const onMiss = () => {
    progress.onMiss();
    stranger?.spend();
  };
  const isPublic = stranger === undefined;
  const access = ports.accessTo(label, port, isPublic, onMiss);
  return access instanceof Promise ? access.catch(expected) : access;
}

function expected(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  throw error;
}

/** What else than a public sandbox admits, as far as its labels and the operator let it. */
export function within(
  parts: Pick<JudgeParts, "ports">,
  admission: Admission,
  request: GateRequest,
): Judgement {
  const { sandboxId, by, grant, credential, isVisitor } = admission;
  const isShared = grant !== undefined || by === "signed_token";
  // Members have the toolbox whatever its port's number is.
  const isFree = isVisitor || isAlwaysPrivate(request.port) ||
    request.isToolbox && !isShared;
  if (isFree) return admission;
  return then(accessTo(parts, sandboxId, request), (access) => {
    if (access instanceof GatewayError) {
      return { ...admission, failure: access };
    }
    const ancestors = credential?.kind === "session"
      ? grant?.frame?.ancestors
      : undefined;
    if (access === 0) return { kind: "deny", code: "port_off", ancestors };
    if (!isShared || (access & SHARED) !== 0) return admission;
    return grant && grantDenial(grant, ancestors);
  });
}

/** The denial by a grant that is not good for a request, told to those whose frame it is in. */
export function grantDenial(
  grant: Grant | undefined,
  ancestors: readonly string[] | undefined,
): Denial {
  const denial = { kind: "deny", code: "grant_invalid", grant } as const;
  return ancestors === undefined ? denial : { ...denial, ancestors };
}
