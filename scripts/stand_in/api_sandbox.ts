/** The properties of a sandbox that Daytona's SDK needs, but the gateway's contract omits. */
import type { components } from "../../gen/daytona.ts";

/** The properties that a user sees, besides those that the gateway reads. */
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
  /** The base URL of the toolbox routes. */
  readonly toolboxProxyUrl: string;
}

/** The details of a sandbox, which differ only in the name. */
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
