/** The client of Daytona's API: the operations of operations.ts, as the gateway asks them. */
import { isBearer, isJwtShaped } from "../address/grammar.ts";
import type { Config } from "../config/config.ts";
import { GatewayError } from "../errors.ts";
import { digestKey } from "../lib/digest.ts";
import { ExpiringLru } from "../lib/lru.ts";
import {
  ApiCaller,
  type ApiCallerOptions,
  type Question,
} from "./api_request.ts";
import type { StartCredential, User } from "./credential.ts";
import type {
  PreviewUrl,
  Runner,
  RunnerRecord,
  Sandbox,
  Snapshot,
} from "./models.ts";
import type { OnUserAnswer, UserAnswer } from "./operation.ts";
import { type ProxyRole, proxyRoleOf } from "./proxy_role.ts";
import type { RemoteConfig } from "./remote_config.ts";
import { type StartAnswer, startAnswerOf } from "./start_answer.ts";

export type { OnUserAnswer, StartAnswer, StartCredential, User, UserAnswer };
export type { PreviewUrl, RemoteConfig, Runner, Sandbox, Snapshot };

/** What the client is given besides the configuration, and what it tells. */
export interface DaytonaApiOptions extends ApiCallerOptions {
  /** Called whenever the API turns out to have no operation by which `isOwnedByUser()` could tell. */
  readonly onOwnersUnknown: () => void;
  /** Called with the region of each runner that the API tells the gateway of. */
  readonly onRunnerRegion?: (region: string) => void;
}

/** Time for which a key is known as a user's or a machine's, ms: a question less for each of its sandboxes. */
const KIND_TTL_MS = 5 * 60_000;

/** By the gateway's own key. */
const by = { kind: "own" } as const;

function byUser(user: User): { readonly kind: "user"; readonly user: User } {
  return { kind: "user", user };
}

/**
 * What a gateway asks the API. Each call resolves only with a definite answer, of which false and null are the API's
 * "no", and the answer to what cannot be part of a call (see address/grammar.ts).
 * @throws {GatewayError} as {@linkcode ApiCaller.call} does
 */
export class DaytonaApi {
  readonly #mode: Config["daytona"]["mode"];
  readonly #options: DaytonaApiOptions;
  readonly #api: ApiCaller;
  /** The organization of a user's key, empty if it is not told, and false of a machine's, by the key's digest. */
  readonly #owners = new ExpiringLru<string, string | false>({
    max: 10_000,
    ttlMs: KIND_TTL_MS,
  });

  /** @throws {TypeError} if the gateway's key cannot be sent in a header */
  constructor(config: Config["daytona"], options: DaytonaApiOptions) {
    this.#mode = config.mode;
    this.#options = options;
    this.#api = new ApiCaller(config, options);
  }

  isSandboxPublic(sandboxId: string): Promise<boolean> {
    return this.#api.call("isSandboxPublic", { path: { sandboxId }, by });
  }

  isPreviewToken(sandboxId: string, authToken: string): Promise<boolean> {
    const path = { sandboxId, authToken };
    return this.#api.call("isValidAuthToken", { path, by });
  }

  /**
   * False if a bearer is nobody's, or the key of one of the installation's machines, which the API takes for members of
   * every organization. Only users have JWTs: about those, no call is needed. If the API has no operation to ask by,
   * everybody counts as a user, as far as it admits them.
   */
  async isOwnedByUser(
    { bearer, clientAddress }: Omit<User, "organizationId">,
    onAnswer?: OnUserAnswer,
  ): Promise<boolean> {
    if (isBearer(bearer) && isJwtShaped(bearer)) return true;
    const digest = digestKey(["bearer", bearer]);
    const known = this.#owners.get(digest);
    if (known !== undefined) return known !== false;
    let status: number | undefined;
    const owner = await this.#ownerOf({
      by: byUser({ bearer, clientAddress }),
      onAnswer(answer) {
        status = answer.status;
        onAnswer?.(answer);
      },
    });
    // The kind of a key does not change; of one that is not known (401), or where nobody can tell (404), it is not told.
    if (status === 200 || status === 403) this.#owners.set(digest, owner);
    return owner !== false;
  }

  /** The organization that a key is for, if that was told when it was asked whose the key is; undefined otherwise. */
  organizationOf(bearer: string): string | undefined {
    return this.#owners.get(digestKey(["bearer", bearer])) || undefined;
  }

  /** Finds out whether the API can tell users from machines; if not, `onOwnersUnknown` is called. */
  async probeOwners(): Promise<void> {
    // The gateway's key is a machine's. If that is answered with an owner, nothing else is wrong.
    await this.#ownerOf({ by });
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

  /** Any sandbox; to the proxy of a region, only its own region's. */
  sandboxById(sandboxIdOrName: string): Promise<Sandbox | null> {
    return this.#api.call("getSandbox", { path: { sandboxIdOrName }, by });
  }

  /** Where a port of one of the organization's sandboxes is to be seen. */
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

  /** Starts a sandbox; the organization's limit of starts is an answer as well. */
  startSandbox(sandboxId: string, by: StartCredential): Promise<StartAnswer> {
    return this.#bringUp("startSandbox", sandboxId, by);
  }

  /** Starts a sandbox that is in an error from which it can be recovered. */
  recoverSandbox(sandboxId: string, by: StartCredential): Promise<StartAnswer> {
    return this.#bringUp("recoverSandbox", sandboxId, by);
  }

  /** One of the user's snapshots. */
  snapshot(id: string, user: User): Promise<Snapshot | null> {
    return this.#api.call("getSnapshot", { path: { id }, by: byUser(user) });
  }

  /** Postpones the sandbox's automatic stop; it is not a failure if the sandbox is gone. */
  async updateLastActivity(sandboxId: string): Promise<void> {
    await this.#api.call("updateLastActivity", { path: { sandboxId }, by });
  }

  /** Asks about a sandbox that does not exist, by the gateway's own key; the verdict on that goes to `onKeyVerdict`. */
  async probeKey(): Promise<void> {
    const id = crypto.randomUUID();
    if (this.#mode === "hosted") return void await this.previewUrlOf(id, 1);
    await this.#api.call("isSandboxPublic", {
      path: { sandboxId: id },
      by,
      // Here it is not about the sandbox.
      onAnswer: ({ status }) =>
        status === 403 && this.#options.onKeyVerdict("other_role"),
    });
  }

  /** Asks what the API takes the gateway for; undefined if its answer does not show that. */
  async probeRole(): Promise<ProxyRole | undefined> {
    let role: ProxyRole | undefined;
    await this.#api.call("updateLastActivity", {
      path: { sandboxId: crypto.randomUUID() },
      by,
      onAnswer({ status }) {
        role = proxyRoleOf(status);
      },
    });
    return role;
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

  async #ownerOf(question: Question<"getCurrentApiKey">) {
    const owner = await this.#api.call("getCurrentApiKey", question);
    if (owner !== "untold") return owner ?? false;
    this.#options.onOwnersUnknown();
    return "";
  }

  async #bringUp(
    operation: "startSandbox" | "recoverSandbox",
    sandboxIdOrName: string,
    by: StartCredential,
  ): Promise<StartAnswer> {
    let answer: StartAnswer | undefined;
    try {
      return await this.#api.call(operation, {
        path: { sandboxIdOrName },
        by,
        onAnswer({ status, body, headers }) {
          answer = startAnswerOf(status, body, headers);
        },
      });
    } catch (error) {
      if (answer?.kind === "throttled") return answer;
      throw error;
    }
  }
}

/** @throws {GatewayError} `runner_not_ready` if the runner has not reported yet where it is */
function readyRunner({ proxyUrl, region: _, ...rest }: RunnerRecord): Runner {
  if (proxyUrl !== null) return { ...rest, proxyUrl };
  const reason = "The runner has not told the API its address yet";
  throw new GatewayError("runner_not_ready", reason);
}
