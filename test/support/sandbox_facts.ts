/** What the API tells of a sandbox, for tests of what is made of it. */
import type { Sandbox } from "../../src/daytona/api.ts";

/** A started sandbox with these labels. */
export function sandboxWith(
  id: string,
  labels: Readonly<Record<string, string>>,
): Sandbox {
  return {
    id,
    organizationId: null,
    public: false,
    state: "started",
    desiredState: "started",
    errorReason: null,
    recoverable: false,
    labels,
    runnerId: null,
    ended: null,
    snapshotRef: null,
  };
}
