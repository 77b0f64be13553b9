/** What is kept of the API's answer about a sandbox, which holds the sandbox's secrets too. */
import { z } from "zod";
import { isSandboxRef } from "../../address/grammar.ts";
import type { Codec } from "../../cache/durable_tier.ts";
import type { Sandbox } from "../../daytona/api.ts";
import {
  type AppOriginLabels,
  appOriginLabels,
  storedAppOriginLabels,
} from "../app_origin_labels.ts";

/** The facts about a sandbox that do not depend on who asks. */
export interface HostedSandbox {
  readonly id: string;
  readonly public: boolean;
  readonly state: string | null;
  readonly desiredState: string | null;
  readonly organizationId: string | null;
  readonly recoverable: boolean;
  readonly appOrigin: AppOriginLabels;
}

/** The facts in an answer about a sandbox; null if it does not name the sandbox. */
export function readSandbox(answer: Sandbox): HostedSandbox | null {
  const { id, state, desiredState, organizationId, recoverable } = answer;
  if (id === null || !isSandboxRef(id)) return null;
  return {
    id,
    // What the API does not say is not public.
    public: answer.public === true,
    state,
    desiredState,
    organizationId,
    recoverable,
    appOrigin: appOriginLabels(answer.labels),
  };
}

const text = z.string().nullable();

const stored: z.ZodType<HostedSandbox> = z.object({
  id: z.string().refine(isSandboxRef),
  public: z.boolean(),
  state: text,
  desiredState: text,
  organizationId: text,
  recoverable: z.boolean(),
  appOrigin: storedAppOriginLabels,
});

/** Stores the facts as they are. */
export const sandboxCodec: Codec<HostedSandbox | null> = {
  encode: (sandbox) => sandbox && { ...sandbox },
  decode: (json) => json === null ? null : stored.safeParse(json).data,
};
