/** What the API tells of a sandbox, for tests of what is made of it. */
import type { Sandbox } from "../../src/daytona/api.ts";
import { NO_LABELS } from "../../src/resolver/owner_labels.ts";
import type { SandboxRecord } from "../../src/resolver/sandbox_states.ts";

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

/** The record of one that says nothing of itself. */
export const BARE_RECORD: SandboxRecord = {
  owner: { labels: NO_LABELS, organizationId: null },
  runnerId: null,
};
