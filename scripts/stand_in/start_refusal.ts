/** Why the API does not start a sandbox, in the real one's words. */
import type { Refusal } from "./api_refusal.ts";
import {
  type ApiSandbox,
  type ApiState,
  ORGANIZATION,
  type Quota,
  REGION,
} from "./api_state.ts";

/** The answer for a sandbox on which something else is under way. */
export const UNDER_WAY: Refusal = {
  refused: 409,
  message: "Sandbox state change in progress",
};

/** Why a sandbox cannot be started now; undefined if it can, or is started already. */
export function startRefusal(
  sandbox: ApiSandbox,
  { organizations, regions, config }: ApiState,
): Refusal | undefined {
  const { organizationId = ORGANIZATION, region = REGION, state } = sandbox;
  const organization = organizations.get(organizationId);
  if (organization?.suspensionReason !== undefined) {
    const { suspensionReason } = organization;
    return {
      refused: 403,
      message: `Organization is suspended: ${suspensionReason}`,
    };
  }
  if (state === "error" || state === "build_failed") {
    return { refused: 400, message: "Sandbox is in an errored state" };
  }
  if (state === "paused") {
    return {
      refused: 422,
      message: "Resuming is not supported for this sandbox",
    };
  }
  if (isChanging(sandbox)) {
    return UNDER_WAY;
  }
  if (state === "started") return undefined;
  if (regions.get(region)?.isClosed === true) {
    return {
      refused: 403,
      message:
        `Region ${region} is not available to the organization for class container`,
    };
  }
  const quota = organization?.exceeded;
  return quota && {
    refused: 400,
    message: QUOTA_TEXTS[quota](`${config.dashboardUrl}/limits`),
  };
}

/** True if a sandbox is on its way to another state, so that nobody else may send it anywhere. */
function isChanging(
  { state, desiredState = state, isPending }: ApiSandbox,
): boolean {
  if (isPending === true) return true;
  // One that is being archived may be started after all.
  if (state === "archiving") return desiredState !== "archived";
  return state !== desiredState || !RESTING.includes(state);
}

/** The states in which a sandbox stays. */
const RESTING = ["started", "stopped", "archived"];

const QUOTA_TEXTS: Readonly<Record<Quota, (limits: string) => string>> = {
  cpu: (limits) =>
    `Total CPU limit exceeded. Maximum allowed: 0.\nTo increase concurrency limits, upgrade your organization's Tier by visiting ${limits}.`,
  memory: (limits) =>
    `Total memory limit exceeded. Maximum allowed: 0GiB.\nTo increase concurrency limits, upgrade your organization's Tier by visiting ${limits}.`,
  "cpu-per-sandbox": (limits) =>
    `CPU request 1 exceeds maximum allowed per sandbox (0).\nNeed higher resource limits per-sandbox? Visit ${limits}.`,
};
