/** The Daytona API's answer to each operation, from its state. */
import type { components, operations } from "../../gen/daytona.ts";

type Schemas = components["schemas"];

/** The ids of the operations of the contract, `openapi/daytona.yaml`, which the gateway calls. */
export type OperationId = keyof operations;

/**
 * The answers to further calls of Daytona's SDK, by the ids in Daytona's own description; the gateway's contract does not
 * cover them, so they are typed here, with the properties that the SDK reads.
 */
interface SdkAnswers {
  readonly getPortPreviewUrl: {
    readonly sandboxId: string;
    readonly url: string;
    readonly token: string;
  };
  readonly getSignedPortPreviewUrl: {
    readonly sandboxId: string;
    readonly port: number;
    readonly token: string;
    readonly url: string;
  };
  readonly expireSignedPortPreviewUrl: undefined;
  readonly getToolboxProxyUrl: { readonly url: string };
}

/** The ids of all operations. */
export type OperationName = OperationId | keyof SdkAnswers;

/** A sandbox in the API's database. */
export interface ApiSandbox {
  readonly id: string;
  public: boolean;
  /** The standard preview token, valid on every port. */
  authToken: string;
  /** A key of {@linkcode ApiState.runners}. */
  runnerId: string;
  /** Daytona's state: `started`, `stopped`, ... */
  state: string;
  /** The image that was built for it, if any. */
  snapshotRef?: string;
}

/** A runner in the API's database. */
export type ApiRunner = Schemas["Runner"];

/** A signed preview link for one port of a sandbox. */
export interface SignedToken {
  readonly sandboxId: string;
  readonly port: number;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  revoked: boolean;
}

/** The API's database, which tests may change. */
export interface ApiState {
  config: Schemas["DaytonaConfiguration"];
  /** The key of the proxy. */
  serviceKey: string;
  readonly sandboxes: Map<string, ApiSandbox>;
  readonly runners: Map<string, ApiRunner>;
  readonly snapshots: Map<string, Schemas["Snapshot"]>;
  /** By token. */
  readonly signedTokens: Map<string, SignedToken>;
  /** Users by API key, each with the ids of the sandboxes and snapshots that they have access to. */
  readonly users: Map<string, Set<string>>;
  /** Users by the subject of their access token, with the same ids. */
  readonly subjects: Map<string, Set<string>>;
}

/** An HTTP error of the API. */
export interface Refusal {
  readonly refused: number;
  readonly message: string;
}

/** A call, and the caller's access. */
export interface Query {
  readonly state: ApiState;
  /** The path parameters in order, decoded. */
  readonly params: readonly string[];
  /** The query. */
  readonly search: URLSearchParams;
  /** The ids that the calling user has access to. */
  readonly visible: ReadonlySet<string>;
}

/** The body of a success; an operation without one answers with a 201. */
type Success<K extends OperationName> = K extends keyof SdkAnswers
  ? SdkAnswers[K]
  : K extends OperationId
    ? operations[K]["responses"] extends
      { 200: { content: { "application/json": infer Body } } } ? Body
    : undefined
  : never;

/** An operation: its call and its answer. */
interface Operation<K extends OperationName> {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Whose bearer token it accepts. */
  readonly caller: "anyone" | "proxy" | "user";
  answer(query: Query): Success<K> | Refusal;
}

/** Every operation; the type checker ensures that none of the contract is missing. */
export const OPERATIONS: {
  readonly [K in OperationName]: Operation<K>;
} = {
  ConfigController_getConfig: {
    method: "GET",
    path: "/config",
    caller: "anyone",
    answer: ({ state }) => state.config,
  },
  getCurrentApiKey: {
    method: "GET",
    path: "/api-keys/current",
    caller: "user",
    answer: () => ({ userId: "alice" }),
  },
  isSandboxPublic: {
    method: "GET",
    path: "/preview/{sandboxId}/public",
    caller: "proxy",
    answer: ({ state, params: [id = ""] }) =>
      state.sandboxes.get(id)?.public === true || noSandbox(id),
  },
  isValidAuthToken: {
    method: "GET",
    path: "/preview/{sandboxId}/validate/{authToken}",
    caller: "proxy",
    answer: ({ state, params: [id = "", token] }) =>
      state.sandboxes.get(id)?.authToken === token || noSandbox(id),
  },
  hasSandboxAccess: {
    method: "GET",
    path: "/preview/{sandboxId}/access",
    caller: "user",
    answer: ({ state, params: [id = ""], visible }) =>
      state.sandboxes.has(id) && visible.has(id) || noSandbox(id),
  },
  getSigningKey: {
    method: "GET",
    path: "/preview/{sandboxId}/signing-key",
    caller: "proxy",
    answer: ({ state, params: [id = ""] }) =>
      state.sandboxes.has(id) ? `${id}-signing-key` : noSandbox(id),
  },
  isPreviewWarningEnabled: {
    method: "GET",
    path: "/preview/{sandboxId}/preview-warning",
    caller: "proxy",
    answer: ({ state, params: [id = ""] }) =>
      state.sandboxes.has(id) ? { enabled: false } : noSandbox(id),
  },
  getSandboxIdFromSignedPreviewUrlToken: {
    method: "GET",
    path: "/preview/{signedPreviewToken}/{port}/sandbox-id",
    caller: "proxy",
    answer({ state, params: [token = "", port] }) {
      const link = state.signedTokens.get(token);
      return link !== undefined && link.port === Number(port) &&
          !link.revoked && Date.now() < link.expiresAt
        ? link.sandboxId
        : { refused: 403, message: "Invalid or expired token" };
    },
  },
  getRunnerBySandboxId: {
    method: "GET",
    path: "/runners/by-sandbox/{sandboxId}",
    caller: "proxy",
    answer({ state, params: [id = ""] }) {
      const sandbox = state.sandboxes.get(id);
      if (sandbox === undefined) return noSandbox(id);
      return state.runners.get(sandbox.runnerId) ?? NO_RUNNER;
    },
  },
  getRunnerFullById: {
    method: "GET",
    path: "/runners/{id}/full",
    caller: "proxy",
    answer: ({ state, params: [id = ""] }) =>
      UUID.test(id)
        ? state.runners.get(id) ?? NO_RUNNER
        : { refused: 400, message: "Validation failed (uuid is expected)" },
  },
  getSandbox: {
    method: "GET",
    path: "/sandbox/{sandboxIdOrName}",
    caller: "user",
    answer: (query) =>
      withSandbox(query, ({ authToken: _, snapshotRef, ...shown }) => ({
        ...SDK_DETAILS,
        name: shown.id,
        toolboxProxyUrl: query.state.config.proxyToolboxUrl,
        ...shown,
        ...snapshotRef !== undefined && { buildInfo: { snapshotRef } },
      })),
  },
  updateLastActivity: {
    method: "POST",
    path: "/sandbox/{sandboxId}/last-activity",
    caller: "proxy",
    answer: ({ state, params: [id = ""] }) =>
      state.sandboxes.has(id) ? undefined : noSandbox(id),
  },
  getSnapshot: {
    method: "GET",
    path: "/snapshots/{id}",
    caller: "user",
    answer: ({ state, params: [id = ""], visible }) =>
      visible.has(id) && state.snapshots.get(id) ||
      { refused: 404, message: `Snapshot with ID ${id} not found` },
  },
  getPortPreviewUrl: {
    method: "GET",
    path: "/sandbox/{sandboxIdOrName}/ports/{port}/preview-url",
    caller: "user",
    answer: (query) =>
      withSandbox(query, ({ id, authToken }) => ({
        sandboxId: id,
        url: previewUrl(query, id),
        token: authToken,
      })),
  },
  getSignedPortPreviewUrl: {
    method: "GET",
    path: "/sandbox/{sandboxIdOrName}/ports/{port}/signed-preview-url",
    caller: "user",
    answer: (query) =>
      withSandbox(query, ({ id }) => {
        const { state, params: [, port], search } = query;
        const seconds = Number(search.get("expiresInSeconds") ?? 60);
        if (!(seconds >= 1 && seconds <= 86_400)) {
          return {
            refused: 400,
            message: "expiresInSeconds must be between 1 second and 24 hours",
          };
        }
        const token = newSignedToken();
        state.signedTokens.set(token, {
          sandboxId: id,
          port: Number(port),
          expiresAt: Date.now() + seconds * 1000,
          revoked: false,
        });
        return {
          sandboxId: id,
          port: Number(port),
          token,
          url: previewUrl(query, token),
        };
      }),
  },
  expireSignedPortPreviewUrl: {
    method: "POST",
    path:
      "/sandbox/{sandboxIdOrName}/ports/{port}/signed-preview-url/{token}/expire",
    caller: "user",
    answer: (query) =>
      withSandbox(query, ({ id }) => {
        const { state, params: [, port, token = ""] } = query;
        const link = state.signedTokens.get(token);
        if (link?.sandboxId === id && link.port === Number(port)) {
          link.revoked = true;
        }
        return undefined;
      }),
  },
  getToolboxProxyUrl: {
    method: "GET",
    path: "/sandbox/{sandboxId}/toolbox-proxy-url",
    caller: "user",
    answer: (query) =>
      withSandbox(query, () => ({ url: query.state.config.proxyToolboxUrl })),
  },
};

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const NO_RUNNER: Refusal = { refused: 404, message: "Runner not found" };

/** The same answer for a private sandbox, a wrong token and a sandbox that does not exist. */
function noSandbox(id: string): Refusal {
  return { refused: 404, message: `Sandbox with ID ${id} not found` };
}

/** True if an answer is an error. */
export function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === "object" && answer !== null && "refused" in answer;
}

/** The properties of a sandbox that the SDK needs and the gateway's contract omits; sizes in GiB. */
const SDK_DETAILS = {
  organizationId: "2f0e6f0a-6d0b-4b57-9a0c-6f1d7f0f4a11",
  user: "daytona",
  env: {},
  labels: {},
  target: "local",
  cpu: 1,
  gpu: 0,
  memory: 1,
  disk: 3,
  networkBlockAll: false,
};

/** Answers for the sandbox named first in the path, if the caller has access to it. */
function withSandbox<T>(
  { state, params: [id = ""], visible }: Query,
  answer: (sandbox: ApiSandbox) => T,
): T | Refusal {
  const sandbox = state.sandboxes.get(id);
  return sandbox === undefined || !visible.has(id)
    ? noSandbox(id)
    : answer(sandbox);
}

function previewUrl(
  { state, params: [, port = ""] }: Query,
  label: string,
): string {
  return state.config.proxyTemplateUrl
    .replace("{{PORT}}", port)
    .replace("{{sandboxId}}", label);
}

/** Sixteen characters of `[a-z0-9]`, like the real ones. */
function newSignedToken(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}
