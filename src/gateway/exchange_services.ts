/** The parts of the gateway that all exchanges share. */
import type { GrantAccess } from "../auth/grant_access.ts";
import type { OwnCookies } from "../auth/own_cookies.ts";
import type { CorsMode, EdgeCache, SessionScope } from "../config/config.ts";
import type { AddressRange } from "../downstream/http/forwarded.ts";
import type { RequestHeadLimits } from "../downstream/http/head_limits.ts";
import type { ClientLeg } from "../downstream/http/reply.ts";
import type { GatewayError } from "../errors.ts";
import type { ExchangeRecord } from "../observability/access_log.ts";
import type { Logger } from "../observability/log.ts";
import type { CurrentBrand } from "../pages/brand.ts";
import type { Activity } from "../proxy/activity.ts";
import type { InFlight } from "../proxy/in_flight.ts";
import type { Served } from "../proxy/stream_handle.ts";
import type { RemoteSettings } from "../resolver/remote_settings.ts";
import type { ExchangeObserver } from "./observer.ts";

export interface ExchangeServices {
  readonly corsMode: CorsMode;
  readonly edgeCache: EdgeCache;
  readonly limits: RequestHeadLimits;
  readonly trustedProxies: readonly AddressRange[];
  readonly inFlight: Pick<InFlight, "begin">;
  /** Where the use of a sandbox is reported. */
  readonly activity: Pick<Activity, "touch" | "begin">;
  readonly clientLeg: ClientLeg;
  readonly onRecord: (record: ExchangeRecord) => void;
  /** Who sees exchanges under way; undefined if nobody may. */
  readonly observer: ExchangeObserver | undefined;
  /** The failure to tell in place of what is served to nobody, toolboxes too; undefined if nothing is guarded. */
  readonly guard: ((served: Served) => GatewayError | undefined) | undefined;
  /** Where the owner of a sandbox sees its requests, below a base origin; undefined if nowhere. */
  readonly ownersViewOf:
    | ((baseOrigin: string, sandbox: string) => string)
    | undefined;
  /** What our pages are dressed in; undefined if they look as they do. */
  readonly brand?: CurrentBrand | undefined;
  readonly logger: Logger;
  readonly now: () => number;
  readonly scheme: "http" | "https";
  readonly remoteSettings: Pick<RemoteSettings, "dashboardUrl">;
  readonly cookies: OwnCookies;
  readonly grants: Pick<GrantAccess, "owns">;
  /** Parameters of previews' queries that are meant for features. */
  readonly ownParameters: readonly string[];
  /** What the cookie of a login is for. */
  readonly sessionScope: SessionScope;
  readonly allowedOrigins: ReadonlySet<string>;
  /** Whose pages may frame what opens for anybody, besides the sandbox's own; undefined for anybody's. */
  readonly frameAncestors: readonly string[] | undefined;
}
