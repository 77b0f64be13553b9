/** The API's answers to what starts, stops and publishes a sandbox. */
import {
  noSandbox,
  type Operation,
  type Operations,
  type Query,
  sandboxOf,
  shownSandbox,
  withNamedSandbox,
} from "./api_answers.ts";
import { PROXIES, WRITERS } from "./api_callers.ts";
import type { LifecycleAnswers } from "./api_contract.ts";
import type { Refusal } from "./api_refusal.ts";
import { type ApiSandbox, ORGANIZATION } from "./api_state.ts";
import { UNDER_WAY } from "./start_refusal.ts";

type Sandbox = LifecycleAnswers["startSandbox"];

/** These operations. */
export const LIFECYCLE_OPERATIONS: Operations<LifecycleAnswers> = {
  startSandbox: changing("start", {
    isLifecycle: true,
    change: ({ lifecycle }, sandbox) => lifecycle.start(sandbox),
  }),
  stopSandbox: changing("stop", {
    isLifecycle: true,
    change({ lifecycle }, sandbox) {
      if (isUnderWay(sandbox)) return UNDER_WAY;
      if (sandbox.state !== "started") {
        return { refused: 400, message: "Sandbox is not started" };
      }
      lifecycle.stop(sandbox);
      return undefined;
    },
  }),
  archiveSandbox: changing("archive", {
    isLifecycle: true,
    change({ lifecycle }, sandbox) {
      if (isUnderWay(sandbox)) return UNDER_WAY;
      if (sandbox.state !== "stopped") {
        return { refused: 400, message: "Sandbox is not stopped" };
      }
      lifecycle.archive(sandbox);
      return undefined;
    },
  }),
  recoverSandbox: changing("recover", {
    isLifecycle: true,
    change: ({ lifecycle }, sandbox) => lifecycle.recover(sandbox),
  }),
  updatePublicStatus: changing("public/{isPublic}", {
    change({ params: [, isPublic] }, sandbox) {
      sandbox.public = isPublic === "true";
      return undefined;
    },
  }),
  getOrganizationBySandboxId: {
    method: "GET",
    path: "/sandbox/{sandboxId}/organization",
    callers: PROXIES,
    answer(query) {
      const { state, params: [id = ""] } = query;
      const sandbox = sandboxOf(query);
      if (sandbox === undefined) return noSandbox(id);
      // Even if it is destroyed.
      const { organizationId = ORGANIZATION } = sandbox;
      const reason = state.organizations.get(organizationId)?.suspensionReason;
      return {
        id: organizationId,
        name: `Organization ${organizationId}`,
        createdBy: "somebody",
        personal: false,
        suspended: reason !== undefined,
        suspensionReason: reason ?? null,
      };
    },
  },
};

function isUnderWay(
  { state, desiredState = state, isPending }: ApiSandbox,
): boolean {
  return isPending === true || state !== desiredState;
}

/** An operation that changes a sandbox, and answers with it. */
function changing(
  path: string,
  { isLifecycle = false, change }: {
    readonly isLifecycle?: boolean;
    readonly change: (
      query: Query,
      sandbox: ApiSandbox,
    ) => Refusal | undefined | Promise<Refusal | undefined>;
  },
): Operation<Sandbox> {
  return {
    method: "POST",
    path: `/sandbox/{sandboxIdOrName}/${path}`,
    callers: WRITERS,
    isLifecycle,
    answer: (query) =>
      withNamedSandbox<Promise<Sandbox | Refusal>>(
        query,
        async (sandbox) =>
          await change(query, sandbox) ?? shownSandbox(query, sandbox),
      ),
  };
}
