import createClient from "openapi-fetch";
import { z } from "zod";
import type { paths } from "../../gen/daytona.ts";
import {
  isBearer,
  isPort,
  isSandboxRef,
  isUuid,
  mayBePreviewToken,
} from "../address/grammar.ts";
import { GatewayError } from "../errors.ts";
import type { Sleep } from "../lib/backoff.ts";
import type { ApiCallFacts } from "../observability/metrics/facts.ts";
import { createAsk } from "./api_request.ts";
import {
  type Runner,
  runnerAnswer,
  type Sandbox,
  sandboxAnswer,
  type Snapshot,
  snapshotAnswer,
} from "./models.ts";
import { configAnswer, type RemoteConfig } from "./remote_config.ts";
import { KEY_QUESTION, type KeyVerdict, keyVerdictOn } from "./service_key.ts";

export type { RemoteConfig, Runner, Sandbox, Snapshot };

/** The user on whose behalf a call is made. */
export interface User {
  /** An API key or JWT, without the scheme. */
  readonly bearer: string;
  /** The address that the request came from: the API counts refusals per address. */
  readonly clientAddress: string;
  /** The UUID of one of the user's organizations; only a JWT needs it. */
  readonly organizationId?: string | undefined;
}

/**
 * The operations of Daytona's API that a gateway needs. Each resolves only with a definite answer, of which false and
 * null are the API's "no". A value that cannot be part of a call (see address/grammar.ts) is answered "no" without a call.
 *
 * @throws {GatewayError} `api_unreachable` if there is no definite answer; every operation
 */
export interface DaytonaApi {
  /** Whether anyone may open the sandbox's previews. */
  isSandboxPublic(sandboxId: string): Promise<boolean>;
  /** Whether `authToken` is the sandbox's current preview token. */
  isValidAuthToken(sandboxId: string, authToken: string): Promise<boolean>;
  /** Whether the user belongs to the sandbox's organization. */
  hasSandboxAccess(sandboxId: string, user: User): Promise<boolean>;
  /** The sandbox behind a signed preview link for that port. */
  sandboxIdOfSignedToken(token: string, port: number): Promise<string | null>;
  /** The runner that holds the sandbox. */
  runnerOfSandbox(sandboxId: string): Promise<Runner | null>;
  /** The runner with that UUID. */
  runnerById(id: string): Promise<Runner | null>;
  /** One of the user's sandboxes. */
  sandbox(sandboxId: string, user: User): Promise<Sandbox | null>;
  /** One of the user's snapshots. */
  snapshot(snapshotId: string, user: User): Promise<Snapshot | null>;
  /** Postpones the sandbox's automatic stop; it is not a failure if the sandbox is gone. */
  updateLastActivity(sandboxId: string): Promise<void>;
  /** The installation's public configuration. */
  config(): Promise<RemoteConfig>;
  /** Makes a call that needs the gateway's own key; the verdict goes to `onKeyVerdict`. */
  tryKey(): Promise<void>;
}

/** Settings of {@linkcode createDaytonaApi}. */
export interface DaytonaApiOptions {
  /** For example `https://app.example.com/api`, with or without a trailing slash. */
  readonly baseUrl: string;
  /** The gateway's own key. */
  readonly apiKey: string;
  /** Deadline of one operation, including all attempts and the pauses between them, ms. */
  readonly timeoutMs: number;
  /** Fails every operation in flight with `api_unreachable`. */
  readonly closing: AbortSignal;
  /** Called for every response that shows what the API makes of the gateway's own key. */
  readonly onKeyVerdict: (verdict: KeyVerdict) => void;
  /** Called once for every operation that called the API, however many attempts it took. */
  readonly onCall: (call: ApiCallFacts) => void;
  /** A monotonic clock, ms. */
  readonly now?: () => number;
  readonly fetch?: (request: Request) => Promise<Response>;
  readonly sleep?: Sleep;
  readonly random?: () => number;
}

// "No" has a status of its own, so the body of a 200 can only be `true`: a page that some web server serves for every
// path must not count as a yes.
const yes = z.literal("true");
const sandboxIdText = z.string().refine(isSandboxRef);

/**
 * Creates a client of the API at `baseUrl`.
 *
 * @throws {TypeError} if the key cannot be sent in a header
 */
export function createDaytonaApi(options: DaytonaApiOptions): DaytonaApi {
  const { baseUrl, apiKey, fetch = globalThis.fetch } = options;
  if (!isBearer(apiKey)) {
    throw new TypeError("Cannot use 'apiKey': it is not visible ASCII");
  }
  const http = createClient<paths>({ baseUrl, fetch, redirect: "manual" });
  const ask = createAsk(options);
  /** Reports what a status says of the gateway's key, if it is one of the verdicts that the operation can give. */
  function judgeKey(status: number, possible: readonly KeyVerdict[]): void {
    const verdict = keyVerdictOn(status);
    if (verdict !== undefined && possible.includes(verdict)) {
      options.onKeyVerdict(verdict);
    }
  }

  // Daytona's SSH gateway may call these as well. 403 may be about the sandbox, which may not be this proxy's.
  const gateway = {
    caller: "gateway",
    headers: { authorization: `Bearer ${apiKey}` },
    onStatus: (status: number) => judgeKey(status, ["unknown"]),
  } as const;
  // Only the proxy may call these. 403 may be about the sandbox or the signed token.
  const proxy = {
    ...gateway,
    onStatus: (status: number) => judgeKey(status, ["accepted", "unknown"]),
  } as const;

  return {
    async isSandboxPublic(sandboxId) {
      if (!isSandboxRef(sandboxId)) return false;
      const params = { path: { sandboxId } };
      const answer = await ask({
        ...proxy,
        operation: "isSandboxPublic",
        schema: yes,
        send: (init) =>
          http.GET("/preview/{sandboxId}/public", {
            ...init,
            params,
            parseAs: "text",
          }),
      });
      return answer !== null;
    },

    async isValidAuthToken(sandboxId, authToken) {
      if (!isSandboxRef(sandboxId) || !mayBePreviewToken(authToken)) {
        return false;
      }
      const params = { path: { sandboxId, authToken } };
      const answer = await ask({
        ...proxy,
        operation: "isValidAuthToken",
        schema: yes,
        send: (init) =>
          http.GET("/preview/{sandboxId}/validate/{authToken}", {
            ...init,
            params,
            parseAs: "text",
          }),
      });
      return answer !== null;
    },

    async hasSandboxAccess(sandboxId, user) {
      if (!isSandboxRef(sandboxId) || !isUser(user)) return false;
      const params = { path: { sandboxId } };
      const answer = await ask({
        ...askedBy(user),
        operation: "hasSandboxAccess",
        schema: yes,
        send: (init) =>
          http.GET("/preview/{sandboxId}/access", {
            ...init,
            params,
            parseAs: "text",
          }),
      });
      return answer !== null;
    },

    async sandboxIdOfSignedToken(signedPreviewToken, port) {
      if (!isSandboxRef(signedPreviewToken) || !isPort(port)) return null;
      const params = { path: { signedPreviewToken, port } };
      return await ask({
        ...proxy,
        operation: "getSandboxIdFromSignedPreviewUrlToken",
        schema: sandboxIdText,
        send: (init) =>
          http.GET("/preview/{signedPreviewToken}/{port}/sandbox-id", {
            ...init,
            params,
            parseAs: "text",
          }),
      });
    },

    async runnerOfSandbox(sandboxId) {
      if (!isSandboxRef(sandboxId)) return null;
      const params = { path: { sandboxId } };
      return await ask({
        ...gateway,
        operation: "getRunnerBySandboxId",
        schema: runnerAnswer,
        send: (init) =>
          http.GET("/runners/by-sandbox/{sandboxId}", { ...init, params }),
      });
    },

    async runnerById(id) {
      if (!isUuid(id)) return null;
      const params = { path: { id } };
      return await ask({
        ...gateway,
        operation: "getRunnerFullById",
        schema: runnerAnswer,
        send: (init) => http.GET("/runners/{id}/full", { ...init, params }),
      });
    },

    async sandbox(sandboxIdOrName, user) {
      if (!isSandboxRef(sandboxIdOrName) || !isUser(user)) return null;
      const params = { path: { sandboxIdOrName } };
      return await ask({
        ...askedBy(user),
        operation: "getSandbox",
        schema: sandboxAnswer,
        send: (init) =>
          http.GET("/sandbox/{sandboxIdOrName}", { ...init, params }),
      });
    },

    async snapshot(id, user) {
      if (!isSandboxRef(id) || !isUser(user)) return null;
      const params = { path: { id } };
      return await ask({
        ...askedBy(user),
        operation: "getSnapshot",
        schema: snapshotAnswer,
        send: (init) => http.GET("/snapshots/{id}", { ...init, params }),
      });
    },

    async updateLastActivity(sandboxId) {
      if (!isSandboxRef(sandboxId)) return;
      const params = { path: { sandboxId } };
      await ask({
        ...gateway,
        operation: "updateLastActivity",
        schema: z.unknown(),
        send: (init) =>
          http.POST("/sandbox/{sandboxId}/last-activity", {
            ...init,
            params,
            parseAs: "text",
          }),
      });
    },

    async tryKey() {
      const params = { path: { sandboxId: crypto.randomUUID() } };
      await ask({
        ...gateway,
        onStatus: (status) =>
          judgeKey(status, ["accepted", "unknown", "other_role"]),
        operation: "isSandboxPublic",
        schema: yes,
        send: (init) =>
          http.GET(KEY_QUESTION, { ...init, params, parseAs: "text" }),
      });
    },

    async config() {
      const operation = "ConfigController_getConfig";
      const config = await ask({
        caller: "gateway",
        operation,
        schema: configAnswer,
        send: (init) => http.GET("/config", { ...init }),
      });
      if (config !== null) return config;
      throw new GatewayError(
        "api_unreachable",
        `Daytona API, ${operation}: refused; is the base URL complete?`,
      );
    },
  };
}

function isUser({ bearer, organizationId }: User): boolean {
  return isBearer(bearer) &&
    (organizationId === undefined || isUuid(organizationId));
}

function askedBy({ bearer, clientAddress, organizationId }: User) {
  return {
    caller: "user",
    headers: {
      authorization: `Bearer ${bearer}`,
      "x-forwarded-for": clientAddress,
      ...organizationId !== undefined &&
        { "x-daytona-organization-id": organizationId },
    },
  } as const;
}
