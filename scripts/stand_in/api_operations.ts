/** The Daytona API's answer to each operation, from its state. */
import {
  isInRegion,
  linkTo,
  NAMES_FIRST,
  noSandbox,
  type Operations,
  previewUrl,
  sandboxOf,
  shownSandbox,
  signingKeyOf,
  withNamedSandbox,
  withSandbox,
} from "./api_answers.ts";
import { ANY_BEARER, GATEWAYS, MEMBERS, PROXIES } from "./api_callers.ts";
import type { Answers } from "./api_contract.ts";
import { LIFECYCLE_OPERATIONS } from "./api_lifecycle_operations.ts";
import type { Refusal } from "./api_refusal.ts";
import { SDK_OPERATIONS } from "./api_sdk_operations.ts";
import {
  type ApiRunner,
  type ApiState,
  type Limit,
  ORGANIZATION,
  REGION,
  type Region,
} from "./api_state.ts";

/** Every operation; the type checker ensures that none of the contract is missing. */
export const OPERATIONS: Operations<Answers> = {
  ConfigController_getConfig: {
    method: "GET",
    path: "/config",
    callers: "anyone",
    answer: ({ state }) => shownConfig(state),
  },
  getCurrentApiKey: {
    method: "GET",
    path: "/api-keys/current",
    callers: { services: [], users: ["api-key"] },
    answer: ({ state, caller }) => ({
      ...KEY_DETAILS,
      ...state.hasErrorCodes && caller !== undefined &&
        "organizations" in caller &&
        { organizationId: [...caller.organizations][0] },
      permissions: caller !== undefined && "permissions" in caller
        ? caller.permissions
        : [],
      userId: caller !== undefined && "id" in caller ? `of ${caller.id}` : "",
    }),
  },
  isSandboxPublic: {
    method: "GET",
    path: "/preview/{sandboxId}/public",
    callers: PROXIES,
    // Even if it is destroyed.
    answer: (query) =>
      sandboxOf(query)?.public === true || noSandbox(query.params[0] ?? ""),
  },
  isValidAuthToken: {
    method: "GET",
    path: "/preview/{sandboxId}/validate/{authToken}",
    callers: PROXIES,
    answer(query) {
      const { params: [id = "", token] } = query;
      return sandboxOf(query)?.authToken === token || noSandbox(id);
    },
  },
  hasSandboxAccess: {
    method: "GET",
    path: "/preview/{sandboxId}/access",
    // Services are no users, and the real API does not notice: it lets them pass whatever the sandbox.
    callers: ANY_BEARER,
    answer(query) {
      const { state, params: [id = ""], caller } = query;
      const isService = caller?.kind === "service";
      const sandbox = isService ? state.sandboxes.get(id) : sandboxOf(query);
      if (sandbox === undefined) return noSandbox(id);
      if (sandbox.state !== "destroyed") return true;
      return { ...noSandbox(id), ...!isService && { code: DESTROYED } };
    },
  },
  getSigningKey: {
    method: "GET",
    path: "/preview/{sandboxId}/signing-key",
    callers: PROXIES,
    isJson: true,
    answer: (query) => withSandbox(query, signingKeyOf),
  },
  isPreviewWarningEnabled: {
    method: "GET",
    path: "/preview/{sandboxId}/preview-warning",
    callers: PROXIES,
    answer(query) {
      const { params: [label = ""], search } = query;
      const link = linkTo(query, label, search.get("port"));
      const params = [link?.sandboxId ?? label];
      return withSandbox(
        { ...query, params },
        ({ organizationId = ORGANIZATION }) => ({
          enabled: query.state.organizations.get(organizationId)
            ?.previewWarningEnabled === true,
        }),
      );
    },
  },
  getSandboxIdFromSignedPreviewUrlToken: {
    method: "GET",
    path: "/preview/{signedPreviewToken}/{port}/sandbox-id",
    callers: PROXIES,
    answer(query) {
      const { state, params: [token = "", port = ""], caller } = query;
      const link = linkTo(query, token, port);
      if (link === undefined) {
        return { refused: 403, message: "Invalid or expired token" };
      }
      const { sandboxId } = link;
      return isInRegion(caller, state.sandboxes.get(sandboxId) ?? {})
        ? sandboxId
        : noSandbox(sandboxId);
    },
  },
  getRunnerBySandboxId: {
    method: "GET",
    path: "/runners/by-sandbox/{sandboxId}",
    callers: GATEWAYS,
    answer: (query) =>
      withSandbox(
        query,
        ({ id, runnerId, state }) =>
          // To it, an archived sandbox is as unknown as any.
          state === "archived"
            ? noSandbox(id)
            : shownRunner(query.state, runnerId),
      ),
  },
  getRunnerFullById: {
    method: "GET",
    path: "/runners/{id}/full",
    callers: GATEWAYS,
    answer({ state, params: [id = ""], caller }) {
      const runner = state.runners.get(id);
      return runner !== undefined && isInRegion(caller, runner)
        ? shownRunner(state, id)
        : NO_RUNNER;
    },
  },
  getSandbox: {
    method: "GET",
    path: "/sandbox/{sandboxIdOrName}",
    callers: { ...MEMBERS, services: GATEWAYS.services },
    answer: (query) =>
      withNamedSandbox(query, (sandbox) => shownSandbox(query, sandbox), {
        endedToo: true,
      }),
  },
  getPortPreviewUrl: {
    method: "GET",
    path: "/sandbox/{sandboxIdOrName}/ports/{port}/preview-url",
    callers: MEMBERS,
    answer: (query) =>
      withNamedSandbox(query, (sandbox) => {
        const port = Number(query.params[1]);
        // NaN is neither.
        if (port < 1 || port > 65_535) {
          return { refused: 400, message: "Invalid port" };
        }
        return {
          sandboxId: sandbox.id,
          url: previewUrl(query, sandbox, sandbox.id),
          token: sandbox.authToken,
        };
      }, NAMES_FIRST),
  },
  listAvailableRegions: {
    method: "GET",
    path: "/regions",
    callers: MEMBERS,
    answer: ({ state, caller }) =>
      [...state.regions].filter(([, { organizationId }]) =>
        organizationId === undefined ||
        caller !== undefined && "organizations" in caller &&
          caller.organizations.has(organizationId)
      ).map(shownRegion),
  },
  updateLastActivity: {
    method: "POST",
    path: "/sandbox/{sandboxId}/last-activity",
    callers: { ...MEMBERS, services: GATEWAYS.services },
    answer(query) {
      const { caller, params: [id = ""] } = query;
      // The others are not told that there is no such sandbox.
      const isTold = caller?.kind !== "service" ||
        caller.role === "region-proxy";
      return isTold && sandboxOf(query) === undefined
        ? noSandbox(id)
        : undefined;
    },
  },
  getSnapshot: {
    method: "GET",
    path: "/snapshots/{id}",
    callers: MEMBERS,
    answer: ({ state, params: [id = ""], caller }) =>
      caller !== undefined && "visible" in caller && caller.visible.has(id) &&
        state.snapshots.get(id) ||
      { refused: 404, message: `Snapshot with ID ${id} not found` },
  },
  ...SDK_OPERATIONS,
  ...LIFECYCLE_OPERATIONS,
};

/** What newer APIs tell a member of a sandbox that was deleted. */
const DESTROYED = "SANDBOX_DESTROYED";

const NO_RUNNER: Refusal = { refused: 404, message: "Runner not found" };

/** Its limits are part of it; times in seconds. */
function shownConfig({ config, limits }: ApiState): ApiState["config"] {
  const shown = (limit: Limit | undefined) =>
    limit && { ttl: limit.ttlMs / 1000, limit: limit.limit };
  const rateLimit = {
    authenticated: { ...shown(limits.authenticated) },
    sandboxCreate: {},
    sandboxLifecycle: { ...shown(limits.sandboxLifecycle) },
  };
  return Object.assign({ rateLimit }, config);
}

function shownRunner(
  { runners }: ApiState,
  id: string,
): ApiRunner | Refusal {
  const runner = runners.get(id);
  return runner === undefined ? NO_RUNNER : { region: REGION, ...runner, id };
}

/** The properties of an API key that the gateway's contract omits. */
const KEY_DETAILS = {
  name: "stand-in",
  value: "dtn****000",
  createdAt: "2023-10-01T12:00:00Z",
  lastUsedAt: null,
  expiresAt: null,
};

/** What of {@linkcode Region} the API shows. */
function shownRegion(
  [id, { proxyUrl, organizationId }]: [string, Region],
) {
  return {
    id,
    name: id,
    organizationId: organizationId ?? null,
    regionType: organizationId === undefined ? "shared" : "custom",
    proxyUrl: proxyUrl ?? null,
  };
}
