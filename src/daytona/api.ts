/** The client of Daytona's API: the operations of operations.ts, as the gateway asks them. */
import type { Config } from "../config/config.ts";
import { GatewayError } from "../errors.ts";
import type { DaytonaApiOptions } from "./api_options.ts";
import { ApiCaller } from "./api_request.ts";
import { bringUp } from "./bring_up.ts";
import type { StartCredential, User } from "./credential.ts";
import type { PreviewUrl, Runner, Sandbox, Snapshot } from "./models.ts";
import type { OnUserAnswer, UserAnswer } from "./operation.ts";
import { hasOwner, isOwnedByUser } from "./owners.ts";
import { probeKey, probeRole } from "./probes.ts";
import type { ProxyRole } from "./proxy_role.ts";
import { readyRunner } from "./ready_runner.ts";
import type { RemoteConfig } from "./remote_config.ts";
import type { StartAnswer } from "./start_answer.ts";

export type { PreviewUrl, RemoteConfig, Runner, Sandbox, Snapshot };
export type { DaytonaApiOptions, StartAnswer, StartCredential };
export type { OnUserAnswer, User, UserAnswer };

/** By the gateway's own key. */
const by = { kind: "own" } as const;

function byUser(user: User): { readonly kind: "user"; readonly user: User } {
  return { kind: "user", user };
}

/**
 * What a gateway asks the API. Each call resolves only with a definite answer, of which false and null are the API's
 * "no", and the answer to what cannot be part of a call (see address/grammar.ts).
 *
 * @throws {GatewayError} as {@linkcode ApiCaller.call} does
 */
export class DaytonaApi {
  readonly #mode: Config["daytona"]["mode"];
  readonly #options: DaytonaApiOptions;
  readonly #api: ApiCaller;

  /** @throws {TypeError} if the gateway's key cannot be sent in a header */
  constructor(config: Config["daytona"], options: DaytonaApiOptions) {
    this.#mode = config.mode;
    this.#options = options;
    this.#api = new ApiCaller(config, options);
  }

  /** True if anyone may open the sandbox's previews. */
  isSandboxPublic(sandboxId: string): Promise<boolean> {
    return this.#api.call("isSandboxPublic", { path: { sandboxId }, by });
  }

  /** True if `token` is the sandbox's current preview token. */
  isPreviewToken(sandboxId: string, authToken: string): Promise<boolean> {
    const path = { sandboxId, authToken };
    return this.#api.call("isValidAuthToken", { path, by });
  }

  /** False if a bearer is the key of one of the installation's machines, or nobody's: see {@linkcode isOwnedByUser}. */
  isOwnedByUser(
    user: Omit<User, "organizationId">,
    onAnswer?: OnUserAnswer,
  ): Promise<boolean> {
    const { onOwnersUntold: onUntold } = this.#options;
    return isOwnedByUser(this.#api, user, { onUntold, onAnswer });
  }

  /** Finds out whether the API can tell users from machines; if not, `onOwnersUntold` is called. */
  async probeOwners(): Promise<void> {
    // The gateway's key is a machine's. If that is answered with an owner, nothing else is wrong.
    await hasOwner(this.#api, { by }, this.#options.onOwnersUntold);
  }

  /** True if the user belongs to the sandbox's organization; null if so, but the sandbox was deleted. */
  hasSandboxAccess(
    sandboxId: string,
    user: User,
    onAnswer?: OnUserAnswer,
  ): Promise<boolean | null> {
    const question = { path: { sandboxId }, by: byUser(user), onAnswer };
    return this.#api.call("hasSandboxAccess", question);
  }

  /** True if the sandbox's organization wants a warning before its previews; null if the API cannot tell. */
  wantsPreviewWarning(sandboxId: string): Promise<boolean | null> {
    const path = { sandboxId };
    return this.#api.call("isPreviewWarningEnabled", { path, by });
  }

  /** The sandbox behind a signed preview link for that port. */
  sandboxIdOfSignedToken(
    signedPreviewToken: string,
    port: number,
  ): Promise<string | null> {
    const path = { signedPreviewToken, port };
    const operation = "getSandboxIdFromSignedPreviewUrlToken";
    return this.#api.call(operation, { path, by });
  }

  /** The key by which the URLs of the sandbox's files are signed; also null if the API does not know such URLs. */
  signingKeyOfSandbox(sandboxId: string): Promise<string | null> {
    return this.#api.call("getSigningKey", { path: { sandboxId }, by });
  }

  /** The runner that holds the sandbox; throws as {@linkcode readyRunner} does. */
  async runnerOfSandbox(sandboxId: string): Promise<Runner | null> {
    const path = { sandboxId };
    const record = await this.#api.call("getRunnerBySandboxId", { path, by });
    if (record?.region) this.#options.onRunnerRegion?.(record.region);
    return record && readyRunner(record);
  }

  /** The runner with that UUID; throws as {@linkcode readyRunner} does. */
  async runnerById(id: string): Promise<Runner | null> {
    const path = { id };
    const record = await this.#api.call("getRunnerFullById", { path, by });
    return record && readyRunner(record);
  }

  /**
   * Any sandbox, by the gateway's own key; null if there is none by that id, or if the API does not show sandboxes to
   * gateways of this role: then `onSandboxHidden` is called.
   */
  sandboxById(sandboxIdOrName: string): Promise<Sandbox | null> {
    return this.#api.call("getSandbox", {
      path: { sandboxIdOrName },
      by,
      onAnswer: ({ status }) =>
        status === 403 && this.#options.onSandboxHidden(),
    });
  }

  /** Where a port of one of the organization's sandboxes is to be seen, by the organization's key. */
  previewUrlOf(
    sandboxIdOrName: string,
    port: number,
  ): Promise<PreviewUrl | null> {
    const path = { sandboxIdOrName, port };
    return this.#api.call("getPortPreviewUrl", { path, by });
  }

  /** The addresses of the proxies that regions of the organization have of their own; null if the API does not tell. */
  regionProxyUrls(): Promise<readonly string[] | null> {
    return this.#api.call("listAvailableRegions", { by });
  }

  /** One of the user's sandboxes. */
  sandbox(sandboxIdOrName: string, user: User): Promise<Sandbox | null> {
    const question = { path: { sandboxIdOrName }, by: byUser(user) };
    return this.#api.call("getSandbox", question);
  }

  /** Starts a sandbox. The API is asked once: it may have begun although it does not answer. */
  startSandbox(sandboxId: string, by: StartCredential): Promise<StartAnswer> {
    return bringUp(this.#api, "startSandbox", { sandboxId, by });
  }

  /** Starts a sandbox that is in an error from which it can be recovered. */
  recoverSandbox(sandboxId: string, by: StartCredential): Promise<StartAnswer> {
    return bringUp(this.#api, "recoverSandbox", { sandboxId, by });
  }

  /** One of the user's snapshots. */
  snapshot(id: string, user: User): Promise<Snapshot | null> {
    return this.#api.call("getSnapshot", { path: { id }, by: byUser(user) });
  }

  /** Postpones the sandbox's automatic stop; it is not a failure if the sandbox is gone. */
  async updateLastActivity(sandboxId: string): Promise<void> {
    await this.#api.call("updateLastActivity", { path: { sandboxId }, by });
  }

  /** Makes a call that needs the gateway's own key; the verdict goes to `onKeyVerdict`. */
  probeKey(): Promise<void> {
    return probeKey(this.#api, this.#mode, this.#options.onKeyVerdict);
  }

  /** Asks what the API takes the gateway for; undefined if its answer does not show that. */
  probeRole(): Promise<ProxyRole | undefined> {
    return probeRole(this.#api);
  }

  /** The installation's public configuration. */
  async config(): Promise<RemoteConfig> {
    const operation = "ConfigController_getConfig";
    const config = await this.#api.call(operation, { by: { kind: "none" } });
    if (config !== null) return config;
    throw new GatewayError(
      "api_unreachable",
      `Daytona API, ${operation}: refused; is the base URL complete?`,
    );
  }
}
