/** The client of Daytona's API. */
import { z } from "zod";
import { DaytonaClient } from "../../gen/clients.ts";
import {
  isBearer,
  isJwtShaped,
  isPort,
  isSandboxRef,
  isUuid,
  mayBePreviewToken,
} from "../address/grammar.ts";
import type { Config, GatewayMode } from "../config/config.ts";
import { GatewayError } from "../errors.ts";
import {
  ApiCaller,
  type ApiCallerOptions,
  type ApiRequest,
} from "./api_request.ts";
import {
  apiKeyAnswer,
  type PreviewUrl,
  previewUrlAnswer,
  previewWarningAnswer,
  regionProxyUrlsAnswer,
  type Runner,
  type RunnerRecord,
  runnerRecordAnswer,
  type Sandbox,
  sandboxAnswer,
  saysDeleted,
  signingKeyText,
  type Snapshot,
  snapshotAnswer,
} from "./models.ts";
import { type ProxyRole, proxyRoleOf } from "./proxy_role.ts";
import { configAnswer, type RemoteConfig } from "./remote_config.ts";
import { type KeyVerdict, keyVerdictOf } from "./service_key.ts";
import { type StartAnswer, startAnswerOf } from "./start_answer.ts";

export type {
  PreviewUrl,
  RemoteConfig,
  Runner,
  Sandbox,
  Snapshot,
  StartAnswer,
};

/** The user on whose behalf a call is made. */
export interface User {
  /** An API key or JWT, without the scheme. */
  readonly bearer: string;
  /** The address that the request came from: the API counts refusals per address. */
  readonly clientAddress: string;
  /** The UUID of one of the user's organizations; only a JWT needs it. */
  readonly organizationId?: string | undefined;
}

/** By whose right a sandbox starts: the gateway's own key, a user's bearer, or a key that the operator gave for that. */
export type StartCredential =
  | { readonly kind: "own" }
  | { readonly kind: "user"; readonly user: User }
  | { readonly kind: "key"; readonly key: string };

/** An answer of the API to a question that was asked with a user's bearer. */
export interface UserAnswer {
  readonly status: number;
  readonly headers: Headers;
}

/** Called with each such answer. */
export type OnUserAnswer = (answer: UserAnswer) => void;

/** Dependencies of {@linkcode DaytonaApi} besides its configuration. */
export interface DaytonaApiOptions extends ApiCallerOptions {
  /** Called for every response that shows what the API makes of the gateway's own key. */
  readonly onKeyVerdict: (verdict: KeyVerdict) => void;
  /** Called whenever the API turns out to have no operation by which {@linkcode DaytonaApi.isOwnedByUser} could tell. */
  readonly onOwnersUntold: () => void;
  /** Called whenever the API does not show the gateway a sandbox because of the gateway's role. */
  readonly onSandboxHidden: () => void;
  /** Called with the region of each runner that the API tells the gateway of. */
  readonly onRunnerRegion?: (region: string) => void;
  readonly fetch?: (request: Request) => Promise<Response>;
}

/** Longest wait for a start, ms: the API answers after 30 s at the latest. */
const START_TIMEOUT_MS = 40_000;

// "No" has a status of its own, so the body of a 200 can only be `true`: a page that some web server serves for every
// path must not count as a yes.
const yes = z.literal("true");
const sandboxIdText = z.string().refine(isSandboxRef);

/**
 * The operations of Daytona's API that a gateway needs. Each resolves only with a definite answer, of which false and
 * null are the API's "no". A value that cannot be part of a call (see address/grammar.ts) is answered "no" without a call.
 *
 * @throws {GatewayError} `api_unreachable` if there is no definite answer, `user_throttled` or `api_throttled` if the API
 * says so of the user or of the gateway; every operation
 */
export class DaytonaApi {
  readonly #mode: GatewayMode;
  readonly #client: DaytonaClient;
  readonly #caller: ApiCaller;
  readonly #authorization: string;
  readonly #onKeyVerdict: (verdict: KeyVerdict) => void;
  readonly #onOwnersUntold: () => void;
  readonly #onSandboxHidden: () => void;
  readonly #onRunnerRegion: (region: string) => void;

  /** @throws {TypeError} if the gateway's key cannot be sent in a header */
  constructor(config: Config["daytona"], options: DaytonaApiOptions) {
    if (!isBearer(config.serviceKey)) {
      throw new TypeError("Cannot use 'serviceKey': it is not visible ASCII");
    }
    this.#mode = config.mode;
    this.#authorization = `Bearer ${config.serviceKey}`;
    this.#client = new DaytonaClient({
      baseUrl: config.apiUrl,
      fetch: options.fetch ?? globalThis.fetch,
      redirect: "manual",
    });
    this.#caller = new ApiCaller(config, options);
    this.#onKeyVerdict = options.onKeyVerdict;
    this.#onOwnersUntold = options.onOwnersUntold;
    this.#onSandboxHidden = options.onSandboxHidden;
    this.#onRunnerRegion = options.onRunnerRegion ?? (() => {});
  }

  /** True if anyone may open the sandbox's previews. */
  async isSandboxPublic(sandboxId: string): Promise<boolean> {
    if (!isSandboxRef(sandboxId)) return false;
    const params = { path: { sandboxId } };
    return await this.#saysYes({
      ...this.#asProxy(),
      operation: "isSandboxPublic",
      send: (init) =>
        this.#client.preview.isSandboxPublic({
          ...init,
          params,
          parseAs: "text",
        }),
    });
  }

  /** True if `token` is the sandbox's current preview token. */
  async isPreviewToken(sandboxId: string, token: string): Promise<boolean> {
    if (!isSandboxRef(sandboxId) || !mayBePreviewToken(token)) return false;
    const params = { path: { sandboxId, authToken: token } };
    return await this.#saysYes({
      ...this.#asProxy(),
      operation: "isValidAuthToken",
      send: (init) =>
        this.#client.preview.isValidAuthToken({
          ...init,
          params,
          parseAs: "text",
        }),
    });
  }

  /**
   * False if a bearer is the key of one of the installation's machines, such as a runner's, or nobody's.
   *
   * The API takes such machines for members of every organization ({@linkcode DaytonaApi.hasSandboxAccess}), so that
   * has to be asked too. Only users have JWTs: about those, no call is needed. An API without the operation cannot tell,
   * and everybody counts as a user, as far as it admits them.
   */
  async isOwnedByUser(
    { bearer, clientAddress }: Omit<User, "organizationId">,
    onAnswer?: OnUserAnswer,
  ): Promise<boolean> {
    if (!isBearer(bearer)) return false;
    if (isJwtShaped(bearer)) return true;
    return await this.#isUsersKey(asUser({ bearer, clientAddress }), onAnswer);
  }

  /** Finds out whether the API can tell users from machines; if not, `onOwnersUntold` is called. */
  async probeOwners(): Promise<void> {
    // The gateway's key is a machine's. If that is answered with an owner, nothing else is wrong.
    await this.#isUsersKey(this.#withKey([]));
  }

  /** True if the user belongs to the sandbox's organization; null if so, but the sandbox was deleted. */
  async hasSandboxAccess(
    sandboxId: string,
    user: User,
    onAnswer?: OnUserAnswer,
  ): Promise<boolean | null> {
    if (!isSandboxRef(sandboxId) || !isSendable(user)) return false;
    const params = { path: { sandboxId } };
    let isDeleted = false;
    const isMember = await this.#saysYes({
      ...asUser(user),
      operation: "hasSandboxAccess",
      onStatus(status, refusal, headers) {
        isDeleted = saysDeleted(refusal);
        onAnswer?.({ status, headers });
      },
      send: (init) =>
        this.#client.preview.hasSandboxAccess({
          ...init,
          params,
          parseAs: "text",
        }),
    });
    return !isMember && isDeleted ? null : isMember;
  }

  /** True if the sandbox's organization wants a warning before its previews; null if the API cannot tell. */
  async wantsPreviewWarning(sandboxId: string): Promise<boolean | null> {
    if (!isSandboxRef(sandboxId)) return null;
    const params = { path: { sandboxId } };
    return await this.#caller.callApi({
      // Where the operation is unknown, 404 says nothing about the gateway's key.
      ...this.#withKey(["unknown"]),
      operation: "isPreviewWarningEnabled",
      schema: previewWarningAnswer,
      send: (init) =>
        this.#client.preview.isPreviewWarningEnabled({ ...init, params }),
    });
  }

  /** The sandbox behind a signed preview link for that port. */
  async sandboxIdOfSignedToken(
    signedPreviewToken: string,
    port: number,
  ): Promise<string | null> {
    if (!isSandboxRef(signedPreviewToken) || !isPort(port)) return null;
    const params = { path: { signedPreviewToken, port } };
    return await this.#caller.callApi({
      ...this.#asProxy(),
      operation: "getSandboxIdFromSignedPreviewUrlToken",
      schema: sandboxIdText,
      send: (init) =>
        this.#client.preview.getSandboxIdFromSignedPreviewUrlToken({
          ...init,
          params,
          parseAs: "text",
        }),
    });
  }

  /** The key by which the URLs of the sandbox's files are signed; also null if the API does not know such URLs. */
  async signingKeyOfSandbox(sandboxId: string): Promise<string | null> {
    if (!isSandboxRef(sandboxId)) return null;
    const params = { path: { sandboxId } };
    return await this.#caller.callApi({
      // Where the operation is unknown, 404 says nothing about the gateway's key.
      ...this.#withKey(["unknown"]),
      operation: "getSigningKey",
      schema: signingKeyText,
      send: (init) =>
        this.#client.preview.getSigningKey({
          ...init,
          params,
          parseAs: "text",
        }),
    });
  }

  /**
   * The runner that holds the sandbox.
   *
   * @throws {GatewayError} `runner_not_ready` if it has not reported yet where it is
   */
  async runnerOfSandbox(sandboxId: string): Promise<Runner | null> {
    if (!isSandboxRef(sandboxId)) return null;
    const params = { path: { sandboxId } };
    const record = await this.#caller.callApi({
      ...this.#asGateway(),
      operation: "getRunnerBySandboxId",
      schema: runnerRecordAnswer,
      send: (init) =>
        this.#client.runners.getRunnerBySandboxId({ ...init, params }),
    });
    if (record?.region) this.#onRunnerRegion(record.region);
    return record && readyRunner(record);
  }

  /**
   * The runner with that UUID.
   *
   * @throws {GatewayError} `runner_not_ready` if it has not reported yet where it is
   */
  async runnerById(id: string): Promise<Runner | null> {
    if (!isUuid(id)) return null;
    const params = { path: { id } };
    const record = await this.#caller.callApi({
      ...this.#asGateway(),
      operation: "getRunnerFullById",
      schema: runnerRecordAnswer,
      send: (init) =>
        this.#client.runners.getRunnerFullById({ ...init, params }),
    });
    return record && readyRunner(record);
  }

  /**
   * Any sandbox, by the gateway's own key; null if there is none by that id, or if the API does not show sandboxes to
   * gateways of this role: then `onSandboxHidden` is called.
   */
  async sandboxById(sandboxId: string): Promise<Sandbox | null> {
    if (!isSandboxRef(sandboxId)) return null;
    const params = { path: { sandboxIdOrName: sandboxId } };
    const credential = this.#asGateway();
    return await this.#caller.callApi({
      ...credential,
      operation: "getSandbox",
      schema: sandboxAnswer,
      onStatus: (status) => {
        credential.onStatus(status);
        if (status === 403) this.#onSandboxHidden();
      },
      send: (init) => this.#client.sandbox.getSandbox({ ...init, params }),
    });
  }

  /** Where a port of one of the organization's sandboxes is to be seen, by the organization's key. */
  async previewUrlOf(
    sandboxId: string,
    port: number,
  ): Promise<PreviewUrl | null> {
    if (!isSandboxRef(sandboxId) || !isPort(port)) return null;
    const params = { path: { sandboxIdOrName: sandboxId, port } };
    return await this.#caller.callApi({
      ...this.#asOrganization(),
      operation: "getPortPreviewUrl",
      schema: previewUrlAnswer,
      send: (init) =>
        this.#client.sandbox.getPortPreviewUrl({ ...init, params }),
    });
  }

  /** The addresses of the proxies that regions of the organization have of their own; null if the API does not tell. */
  async regionProxyUrls(): Promise<readonly string[] | null> {
    return await this.#caller.callApi({
      ...this.#withKey(["unknown"]),
      operation: "listAvailableRegions",
      schema: regionProxyUrlsAnswer,
      send: (init) => this.#client.organizations.listAvailableRegions(init),
    });
  }

  /** One of the user's sandboxes. */
  async sandbox(sandboxIdOrName: string, user: User): Promise<Sandbox | null> {
    if (!isSandboxRef(sandboxIdOrName) || !isSendable(user)) return null;
    const params = { path: { sandboxIdOrName } };
    return await this.#caller.callApi({
      ...asUser(user),
      operation: "getSandbox",
      schema: sandboxAnswer,
      send: (init) => this.#client.sandbox.getSandbox({ ...init, params }),
    });
  }

  /** Starts a sandbox. The API is asked once: it may have begun although it does not answer. */
  async startSandbox(
    sandboxId: string,
    by: StartCredential,
  ): Promise<StartAnswer> {
    return await this.#bringUp("startSandbox", sandboxId, by);
  }

  /** The same for a sandbox in an error from which it can be recovered. */
  async recoverSandbox(
    sandboxId: string,
    by: StartCredential,
  ): Promise<StartAnswer> {
    return await this.#bringUp("recoverSandbox", sandboxId, by);
  }

  async #bringUp(
    operation: "startSandbox" | "recoverSandbox",
    sandboxId: string,
    by: StartCredential,
  ): Promise<StartAnswer> {
    if (
      !isSandboxRef(sandboxId) || by.kind === "user" && !isSendable(by.user)
    ) return { kind: "not_allowed", reason: "not sent" };
    const params = { path: { sandboxIdOrName: sandboxId } };
    const credential = this.#toStart(by);
    let answer: StartAnswer | undefined;
    const call = this.#caller.callApi({
      ...credential,
      operation,
      timeoutMs: START_TIMEOUT_MS,
      maxTries: 1,
      schema: z.unknown(),
      onStatus(status, refusal, headers) {
        if ("onStatus" in credential) credential.onStatus(status);
        answer = startAnswerOf(status, refusal, headers);
      },
      send: (init) =>
        operation === "startSandbox"
          ? this.#client.sandbox.startSandbox({ ...init, params })
          : this.#client.sandbox.recoverSandbox({ ...init, params }),
    });
    await call.catch((error) => {
      if (answer?.kind !== "throttled") throw error;
    });
    return answer ?? { kind: "not_allowed", reason: "a page" };
  }

  #toStart(by: StartCredential) {
    switch (by.kind) {
      case "own":
        return this.#withKey(["unknown"]); // 403 may be about the organization
      case "user":
        return asUser(by.user);
      case "key": {
        const headers = { authorization: `Bearer ${by.key}` };
        return { credentialOf: "user", headers } as const;
      }
    }
  }

  /** One of the user's snapshots. */
  async snapshot(id: string, user: User): Promise<Snapshot | null> {
    if (!isSandboxRef(id) || !isSendable(user)) return null;
    const params = { path: { id } };
    return await this.#caller.callApi({
      ...asUser(user),
      operation: "getSnapshot",
      schema: snapshotAnswer,
      send: (init) => this.#client.snapshots.getSnapshot({ ...init, params }),
    });
  }

  /** Postpones the sandbox's automatic stop; it is not a failure if the sandbox is gone. */
  async updateLastActivity(sandboxId: string): Promise<void> {
    if (!isSandboxRef(sandboxId)) return;
    const params = { path: { sandboxId } };
    await this.#caller.callApi({
      ...this.#asGateway(),
      operation: "updateLastActivity",
      schema: z.unknown(),
      send: (init) =>
        this.#client.sandbox.updateLastActivity({
          ...init,
          params,
          parseAs: "text",
        }),
    });
  }

  /** Makes a call that needs the gateway's own key; the verdict goes to `onKeyVerdict`. */
  async probeKey(): Promise<void> {
    if (this.#mode === "hosted") {
      await this.previewUrlOf(crypto.randomUUID(), 1);
      return;
    }
    const params = { path: { sandboxId: crypto.randomUUID() } };
    await this.#saysYes({
      ...this.#withKey(["accepted", "unknown", "other_role"]),
      operation: "isSandboxPublic",
      send: (init) =>
        this.#client.preview.isSandboxPublic({
          ...init,
          params,
          parseAs: "text",
        }),
    });
  }

  /** Asks what the API takes the gateway for; undefined if its answer does not show that. */
  async probeRole(): Promise<ProxyRole | undefined> {
    const params = { path: { sandboxIdOrName: crypto.randomUUID() } };
    const credential = this.#asGateway();
    let role: ProxyRole | undefined;
    await this.#caller.callApi({
      ...credential,
      operation: "getSandbox",
      schema: z.unknown(),
      onStatus: (status) => {
        credential.onStatus(status);
        role = proxyRoleOf(status);
      },
      send: (init) => this.#client.sandbox.getSandbox({ ...init, params }),
    });
    return role;
  }

  /** The installation's public configuration. */
  async config(): Promise<RemoteConfig> {
    const operation = "ConfigController_getConfig";
    const config = await this.#caller.callApi({
      credentialOf: "gateway",
      operation,
      schema: configAnswer,
      send: (init) => this.#client.config.ConfigController_getConfig(init),
    });
    if (config !== null) return config;
    throw new GatewayError(
      "api_unreachable",
      `Daytona API, ${operation}: refused; is the base URL complete?`,
    );
  }

  async #isUsersKey(
    credential: Pick<ApiRequest<object>, "credentialOf" | "headers">,
    onAnswer?: OnUserAnswer,
  ): Promise<boolean> {
    let isUntold = false;
    const key = await this.#caller.callApi({
      ...credential,
      operation: "getCurrentApiKey",
      schema: apiKeyAnswer,
      // To every bearer that it does not know or like, the operation answers 401 or 403.
      onStatus(status, _, headers) {
        isUntold = status === 404;
        onAnswer?.({ status, headers });
      },
      send: (init) => this.#client.apiKeys.getCurrentApiKey(init),
    });
    if (isUntold) this.#onOwnersUntold();
    return key !== null || isUntold;
  }

  async #saysYes(request: Omit<ApiRequest<"true">, "schema">) {
    return await this.#caller.callApi({ ...request, schema: yes }) !== null;
  }

  /** For operations that only the proxy may call. 403 may be about the sandbox or the signed token. */
  #asProxy() {
    return this.#withKey(["accepted", "unknown"]);
  }

  /** For operations that only an organization's key may call: a proxy's is answered 403. */
  #asOrganization() {
    return this.#withKey(["accepted", "unknown", "other_role"]);
  }

  /** For operations that Daytona's SSH gateway may call too. 403 may be about the sandbox, which may not be this proxy's. */
  #asGateway() {
    return this.#withKey(["unknown"]);
  }

  /** Sends the gateway's key; `possible` are the verdicts on it that a status of the operation can give. */
  #withKey(possible: readonly KeyVerdict[]) {
    return {
      credentialOf: "gateway",
      headers: { authorization: this.#authorization },
      onStatus: (status: number) => {
        const verdict = keyVerdictOf(status);
        if (verdict !== undefined && possible.includes(verdict)) {
          this.#onKeyVerdict(verdict);
        }
      },
    } as const;
  }
}

function isSendable({ bearer, organizationId }: User): boolean {
  return isBearer(bearer) &&
    (organizationId === undefined || isUuid(organizationId));
}

/** @throws {GatewayError} `runner_not_ready` */
function readyRunner(
  { proxyUrl, region: _, ...record }: RunnerRecord,
): Runner {
  if (proxyUrl !== null) return { ...record, proxyUrl };
  throw new GatewayError(
    "runner_not_ready",
    "The runner has not told the API its address yet",
  );
}

/** Sends the user's credential. */
function asUser({ bearer, clientAddress, organizationId }: User) {
  return {
    credentialOf: "user",
    headers: {
      authorization: `Bearer ${bearer}`,
      "x-forwarded-for": clientAddress,
      ...organizationId !== undefined &&
        { "x-daytona-organization-id": organizationId },
    },
  } as const;
}
