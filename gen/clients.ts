/**
 * Clients of the part of Daytona's API that Porthole calls: a class for each tag, a method for each operation.
 *
 * Generated from openapi/daytona.yaml (`deno task gen`): edit that file, not this one.
 */
import createClient, {
  type Client,
  type ClientOptions,
  type FetchOptions,
  type FetchResponse,
} from "openapi-fetch";
import type { operations, paths } from "./daytona.ts";

/** Parameters and body of a call, and options of `fetch`. */
type Init<Id extends keyof operations> = FetchOptions<operations[Id]>;

/** Resolves with any response, of which `data` is the body of a 2xx, parsed as the call's `parseAs` says. */
type Answer<Id extends keyof operations, Call> = Promise<
  FetchResponse<operations[Id], Call, `${string}/${string}`>
>;

/** What a client has to know about the installation. */
export class ConfigAPI {
  readonly #http: Client<paths>;

  constructor(http: Client<paths>) {
    this.#http = http;
  }

  /** Identity provider and URL templates of this installation; needs no credential. */
  ConfigController_getConfig<Call extends Init<"ConfigController_getConfig">>(
    init: Call,
  ): Answer<"ConfigController_getConfig", Call> {
    return this.#http.GET("/config", init);
  }
}

/** The API key that somebody presents. */
export class ApiKeysAPI {
  readonly #http: Client<paths>;

  constructor(http: Client<paths>) {
    this.#http = http;
  }

  /** The API key with which it is called. Only a user's is answered 200. */
  getCurrentApiKey<Call extends Init<"getCurrentApiKey">>(
    init: Call,
  ): Answer<"getCurrentApiKey", Call> {
    return this.#http.GET("/api-keys/current", init);
  }
}

/** May this caller see that sandbox? */
export class PreviewAPI {
  readonly #http: Client<paths>;

  constructor(http: Client<paths>) {
    this.#http = http;
  }

  /** Whether anybody may open the sandbox's previews. The status is the answer. */
  isSandboxPublic<Call extends Init<"isSandboxPublic">>(
    init: Call,
  ): Answer<"isSandboxPublic", Call> {
    return this.#http.GET("/preview/{sandboxId}/public", init);
  }

  /** Whether the preview token is the sandbox's current one. The status is the answer. */
  isValidAuthToken<Call extends Init<"isValidAuthToken">>(
    init: Call,
  ): Answer<"isValidAuthToken", Call> {
    return this.#http.GET("/preview/{sandboxId}/validate/{authToken}", init);
  }

  /** Whether the bearer's owner belongs to the sandbox's organization. The status is the answer. */
  hasSandboxAccess<Call extends Init<"hasSandboxAccess">>(
    init: Call,
  ): Answer<"hasSandboxAccess", Call> {
    return this.#http.GET("/preview/{sandboxId}/access", init);
  }

  /** The key by which the URLs of a sandbox's files are signed. */
  getSigningKey<Call extends Init<"getSigningKey">>(
    init: Call,
  ): Answer<"getSigningKey", Call> {
    return this.#http.GET("/preview/{sandboxId}/signing-key", init);
  }

  /** Whether the sandbox's organization wants a warning before previews. */
  isPreviewWarningEnabled<Call extends Init<"isPreviewWarningEnabled">>(
    init: Call,
  ): Answer<"isPreviewWarningEnabled", Call> {
    return this.#http.GET("/preview/{sandboxId}/preview-warning", init);
  }

  /** The sandbox behind a signed preview link. */
  getSandboxIdFromSignedPreviewUrlToken<
    Call extends Init<"getSandboxIdFromSignedPreviewUrlToken">,
  >(init: Call): Answer<"getSandboxIdFromSignedPreviewUrlToken", Call> {
    return this.#http.GET(
      "/preview/{signedPreviewToken}/{port}/sandbox-id",
      init,
    );
  }
}

/** Where does a sandbox run? */
export class RunnersAPI {
  readonly #http: Client<paths>;

  constructor(http: Client<paths>) {
    this.#http = http;
  }

  /** The runner that holds a sandbox, with the key that opens it. */
  getRunnerBySandboxId<Call extends Init<"getRunnerBySandboxId">>(
    init: Call,
  ): Answer<"getRunnerBySandboxId", Call> {
    return this.#http.GET("/runners/by-sandbox/{sandboxId}", init);
  }

  /** A runner, with the key that opens it. */
  getRunnerFullById<Call extends Init<"getRunnerFullById">>(
    init: Call,
  ): Answer<"getRunnerFullById", Call> {
    return this.#http.GET("/runners/{id}/full", init);
  }
}

/** One sandbox, and its idle timer. */
export class SandboxAPI {
  readonly #http: Client<paths>;

  constructor(http: Client<paths>) {
    this.#http = http;
  }

  /** A sandbox, as its owner sees it, and to the gateway's own key by its id. */
  getSandbox<Call extends Init<"getSandbox">>(
    init: Call,
  ): Answer<"getSandbox", Call> {
    return this.#http.GET("/sandbox/{sandboxIdOrName}", init);
  }

  /** Start a sandbox that is stopped or archived. Repeating it does no harm. */
  startSandbox<Call extends Init<"startSandbox">>(
    init: Call,
  ): Answer<"startSandbox", Call> {
    return this.#http.POST("/sandbox/{sandboxIdOrName}/start", init);
  }

  /** Start a sandbox that is in an error from which it can be recovered. */
  recoverSandbox<Call extends Init<"recoverSandbox">>(
    init: Call,
  ): Answer<"recoverSandbox", Call> {
    return this.#http.POST("/sandbox/{sandboxIdOrName}/recover", init);
  }

  /** Where a port of a sandbox is to be seen, with the token that opens all of its ports. */
  getPortPreviewUrl<Call extends Init<"getPortPreviewUrl">>(
    init: Call,
  ): Answer<"getPortPreviewUrl", Call> {
    return this.#http.GET(
      "/sandbox/{sandboxIdOrName}/ports/{port}/preview-url",
      init,
    );
  }

  /** Put off the sandbox's automatic stop. Repeating it does no harm. */
  updateLastActivity<Call extends Init<"updateLastActivity">>(
    init: Call,
  ): Answer<"updateLastActivity", Call> {
    return this.#http.POST("/sandbox/{sandboxId}/last-activity", init);
  }
}

/** What an organization may use. */
export class OrganizationsAPI {
  readonly #http: Client<paths>;

  constructor(http: Client<paths>) {
    this.#http = http;
  }

  /** The regions that an organization may use. */
  listAvailableRegions<Call extends Init<"listAvailableRegions">>(
    init: Call,
  ): Answer<"listAvailableRegions", Call> {
    return this.#http.GET("/regions", init);
  }
}

/** One snapshot. */
export class SnapshotsAPI {
  readonly #http: Client<paths>;

  constructor(http: Client<paths>) {
    this.#http = http;
  }

  /** A snapshot, as its owner sees it. */
  getSnapshot<Call extends Init<"getSnapshot">>(
    init: Call,
  ): Answer<"getSnapshot", Call> {
    return this.#http.GET("/snapshots/{id}", init);
  }
}

/** All of these clients, with the same options. */
export class DaytonaClient {
  readonly config: ConfigAPI;
  readonly apiKeys: ApiKeysAPI;
  readonly preview: PreviewAPI;
  readonly runners: RunnersAPI;
  readonly sandbox: SandboxAPI;
  readonly organizations: OrganizationsAPI;
  readonly snapshots: SnapshotsAPI;

  constructor(options: ClientOptions) {
    const http = createClient<paths>(options);
    this.config = new ConfigAPI(http);
    this.apiKeys = new ApiKeysAPI(http);
    this.preview = new PreviewAPI(http);
    this.runners = new RunnersAPI(http);
    this.sandbox = new SandboxAPI(http);
    this.organizations = new OrganizationsAPI(http);
    this.snapshots = new SnapshotsAPI(http);
  }
}
