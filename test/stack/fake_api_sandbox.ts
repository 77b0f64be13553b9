/** The part of a sandbox that the gateway's contract leaves out, and that Daytona's SDK gets from the same operation. */
import type { components } from "../../gen/daytona.ts";

/** What a user is told of a sandbox besides what the gateway reads. */
export interface SandboxDetails {
  readonly organizationId: string;
  readonly name: string;
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: string;
  readonly cpu: number;
  readonly gpu: number;
  /** GiB, as is `disk`. */
  readonly memory: number;
  readonly disk: number;
  readonly networkBlockAll: boolean;
  /** Base of the toolbox routes. */
  readonly toolboxProxyUrl: string;
}

/** The details of a sandbox, the same for all of them but for the name. */
export function sandboxDetails(
  id: string,
  { proxyToolboxUrl }: components["schemas"]["DaytonaConfiguration"],
): SandboxDetails {
  return {
    organizationId: "2f0e6f0a-6d0b-4b57-9a0c-6f1d7f0f4a11",
    name: id,
    user: "daytona",
    env: {},
    labels: {},
    target: "local",
    cpu: 1,
    gpu: 0,
    memory: 1,
    disk: 3,
    networkBlockAll: false,
    toolboxProxyUrl: proxyToolboxUrl,
  };
}
