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
  "/preview/{sandboxId}/public": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Whether anybody may open the sandbox's previews. The status is the answer. */
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
    /** Whether the preview token is the sandbox's current one. The status is the answer. */
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
     * @description Called with the user's own API key or JWT. Refusals are counted against the leftmost address of X-Forwarded-For, so that header has to name the user and not the gateway.
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
    /** A sandbox, as its owner sees it. */
    get: operations["getSandbox"];
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
      /** @description A preview's URL with `{{PORT}}` and `{{sandboxId}}` in place of the two. */
      proxyTemplateUrl: string;
      /** @description Base of the toolbox routes. */
      proxyToolboxUrl: string;
    };
    OidcConfig: {
      issuer: string;
      clientId: string;
      audience: string;
    };
    Runner: {
      /** @description Where previews and toolbox calls go. */
      proxyUrl?: string;
      /** @description Where build logs are. */
      apiUrl?: string;
      /** @description Opens the whole runner; it must not leave the gateway. */
      apiKey: string;
    };
    Sandbox: {
      runnerId?: string;
      buildInfo?: components["schemas"]["BuildInfo"];
    };
    BuildInfo: {
      snapshotRef: string;
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
      /** @description No such sandbox, or a private one; the two look alike. */
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
      /** @description No such sandbox, or another token. */
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
      /** @description No such sandbox, or not one of the user's organizations. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description Too many refusals from this address. */
      429: {
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
      /** @description No such sandbox, no runner, or one of another region. */
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
      /** @description The id is not a UUID. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description No such runner, or one of another region. */
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
      /** @description No such sandbox for this user. */
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
      /** @description Noted. */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description No such sandbox. */
      404: {
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
