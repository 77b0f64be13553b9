/** What is kept of the API's answer about a sandbox, which holds the sandbox's secrets too. */
import { z } from "zod";
import { isSandboxRef } from "../../address/grammar.ts";
import type { Codec } from "../../cache/durable_tier.ts";
import { type Sandbox, sandboxRef } from "../../daytona/models.ts";
import { plainCodec } from "../codecs.ts";
import { ownerLabels, storedOwnerLabels } from "../owner_labels.ts";

const stored = z.object({
  id: sandboxRef,
  public: z.boolean(),
  // Earlier versions stored none.
  organizationId: z.string().nullable().default(null),
  ownerLabels: storedOwnerLabels, // earlier ones called theirs `labels`, of which they knew fewer
});

/** The facts about a sandbox that do not depend on who asks. */
export type HostedSandbox = Readonly<z.output<typeof stored>>;

export const sandboxCodec: Codec<HostedSandbox | null> = plainCodec(
  stored.nullable(),
);

/** The facts in an answer about a sandbox; null if it does not name the sandbox. What it does not say is not public. */
export function readSandbox(answer: Sandbox): HostedSandbox | null {
  const { id, organizationId } = answer;
  if (id === null || !isSandboxRef(id)) return null;
  return {
    id,
    public: answer.public === true,
    organizationId,
    ownerLabels: ownerLabels(answer.labels),
  };
}
