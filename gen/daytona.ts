/**
 * Types of the part of Daytona's API that Porthole calls.
 *
 * Generated from openapi/daytona.yaml by openapi-typescript (`deno task gen`): edit that file, not this one.
 */

export interface paths {
  "/config": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Identity provider and URL templates of this installation; needs no credential. */
    get: operations["ConfigController_getConfig"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api-keys/current": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * The API key with which it is called. Only a user's is answered 200.
     * @description Called with the key in question. It tells users from the machines of the installation, whom
     *     `/preview/{sandboxId}/access` takes for members of every organization.
     */
    get: operations["getCurrentApiKey"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/preview/{sandboxId}/public": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Whether anybody may open the sandbox's previews. The status is the answer.
     * @description A destroyed sandbox that was public still is; only its runner is gone. The API remembers its answer for 3 s, and
     *     does not forget it when the sandbox is turned private.
     */
    get: operations["isSandboxPublic"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/preview/{sandboxId}/validate/{authToken}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Whether the preview token is the sandbox's current one. The status is the answer.
     * @description The token is replaced whenever the sandbox is started. The API remembers its answer for 3 s.
     */
    get: operations["isValidAuthToken"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/preview/{sandboxId}/access": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Whether the bearer's owner belongs to the sandbox's organization. The status is the answer.
     * @description Called with the user's own API key or JWT. The keys of services, a runner's for one, are answered like those of
     *     members, whatever the organization. Bearers that are not valid are counted against the leftmost address of
     *     X-Forwarded-For, so that header has to name the user and not the gateway. The API remembers a yes for 30 s and
     *     a no for 3 s.
     */
    get: operations["hasSandboxAccess"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/preview/{sandboxId}/signing-key": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * The key by which the URLs of a sandbox's files are signed.
     * @description It may be rotated at any time; clients remember it for 15 s at most.
     */
    get: operations["getSigningKey"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/preview/{sandboxId}/preview-warning": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Whether the sandbox's organization wants a warning before previews. */
    get: operations["isPreviewWarningEnabled"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/preview/{signedPreviewToken}/{port}/sandbox-id": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The sandbox behind a signed preview link. */
    get: operations["getSandboxIdFromSignedPreviewUrlToken"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/runners/by-sandbox/{sandboxId}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The runner that holds a sandbox, with the key that opens it. */
    get: operations["getRunnerBySandboxId"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/runners/{id}/full": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** A runner, with the key that opens it. */
    get: operations["getRunnerFullById"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/sandbox/{sandboxIdOrName}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * A sandbox, as its owner sees it, and to the gateway's own key by its id.
     * @description The whole answer holds secrets, such as the sandbox's environment. The API remembers it for 10 s; only for
     *     callers of an organization does it forget it at each change.
     */
    get: operations["getSandbox"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/sandbox/{sandboxIdOrName}/start": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Start a sandbox that is stopped or archived. Repeating it does no harm.
     * @description It answers once the sandbox is started, after 30 s at the latest; for an archived one at once. The API goes on even
     *     if its caller has left.
     */
    post: operations["startSandbox"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/sandbox/{sandboxIdOrName}/recover": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Start a sandbox that is in an error from which it can be recovered.
     * @description It answers once the sandbox is started, after 30 s at the latest. The API goes on even if its caller has left.
     */
    post: operations["recoverSandbox"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/sandbox/{sandboxIdOrName}/ports/{port}/preview-url": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Where a port of a sandbox is to be seen, with the token that opens all of its ports.
     * @description It looks for an id and a name at once: a sandbox whose name is the id of another may be the one that is told of.
     */
    get: operations["getPortPreviewUrl"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/sandbox/{sandboxId}/last-activity": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Put off the sandbox's automatic stop. Repeating it does no harm. */
    post: operations["updateLastActivity"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/regions": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The regions that an organization may use. */
    get: operations["listAvailableRegions"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/snapshots/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** A snapshot, as its owner sees it. */
    get: operations["getSnapshot"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    DaytonaConfiguration: {
      oidc: components["schemas"]["OidcConfig"];
      /** @description The issuer for members of organizations with single sign-on, beside `oidc`. */
      ssoOidc?: components["schemas"]["SsoOidcConfig"];
      /** @description A preview's URL with `{{PORT}}` and `{{sandboxId}}` in place of the two. */
      proxyTemplateUrl: string;
      /** @description Base of the toolbox routes. */
      proxyToolboxUrl: string;
      /** @description Where people see their sandboxes. */
      dashboardUrl: string;
    };
    OidcConfig: {
      issuer: string;
      clientId: string;
      audience: string;
    };
    SsoOidcConfig: {
      issuer: string;
      clientId: string;
    };
    ApiKey: {
      userId: string;
      /** @description The organization that it is for. Since the client 0.218.0. */
      organizationId?: string;
    };
    PreviewWarning: {
      enabled: boolean;
    };
    Refusal: {
      code?: string;
    };
    Runner: {
      id?: string;
      /** @description Where previews and toolbox calls go; null until the runner has reported for the first time. */
      proxyUrl?: string | null;
      /** @description Where build logs are; null likewise. */
      apiUrl?: string | null;
      /** @description The id of its region. */
      region?: string;
      /** @description Opens the whole runner; it must not leave the gateway. */
      apiKey: string;
    };
    Sandbox: {
      id: string;
      organizationId: string;
      public: boolean;
      labels: {
        [key: string]: string;
      };
      /**
       * @description creating, restoring, destroyed, destroying, started, stopped, starting, stopping, error, build_failed,
       *     pending_build, building_snapshot, unknown, pulling_snapshot, archived, archiving, resizing, snapshotting,
       *     forking, pausing, paused or resuming; others may come.
       */
      state?: string;
      /**
       * @description destroyed, started, stopped, resized, archived or paused; others may come. It tells an archived sandbox that
       *     is being started.
       */
      desiredState?: string;
      /** @description The runner's own words, which are for members of the organization. */
      errorReason?: string;
      /** @description Whether a sandbox in the state error can be recovered. */
      recoverable?: boolean;
      /** @description Missing once the sandbox is archived. */
      runnerId?: string;
      /**
       * @description When a spot sandbox gave its place to another. It is destroyed by that, and can be looked up by its id for 24
       *     hours.
       */
      spotEvictedAt?: string;
      /**
       * @description When a sandbox had waited for a runner for too long. It is destroyed by that, and can be looked up by its id
       *     for 24 hours. Since the client 0.220.0.
       */
      queueTimedOutAt?: string;
      buildInfo?: components["schemas"]["BuildInfo"];
    };
    BuildInfo: {
      snapshotRef: string;
    };
    PortPreviewUrl: {
      sandboxId: string;
      /** @description At the domain of the sandbox's region, if that has a proxy of its own. */
      url: string;
      token: string;
    };
    Region: {
      /** @description Where its own proxy is. */
      proxyUrl?: string | null;
    };
    Snapshot: {
      ref?: string;
      initialRunnerId?: string;
    };
  };
  responses: {
    /** @description It is so; there is no such answer with `false` in it. */
    Yes: {
      headers: {
        [name: string]: unknown;
      };
      content: {
        "application/json": boolean;
      };
    };
    /**
     * @description Too many bearers from this address were not valid: then Retry-After says how many seconds to wait. Or the quota
     *     of the user's organization is used up: then only Retry-After-authenticated does.
     */
    Throttled: {
      headers: {
        [name: string]: unknown;
      };
      content?: never;
    };
    /** @description The runner. */
    Runner: {
      headers: {
        [name: string]: unknown;
      };
      content: {
        "application/json": components["schemas"]["Runner"];
      };
    };
  };
  parameters: {
    SandboxId: string;
    /** @description Which of the user's organizations is meant; a JWT needs it, an API key belongs to one already. */
    OrganizationId: string;
  };
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
  ConfigController_getConfig: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The public configuration. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["DaytonaConfiguration"];
        };
      };
    };
  };
  getCurrentApiKey: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The key of a user. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["ApiKey"];
        };
      };
      /** @description The bearer is not valid, or it is a JWT. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /**
       * @description The key of a service: a proxy, a region's proxy, a runner, the SSH gateway, the collector of traces or the
       *     health check.
       */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      429: components["responses"]["Throttled"];
    };
  };
  isSandboxPublic: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        sandboxId: components["parameters"]["SandboxId"];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: components["responses"]["Yes"];
      /** @description No such sandbox, a private one, or one of another region; they look alike. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  isValidAuthToken: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        sandboxId: components["parameters"]["SandboxId"];
        /** @description The preview token that the caller presented. */
        authToken: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: components["responses"]["Yes"];
      /** @description No such sandbox, another token, or a sandbox of another region. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  hasSandboxAccess: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        sandboxId: components["parameters"]["SandboxId"];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: components["responses"]["Yes"];
      /** @description The bearer is not valid. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /**
       * @description No such sandbox, or not one of the user's organizations. A member of its organization is told that it was
       *     deleted (`code` is SANDBOX_DESTROYED; not by v0.190.0).
       */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Refusal"];
        };
      };
      429: components["responses"]["Throttled"];
    };
  };
  getSigningKey: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        sandboxId: components["parameters"]["SandboxId"];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The key. Not seen yet, so it may be bare, like the id of `sandbox-id`. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": string;
        };
      };
      /** @description No such sandbox, one of another region, or an API without this operation. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  isPreviewWarningEnabled: {
    parameters: {
      query?: {
        /** @description The port that the link was made for; a signed token needs it. */
        port?: number;
      };
      header?: never;
      path: {
        /** @description A sandbox id, or the signed token of a link. */
        sandboxId: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Its wish. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["PreviewWarning"];
        };
      };
      /** @description No such sandbox, or an API without this operation. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  getSandboxIdFromSignedPreviewUrlToken: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description The token that stands in place of a sandbox id in the link's host. */
        signedPreviewToken: string;
        /** @description The port that the link was made for. */
        port: number;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The bare id; in spite of its declared type the body is plain text without quotes. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": string;
        };
      };
      /** @description The token is unknown, expired, revoked, or another port's. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  getRunnerBySandboxId: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        sandboxId: components["parameters"]["SandboxId"];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: components["responses"]["Runner"];
      /** @description No such sandbox, a destroyed or archived one, no runner, or one of another region. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  getRunnerFullById: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A UUID. */
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: components["responses"]["Runner"];
      /** @description No such runner, an id that is no UUID, or a runner of another region. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  getSandbox: {
    parameters: {
      query?: never;
      header?: {
        /** @description Which of the user's organizations is meant; a JWT needs it, an API key belongs to one already. */
        "X-Daytona-Organization-ID"?:
          components["parameters"]["OrganizationId"];
      };
      path: {
        sandboxIdOrName: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The sandbox. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Sandbox"];
        };
      };
      /** @description The bearer is not valid. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description No such sandbox for this user, or a destroyed one. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  startSandbox: {
    parameters: {
      query?: never;
      header?: {
        /** @description Which of the user's organizations is meant; a JWT needs it, an API key belongs to one already. */
        "X-Daytona-Organization-ID"?:
          components["parameters"]["OrganizationId"];
      };
      path: {
        sandboxIdOrName: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The sandbox, which is started or on its way. Only the status is read. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            id: string;
          };
        };
      };
      /** @description It is in a state from which it cannot be started, a quota is used up, or its runner failed. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description The bearer is not valid. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Not permitted to the bearer, or the organization is suspended or may not use the region. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description No such sandbox for this user, or a destroyed one. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Its state is being changed already. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A paused one of a kind that cannot be resumed. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  recoverSandbox: {
    parameters: {
      query?: never;
      header?: {
        /** @description Which of the user's organizations is meant; a JWT needs it, an API key belongs to one already. */
        "X-Daytona-Organization-ID"?:
          components["parameters"]["OrganizationId"];
      };
      path: {
        sandboxIdOrName: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The sandbox, which is started or on its way. Only the status is read. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            id: string;
          };
        };
      };
      /** @description It is in no state from which it can be recovered, a quota is used up, or its runner failed. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description The bearer is not valid. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Not permitted to the bearer, or the organization is suspended or may not use the region. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description No such sandbox for this user, or a destroyed one. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Its state is being changed already. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  getPortPreviewUrl: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        sandboxIdOrName: string;
        port: number;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Address and token, whatever the state of the sandbox. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["PortPreviewUrl"];
        };
      };
      /** @description The port is none. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description The bearer is not valid. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description The bearer is no organization's, as a proxy's. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description No such sandbox for this user, or a destroyed one. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  updateLastActivity: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        sandboxId: components["parameters"]["SandboxId"];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Noted, or no such sandbox. */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A sandbox that is not in the region of the calling proxy. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  listAvailableRegions: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description All of them, shared ones and its own. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Region"][];
        };
      };
      /** @description The bearer is not valid. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  getSnapshot: {
    parameters: {
      query?: never;
      header?: {
        /** @description Which of the user's organizations is meant; a JWT needs it, an API key belongs to one already. */
        "X-Daytona-Organization-ID"?:
          components["parameters"]["OrganizationId"];
      };
      path: {
        /** @description Id or name. */
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The snapshot. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Snapshot"];
        };
      };
      /** @description The bearer is not valid. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description No such snapshot for this user. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
}
