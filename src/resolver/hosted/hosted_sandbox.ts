/** What is kept of the API's answer about a sandbox, which holds the sandbox's secrets too. */
import { z } from "zod";
import { isSandboxRef } from "../../address/grammar.ts";
import type { Codec } from "../../cache/durable_tier.ts";
import { type Sandbox, sandboxRef } from "../../daytona/models.ts";
import {
  appOriginLabels,
  storedAppOriginLabels,
} from "../app_origin_labels.ts";
import { plainCodec } from "../codecs.ts";

const stored = z.object({
  id: sandboxRef,
  public: z.boolean(),
  // Earlier versions stored none.
  organizationId: z.string().nullable().default(null),
  appOrigin: storedAppOriginLabels,
});

/** The facts about a sandbox that do not depend on who asks. */
export type HostedSandbox = Readonly<z.output<typeof stored>>;

export const sandboxCodec: Codec<HostedSandbox | null> = plainCodec(
  stored.nullable(),
);

/** The facts in an answer about a sandbox; null if it does not name the sandbox. What it does not say is not public. */
export function readSandbox(answer: Sandbox): HostedSandbox | null {
  const { id, labels, organizationId } = answer;
  if (id === null || !isSandboxRef(id)) return null;
  const appOrigin = appOriginLabels(labels);
  return { id, public: answer.public === true, organizationId, appOrigin };
}
