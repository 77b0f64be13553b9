/** What exchanges are made of: the parts of the gateway that all of them share, and who was admitted to what. */
import type { OwnCookies } from "../auth/own_cookies.ts";
import type { CorsMode, SessionScope } from "../config/config.ts";
import type { AddressRange, ClientInfo } from "../downstream/http/forwarded.ts";
import type { RequestHeadLimits } from "../downstream/http/head_limits.ts";
import type { ClientLeg, Reply } from "../downstream/http/reply.ts";
import type { RequestHeaders } from "../http/headers.ts";
import type { ExchangeRecord } from "../observability/access_log.ts";
import type { Logger } from "../observability/log.ts";
import type { Activity } from "../proxy/activity.ts";
import type { CorsDecision } from "../proxy/cors.ts";
import type { InFlight } from "../proxy/in_flight.ts";
import type { RemoteSettings } from "../resolver/remote_settings.ts";
import type { ExchangeObserver } from "./observer.ts";

/** The parts of the gateway that all exchanges share. */
export interface ExchangeServices {
  readonly corsMode: CorsMode;
  readonly limits: RequestHeadLimits;
  readonly trustedProxies: readonly AddressRange[];
  readonly inFlight: Pick<InFlight, "begin">;
  /** Where the use of a sandbox is reported. */
  readonly activity: Pick<Activity, "touch" | "begin">;
  readonly clientLeg: ClientLeg;
  readonly onRecord: (record: ExchangeRecord) => void;
  /** Who sees exchanges under way; undefined if nobody may. */
  readonly observer?: ExchangeObserver | undefined;
  /** Where the owner of a sandbox sees its requests, below a base origin; undefined if nowhere. */
  readonly ownersViewOf?:
    | ((baseOrigin: string, sandbox: string) => string)
    | undefined;
  readonly logger: Logger;
  readonly now: () => number;
  readonly scheme: "http" | "https";
  readonly remoteSettings: Pick<RemoteSettings, "dashboardUrl">;
  readonly cookies: OwnCookies;
  /** Parameters of previews' queries that are meant for the gateway's features. */
  readonly ownParameters: readonly string[];
  /** What the cookie of a login is for. */
  readonly sessionScope: SessionScope;
  readonly allowedOrigins: ReadonlySet<string>;
}

/** The parts of an exchange that its responses depend on. */
export interface Answered {
  readonly id: string;
  readonly method: string;
  readonly headers: RequestHeaders;
  readonly client: ClientInfo;
  readonly port: number | undefined;
  /** The sandbox as the client has named it; undefined if there is none, or its name is a secret. */
  readonly namedSandbox: string | undefined;
  readonly cors: CorsDecision;
  readonly progress: { serverTiming(): string };
  readonly reply: Pick<Reply, "upload">;
}

/** Who was admitted to what. */
export interface Grant {
  readonly sandboxId: string;
  /** The credential, or `public`. */
  readonly by: string;
  /** Whose limit the exchange counts against; the sandbox's unless given. */
  readonly countsAgainst?: string;
  /** What the log calls who was admitted; undefined if that is not known. */
  readonly subject?: string;
}

/**
 * Rechecks the access of a caller who was admitted: resolves to whether the caller would be admitted now, and rejects
 * with a {@linkcode GatewayError} if that cannot be determined.
 */
export type Recheck = () => Promise<boolean>;
