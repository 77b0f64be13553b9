/** What the fake API knows: its database, which tests may change. */
import type { components } from "../../gen/daytona.ts";
import type { OperationName } from "./api_contract.ts";

type Schemas = components["schemas"];

/** A sandbox in the API's database. */
export interface ApiSandbox {
  readonly id: string;
  /** Unique in its organization, and otherwise any text, even the id of another; the id by default. */
  name?: string;
  public: boolean;
  /** The standard preview token, valid on every port. */
  authToken: string;
  /** A key of {@linkcode ApiState.runners}. */
  runnerId: string;
  /** Daytona's state: `started`, `stopped`, ... One that is `destroyed` is still in the database. */
  state: string;
  /** The state that the API is about to bring it to, if it is another. */
  desiredState?: string;
  errorReason?: string;
  recoverable?: boolean;
  labels?: Record<string, string>;
  /** Its environment, which holds secrets of its owner; {@linkcode SECRET_ENV} by default. */
  env?: Record<string, string>;
  /** A key of {@linkcode ApiState.organizations}; {@linkcode ORGANIZATION} by default. */
  organizationId?: string;
  /** A key of {@linkcode ApiState.regions}; {@linkcode REGION} by default. */
  region?: string;
  /** By which the URLs of its files are signed. */
  signingKey?: string;
  /** When Daytona ended it by itself (RFC 3339): it is `destroyed` then, and its id still finds it. */
  spotEvictedAt?: string;
  queueTimedOutAt?: string;
  /** True while the API has yet to act on a wish. */
  isPending?: boolean;
  /** If set, its next start fails, and these are the runner's words. */
  startFailure?: string;
  /** The image that was built for it, if any. */
  snapshotRef?: string;
}

/** A runner in the API's database; one that has not reported yet has a `proxyUrl` of null. */
export type ApiRunner = Schemas["Runner"] & {
  /** A key of {@linkcode ApiState.regions}; {@linkcode REGION} by default. */
  readonly region?: string;
};

/** A signed preview link for one port of a sandbox. */
export interface SignedToken {
  readonly sandboxId: string;
  readonly port: number;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  revoked: boolean;
}

/** What a machine of the installation is to the API; a runner's own key makes it a `runner`. */
export type ServiceRole =
  | "proxy"
  | "region-proxy"
  | "runner"
  | "ssh-gateway"
  | "otel-collector"
  | "health-check";

/** A machine of the installation. */
export interface Service {
  readonly role: ServiceRole;
  /** The region of a `region-proxy`. */
  readonly region?: string;
}

/** A region, which may have a proxy of its own. */
export interface Region {
  readonly proxyUrl?: string;
  /** Whose it is, if it is a custom one. */
  readonly organizationId?: string;
  /** True if nothing can be started in it. */
  readonly isClosed?: boolean;
}

/** What is known of an API key besides what it gives access to. */
export interface ApiKey {
  /** A key of {@linkcode ApiState.organizations}; {@linkcode ORGANIZATION} by default. */
  readonly organizationId?: string;
  /** Such as `write:sandboxes`; none by default. */
  readonly permissions?: readonly string[];
}

/** An organization's wishes, and what keeps it from starting sandboxes. */
export interface Organization {
  previewWarningEnabled: boolean;
  /** If set, none of its sandboxes can be started. */
  suspensionReason?: string;
  /** What a start would exceed. */
  exceeded?: Quota;
}

/** What an organization may use of everything. */
export type Quota = "cpu" | "memory" | "cpu-per-sandbox";

/** How much is allowed within a time. */
export interface Limit {
  readonly limit: number;
  readonly ttlMs: number;
}

/** The API's database. */
export interface ApiState {
  config: Schemas["DaytonaConfiguration"];
  /** By key, except runners, which have their keys in {@linkcode ApiState.runners}. */
  readonly services: Map<string, Service>;
  readonly sandboxes: Map<string, ApiSandbox>;
  readonly runners: Map<string, ApiRunner>;
  readonly snapshots: Map<string, Schemas["Snapshot"]>;
  readonly regions: Map<string, Region>;
  readonly organizations: Map<string, Organization>;
  /** By token. */
  readonly signedTokens: Map<string, SignedToken>;
  /** Users by API key, each with the ids of the sandboxes and snapshots that they have access to. */
  readonly users: Map<string, Set<string>>;
  /** Users by the subject of their access token, with the same ids. */
  readonly subjects: Map<string, Set<string>>;
  /** More about API keys, for those that differ from the default. */
  readonly apiKeys: Map<string, ApiKey>;
  /** The organizations of users by the subject of their access token; {@linkcode ORGANIZATION} by default. */
  readonly memberships: Map<string, ReadonlySet<string>>;
  /** What the installation throttles: nothing by default, like the real one. */
  limits: {
    /** Bearers that are not valid, for each address. */
    readonly failedAuth?: Limit;
    /** Calls of each organization that are not counted elsewhere. */
    readonly authenticated?: Limit;
    /** Starts and stops of each organization. */
    readonly sandboxLifecycle?: Limit;
  };
  /** Operations that this version of the API does not have. */
  readonly lacks: Set<OperationName>;
  /** False for an API like v0.190.0, whose errors have neither `source` nor `code`, and whose keys no `organizationId`. */
  hasErrorCodes: boolean;
}

/** The organization and the region of what names none. */
export const ORGANIZATION = "2f0e6f0a-6d0b-4b57-9a0c-6f1d7f0f4a11";
export const REGION = "local";

/** The environment of a sandbox that has no other: nobody but its owner and Daytona may ever read it. */
export const SECRET_ENV = { APP_SECRET: "secret-of-the-sandbox-env" };

/** What is different from an empty database of the newest version. */
export type ApiSeed = Pick<ApiState, "config" | "services"> & Partial<ApiState>;

/** A database. */
export function createApiState(seed: ApiSeed): ApiState {
  return {
    sandboxes: new Map(),
    runners: new Map(),
    snapshots: new Map(),
    regions: new Map([[REGION, {}]]),
    organizations: new Map([[ORGANIZATION, { previewWarningEnabled: false }]]),
    signedTokens: new Map(),
    users: new Map(),
    subjects: new Map(),
    apiKeys: new Map(),
    memberships: new Map(),
    limits: {},
    lacks: new Set(),
    hasErrorCodes: true,
    ...seed,
  };
}

/** Makes the API one of v0.190.0. */
export function makeOlder(state: ApiState): void {
  state.lacks.add("getSigningKey").add("isPreviewWarningEnabled");
  state.hasErrorCodes = false;
}
