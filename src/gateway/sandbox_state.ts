/** Explains a refusal by the state of the sandbox, to whoever was admitted to it. */
import { type ErrorCode, GatewayError } from "../errors.ts";
import type { RemoteSettings } from "../resolver/remote_settings.ts";
import { conditionOf } from "../resolver/sandbox_condition.ts";
import type { SandboxStates } from "../resolver/sandbox_states.ts";

/** The parts of the gateway that the explanation needs. */
export interface SandboxStateParts {
  readonly states: Pick<SandboxStates, "stateOf">;
  readonly remoteSettings: Pick<RemoteSettings, "dashboardUrl">;
}

/** The refusals that do not tell by themselves what has become of a sandbox: an archived one has no runner. */
const UNTOLD: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "sandbox_stopped",
  "container_not_found",
  "sandbox_not_found",
  "runner_not_ready",
]);

/**
 * The same failure; if it is a refusal that the sandbox's state explains, the one of that state. `isMember` is asked if
 * there is more to tell than others may know.
 */
export async function withSandboxState(
  error: unknown,
  sandboxId: string,
  isMember: () => Promise<boolean>,
  { states, remoteSettings: { dashboardUrl } }: SandboxStateParts,
): Promise<unknown> {
  if (!(error instanceof GatewayError) || !UNTOLD.has(error.code)) return error;
  const told = await states.stateOf(sandboxId);
  const condition = told && conditionOf(told);
  if (told === undefined || condition === undefined) return error;
  const { errorReason, ...state } = told;
  const reason = errorReason !== null && await isMember() ? errorReason : null;
  return new GatewayError(
    condition.code,
    `${error.message}; state ${told.state}, desired ${told.desiredState}`,
    {
      cause: error.cause,
      retryAfterSec: condition.retryAfterSec,
      advice: {
        ...error.advice,
        sandbox: { ...state, errorReason: reason },
        dashboardUrl,
      },
    },
  );
}
