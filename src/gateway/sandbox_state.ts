/** Explains a refusal by the state of the sandbox, to whoever was admitted to it. */
import { ERRORS } from "../error_codes.ts";
import { GatewayError } from "../errors.ts";
import type { AdmittedRequest } from "../proxy/forward.ts";
import type { Destinations } from "../resolver/destination.ts";
import { conditionOf } from "../resolver/sandbox_condition.ts";
import type { SandboxStates } from "../resolver/sandbox_states.ts";

/** The parts of the gateway that the explanation needs. */
export interface SandboxStateParts {
  readonly states: Pick<SandboxStates, "stateOf">;
  readonly destinations: Pick<Destinations, "renewDestination">;
}

type Refused = Pick<
  AdmittedRequest,
  "sandboxId" | "sandboxPort" | "isAnonymous"
>;

/**
 * The failure to tell: of a refusal that the sandbox's state explains, that of the state; otherwise `error` itself.
 * `isMember` is asked if there is more to tell than others may know.
 */
export async function withSandboxState(
  error: unknown,
  refused: Refused,
  isMember: () => Promise<boolean>,
  parts: SandboxStateParts,
): Promise<unknown> {
  if (!(error instanceof GatewayError) || !ERRORS[error.code].needsState) {
    return error;
  }
  const { cause, message } = error;
  const told = await parts.states.stateOf(refused.sandboxId);
  // Not every API shows its proxy the sandbox: the runner decides. Of other failures, the forwarder has asked already.
  if (told === null) {
    return error.code === "sandbox_stopped" &&
        await hasRunner(refused, parts) === false
      ? new GatewayError("sandbox_not_found", `${message}; no runner now`)
      : error;
  }
  if (told === undefined) return error;
  if (error.code === "sandbox_deleted" && told.ended === null) return error;
  const end = told.ended !== null && await isMember() ? told.ended : undefined;
  const code = end?.code ?? conditionOf(told) ??
    (told.state === "started" && await isNews(error, refused, parts)
      ? "sandbox_starting"
      : undefined);
  if (code === undefined) return error;
  const { errorReason, organizationId: _, ended: __, ...state } = told;
  const reason = errorReason !== null && await isMember() ? errorReason : null;
  const sandbox = { ...state, errorReason: reason };
  return new GatewayError(
    code,
    `${message}; state ${told.state}, desired ${told.desiredState}`,
    { cause, advice: { ...error.advice, sandbox, endedAt: end?.endedAt } },
  );
}

/**
 * True if it is news that a sandbox is started: the runner is not done yet, or it has lost the container, which the API
 * will notice; or the gateway still remembers that there was no runner, as for an archived sandbox.
 */
async function isNews(
  { code }: GatewayError,
  refused: Refused,
  parts: SandboxStateParts,
): Promise<boolean> {
  return code === "sandbox_stopped" ||
    code === "sandbox_not_found" && await hasRunner(refused, parts) === true;
}

/** Whether there is a runner for the sandbox now; undefined if the API does not answer. */
async function hasRunner(
  { sandboxId, sandboxPort, isAnonymous }: Refused,
  { destinations }: SandboxStateParts,
): Promise<boolean | undefined> {
  try {
    const found = await destinations
      .renewDestination(sandboxId, sandboxPort, isAnonymous);
    return found !== null;
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}
