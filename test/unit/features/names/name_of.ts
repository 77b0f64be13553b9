import type { KeptName } from "../../../../src/features/names/kept_name.ts";

/** An alias that is in force, unless it differs from that. */
export function nameOf(
  host: string,
  differences: Partial<KeptName> = {},
): KeptName {
  return {
    host,
    kind: "alias",
    state: "active",
    sandboxId: "box",
    port: 3000,
    organizationId: "acme",
    createdAt: 0,
    createdBy: null,
    proof: null,
    checkedAt: null,
    failingSince: null,
    lastError: null,
    endsAt: null,
    ...differences,
  };
}
