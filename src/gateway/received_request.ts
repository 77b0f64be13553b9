/** A request as the exchange with its client knows it, whatever becomes of it. */
import type { ClientInfo } from "../downstream/http/forwarded.ts";
import type { RequestHeaders } from "../http/headers.ts";
import {
  type CorsDecision,
  corsDecision,
  type Preflight,
  preflightOf,
} from "../proxy/cors.ts";
import type { ExchangeServices } from "./exchange_parts.ts";

/** What an exchange begins with. */
export interface IncomingRequest {
  readonly id: string;
  /** The Request itself, for its body and signal. */
  readonly request: Request;
  readonly method: string;
  readonly headers: RequestHeaders;
  /** `host[:port]` as received. */
  readonly authority: string;
  /** The request-target, byte for byte. */
  readonly target: string;
  readonly client: ClientInfo;
  /** The other end of the connection, `address:port`. */
  readonly connection: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Settles once the front keeps nothing of the response any more: the client has taken it, or left. */
  readonly delivered: () => Promise<void>;
  /** Told the size of each part of the body that is read, bytes. */
  readonly onBodyRead: ((bytes: number) => void) | undefined;
}

/** A request, its origin and what it asks permission for. */
export abstract class ReceivedRequest implements IncomingRequest {
  readonly id: string;
  readonly request: Request;
  readonly method: string;
  readonly headers: RequestHeaders;
  readonly authority: string;
  readonly target: string;
  readonly client: IncomingRequest["client"];
  readonly connection: string;
  readonly startedAt: number;
  readonly delivered: () => Promise<void>;
  readonly onBodyRead: IncomingRequest["onBodyRead"];
  protected readonly services: ExchangeServices;
  #cors: CorsDecision | undefined;

  constructor(incoming: IncomingRequest, services: ExchangeServices) {
    this.id = incoming.id;
    this.request = incoming.request;
    this.method = incoming.method;
    this.headers = incoming.headers;
    this.authority = incoming.authority;
    this.target = incoming.target;
    this.client = incoming.client;
    this.connection = incoming.connection;
    this.startedAt = incoming.startedAt;
    this.delivered = incoming.delivered;
    this.onBodyRead = incoming.onBodyRead;
    this.services = services;
  }

  /** True if pages of an origin may use the browser's credentials. */
  protected abstract isTrustedOrigin(origin: string): boolean;

  /** The base host, `host[:port]`, as the client knows it. */
  protected get baseAuthority(): string {
    return this.authority.toLowerCase();
  }

  /** The sandbox as the client has named it; undefined if there is none, or its name is a secret. */
  get namedSandbox(): string | undefined {
    return undefined;
  }

  /** The request-target without what is meant for the gateway. */
  protected get shownTarget(): string {
    return this.target;
  }

  /** The CORS policy for the response. */
  get cors(): CorsDecision {
    return this.#cors ??= corsDecision({
      mode: this.services.corsMode,
      headers: this.headers,
      isTrusted: (origin) => this.isTrustedOrigin(origin),
    });
  }

  /** The preflight that the request is; undefined if it is none, or if only the app may answer it. */
  get preflight(): Preflight | undefined {
    return this.cors.kind === "on"
      ? preflightOf(this.method, this.headers)
      : undefined;
  }
}
