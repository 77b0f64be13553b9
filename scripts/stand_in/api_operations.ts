/** The Daytona API's answer to each operation of the contract, from its state. */
import type { components, operations, paths } from "../../gen/daytona.ts";
import { sandboxDetails } from "./api_sandbox.ts";

type Schemas = components["schemas"];

/** The ids of the operations of the contract. */
export type OperationId = keyof operations;

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
  readonly runners: Map<string, Schemas["Runner"]>;
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
  /** The current time, ms since the epoch. */
  readonly now: number;
}

type Success<K extends OperationId> = operations[K]["responses"] extends
  { 200: { content: { "application/json": infer Body } } } ? Body : undefined;

/** How an operation is called and answered; a success without a body is a 201. */
export interface Operation<K extends OperationId = OperationId> {
  readonly method: "GET" | "POST";
  readonly path: keyof paths;
  /** Whose bearer token it accepts. */
  readonly caller: "anyone" | "proxy" | "user";
  answer(query: Query): Success<K> | Refusal;
}

/** Every operation of the contract; the type checker ensures that none is missing. */
export const OPERATIONS: { readonly [K in OperationId]: Operation<K> } = {
  ConfigController_getConfig: {
    method: "GET",
    path: "/config",
    caller: "anyone",
    answer: ({ state }) => state.config,
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
  getSandboxIdFromSignedPreviewUrlToken: {
    method: "GET",
    path: "/preview/{signedPreviewToken}/{port}/sandbox-id",
    caller: "proxy",
    answer({ state, params: [token = "", port], now }) {
      const link = state.signedTokens.get(token);
      return link !== undefined && link.port === Number(port) &&
          !link.revoked && now < link.expiresAt
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
    answer({ state, params: [id = ""], visible }) {
      const sandbox = state.sandboxes.get(id);
      if (sandbox === undefined || !visible.has(id)) return noSandbox(id);
      const { authToken: _, snapshotRef, ...shown } = sandbox;
      return {
        ...sandboxDetails(id, state.config),
        ...shown,
        ...snapshotRef !== undefined && { buildInfo: { snapshotRef } },
      };
    },
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
};

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const NO_RUNNER: Refusal = { refused: 404, message: "Runner not found" };

/** The same answer for a private sandbox, a wrong token and a sandbox that does not exist. */
export function noSandbox(id: string): Refusal {
  return { refused: 404, message: `Sandbox with ID ${id} not found` };
}
