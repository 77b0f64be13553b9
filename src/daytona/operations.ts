/** The operations of Daytona's API that a gateway needs: whose key each takes, and what its answers mean. */
import { z } from "zod";
import { isPort, isUuid, mayBePreviewToken } from "../address/grammar.ts";
import {
  previewUrlAnswer,
  previewWarningAnswer,
  regionProxyUrlsAnswer,
  runnerRecordAnswer,
  sandboxAnswer,
  sandboxRef,
  saysDeleted,
  signingKeyText,
  snapshotAnswer,
} from "./models.ts";
import type { ApiRefusal, Operation, OperationId } from "./operation.ts";
import { configAnswer } from "./remote_config.ts";
import { type StartAnswer, startAnswerOf } from "./start_answer.ts";

const bySandboxId = path({ sandboxId: sandboxRef });
const byIdOrName = path({ sandboxIdOrName: sandboxRef });
const authToken = z.string().refine(mayBePreviewToken);
const port = z.number().refine(isPort);

/** For what only the proxy may call. 403 may be about the sandbox or the signed token. */
const PROXY = {
  by: ["own"],
  verdicts: ["accepted", "unknown"],
  no: () => null,
} as const;

/** For what the SSH gateway may call too, and older APIs lack (404). A 403 may be about the sandbox of another proxy. */
const GATEWAY = { by: ["own"], verdicts: ["unknown"], no: () => null } as const;

/** For what is asked about a user only. */
const USER = { by: ["user"], verdicts: [], no: () => null } as const;

/** The status is the answer, and "no" has one of its own: a page that is served for every path must not count as a yes. */
const YES_OR_NO = {
  parseAs: "text",
  answer: z.literal("true").transform(() => true),
  no: () => false,
} as const;

/** Asked once, as it may have begun although there is no answer, which takes the API 30 s at the most. */
const START = {
  by: ["own", "user", "key"],
  verdicts: ["unknown"], // 403 may be about the organization
  params: byIdOrName,
  answer: z.unknown().transform((): StartAnswer => ({ kind: "started" })),
  no: ({ status, body, headers }: ApiRefusal) =>
    startAnswerOf(status, body, headers),
  timeoutMs: 40_000,
  maxTries: 1,
} as const;

export const OPERATIONS = {
  isSandboxPublic: {
    ...PROXY,
    ...YES_OR_NO,
    params: bySandboxId,
    send: ({ preview }, init) => preview.isSandboxPublic(init),
  },
  isValidAuthToken: {
    ...PROXY,
    ...YES_OR_NO,
    params: path({ sandboxId: sandboxRef, authToken }),
    isSecret: true,
    send: ({ preview }, init) => preview.isValidAuthToken(init),
  },
  hasSandboxAccess: {
    ...USER,
    ...YES_OR_NO,
    params: bySandboxId,
    no: ({ body }) => saysDeleted(body) ? null : false,
    send: ({ preview }, init) => preview.hasSandboxAccess(init),
  },
  getSandboxIdFromSignedPreviewUrlToken: {
    ...PROXY,
    params: path({ signedPreviewToken: sandboxRef, port }),
    isSecret: true,
    parseAs: "text",
    answer: sandboxRef,
    send: ({ preview }, init) =>
      preview.getSandboxIdFromSignedPreviewUrlToken(init),
  },
  isPreviewWarningEnabled: {
    ...GATEWAY,
    params: bySandboxId,
    answer: previewWarningAnswer,
    send: ({ preview }, init) => preview.isPreviewWarningEnabled(init),
  },
  getSigningKey: {
    ...GATEWAY,
    params: bySandboxId,
    parseAs: "text",
    answer: signingKeyText,
    send: ({ preview }, init) => preview.getSigningKey(init),
  },
  getRunnerBySandboxId: {
    ...GATEWAY,
    params: bySandboxId,
    answer: runnerRecordAnswer,
    send: ({ runners }, init) => runners.getRunnerBySandboxId(init),
  },
  getRunnerFullById: {
    ...GATEWAY,
    params: path({ id: z.string().refine(isUuid) }),
    answer: runnerRecordAnswer,
    send: ({ runners }, init) => runners.getRunnerFullById(init),
  },
  getSandbox: {
    ...GATEWAY,
    by: ["own", "user"],
    params: byIdOrName,
    answer: sandboxAnswer,
    send: ({ sandbox }, init) => sandbox.getSandbox(init),
  },
  updateLastActivity: {
    ...GATEWAY,
    params: bySandboxId,
    parseAs: "text",
    answer: z.unknown(),
    send: ({ sandbox }, init) => sandbox.updateLastActivity(init),
  },
  startSandbox: {
    ...START,
    send: ({ sandbox }, init) => sandbox.startSandbox(init),
  },
  recoverSandbox: {
    ...START,
    send: ({ sandbox }, init) => sandbox.recoverSandbox(init),
  },
  getPortPreviewUrl: {
    ...PROXY,
    verdicts: ["accepted", "unknown", "other_role"], // a proxy's key is answered 403
    params: path({ sandboxIdOrName: sandboxRef, port }),
    answer: previewUrlAnswer,
    send: ({ sandbox }, init) => sandbox.getPortPreviewUrl(init),
  },
  listAvailableRegions: {
    ...GATEWAY,
    params: z.object({}),
    answer: regionProxyUrlsAnswer,
    send: ({ organizations }, init) => organizations.listAvailableRegions(init),
  },
  getSnapshot: {
    ...USER,
    params: path({ id: sandboxRef }),
    answer: snapshotAnswer,
    send: ({ snapshots }, init) => snapshots.getSnapshot(init),
  },
  getCurrentApiKey: {
    ...USER,
    by: ["user", "own"],
    params: z.object({}),
    // Only an owner's key is answered with an object; it need not tell the organization.
    answer: z.object({ organizationId: z.string().nullish() })
      .transform(({ organizationId }) => organizationId ?? ""),
    // A bearer that the API does not know or like is answered 401 or 403: only an older API has no such operation.
    no: ({ status }) => status === 404 ? "untold" : null,
    send: ({ apiKeys }, init) => apiKeys.getCurrentApiKey(init),
  },
  ConfigController_getConfig: {
    ...USER,
    by: ["none"],
    params: z.object({}),
    answer: configAnswer,
    send: ({ config }, init) => config.ConfigController_getConfig(init),
  },
} as const satisfies { readonly [Id in OperationId]: Operation<Id> };

/** The segments of a path, each with its grammar (see address/grammar.ts). */
function path<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.object({ path: z.object(shape) });
}
