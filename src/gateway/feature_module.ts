/** How a feature is built: from the parts of the core, which are there before any feature is. */
import type { HostParser } from "../address/preview_host.ts";
import type { createAuth } from "../auth/create_auth.ts";
import type { GrantAccess } from "../auth/grant_access.ts";
import type { DurableStore } from "../cache/store.ts";
import type { Config } from "../config/config.ts";
import type { AnySection } from "../config/section.ts";
import type { Members } from "../control/api/members.ts";
import type { RouteConfig } from "../control/route.ts";
import type { DaytonaApi } from "../daytona/api.ts";
import type { Background } from "../lib/background.ts";
import type { Sealer } from "../lib/seal.ts";
import type { LimitUse } from "../observability/metrics/facts.ts";
import type { Metrics } from "../observability/metrics/metrics.ts";
import type { Bulkheads } from "../proxy/bulkheads.ts";
import type { InFlight } from "../proxy/in_flight.ts";
import type { RecordValues } from "../records/record_values.ts";
import type { Records } from "../records/records.ts";
import type { createResolvers } from "../resolver/create_resolvers.ts";
import type { LookupCacheOptions } from "../resolver/lookup_cache.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import type { Feature } from "./feature.ts";
import type { OrderedModule } from "./module_order.ts";
import type { PreviewLooks } from "./preview_looks.ts";

/** A link. */
export interface Link {
  readonly url: string;
  readonly text: string;
  /** The heading that it is listed below; by default, none of its own. */
  readonly group?: string | undefined;
}

/** Credentials, sessions and logins. */
export type Auth = ReturnType<typeof createAuth>;

/** What answers for sandboxes. */
export type Resolvers = ReturnType<typeof createResolvers>;

/** The parts of the core that features are built from. */
export interface FeatureParts
  extends
    Omit<Auth, "sessionScope" | "provider" | "grants">,
    Omit<Resolvers, "sandboxes" | "access"> {
  readonly config: Config;
  readonly version: string;
  /** What the operator would have linked. */
  readonly links: readonly Link[];
  /** The features' own pages about a sandbox, once all features are built. */
  readonly sandboxPages: () => readonly Link[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly api: DaytonaApi;
  readonly parseHost: HostParser;
  /** What all look-ups share: the cache's settings, and the store behind it. */
  readonly lookups: LookupCacheOptions;
  readonly store: DurableStore | null;
  /** Asks others than the API: no trace has the URL, which may be a secret. */
  readonly secretFetch: (request: Request) => Promise<Response>;
  /** Asks the DNS. */
  readonly resolveDns: typeof Deno.resolveDns;
  /** What members have granted; a feature that uses it says so by {@linkcode FeatureModule.needsRecords}. */
  readonly records: Records;
  /** Their database, for what is kept there in another form. */
  readonly recordValues: RecordValues;
  readonly background: Background;
  readonly metrics: Metrics;
  readonly sealerFor: (purpose: string) => Sealer;
  /** Who may use `/api/v1`. */
  readonly members: Members;
  readonly inFlight: InFlight;
  readonly upstream: Pick<UpstreamClient, "request">;
  /** Which secrets are grants. */
  readonly grants: Pick<GrantAccess, "recognizes">;
  readonly bulkheads: Pick<Bulkheads, "mostWaiting">;
  /** What previews show, however many ask. */
  readonly looks: Pick<PreviewLooks, "at">;
  /** Limits in use besides those of {@linkcode InFlight}. */
  readonly otherLimits: () => readonly LimitUse[];
  /** Renders all metrics, and has the checks of `/ready` run if it `looks`. */
  readonly renderMetrics: (looks: boolean) => string;
}

/** A key of Daytona's API, and what it must be allowed. */
export interface KeyToCheck {
  readonly name: string;
  readonly key: string;
  /** The UUID of the organization that it must be of, in lower case; unless given, any will do. */
  readonly organizationId?: string;
  /** In Daytona's words. */
  readonly permission: string;
  /** What that is for, as in “may start sandboxes”. */
  readonly purpose: string;
}

/** A name of a port besides its preview host. */
export interface NameToCheck {
  readonly host: string;
  readonly sandboxId: string;
  readonly port: number;
  /** Only an active one leads anywhere. */
  readonly state: "active" | "pending" | "suspended";
  /** Asks why the DNS does not prove whose it is, in one line; undefined if it does. Absent if nothing need be proven. */
  readonly disproof?: () => Promise<string | undefined>;
}

/** A feature, whether it is switched on or not. */
export interface FeatureModule extends OrderedModule {
  readonly settings?: AnySection;
  /** API keys that it uses, for whoever checks an installation. */
  keysToCheck?(config: Config): readonly KeyToCheck[];
  /** True if it uses records, so that whatever is wrong with their store is told. */
  needsRecords?(config: Config): boolean;
  /** The names that it keeps, for whoever checks an installation; members' are in the records. */
  namesToCheck?(
    config: Config,
    values: RecordValues,
  ): Promise<readonly NameToCheck[]>;
  /** Its routes on base hosts, for the description of these. */
  readonly routes?: readonly RouteConfig[];
  /** Builds it; undefined if it is switched off. */
  create(parts: FeatureParts): Feature | undefined;
}
