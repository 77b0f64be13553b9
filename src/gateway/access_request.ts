/** A request at the gate: what it presents, what the gate decides, and how to recheck that. */
import {
  type Credential,
  presentedCredentials,
  toolboxCredentials,
} from "../auth/credentials.ts";
import type { Admission, Gate, GateRequest, Verdict } from "../auth/gate.ts";
import type { OwnCookies } from "../auth/own_cookies.ts";
import { splitPreviewToken } from "../auth/preview_token.ts";
import type { ExchangeStats } from "../observability/exchange_stats.ts";
import type { AdmittedRequest } from "../proxy/runner_request.ts";
import { destinationOf, type SandboxExchange } from "./exchange.ts";
import { type RequestBody, requestBody } from "./request_body.ts";

/** Dependencies of all access requests. */
export interface AccessRequestOptions {
  readonly gate: Gate;
  readonly scheme: "http" | "https";
  readonly cookies: OwnCookies;
  readonly allowedOrigins: ReadonlySet<string>;
}

/** One request at the gate. */
export class AccessRequest implements GateRequest {
  /** The request-target for the app, without the preview token. */
  readonly target: string;
  readonly label: string;
  readonly port: number;
  readonly isToolbox: boolean;
  readonly #exchange: SandboxExchange;
  readonly #queryToken: string | undefined;
  readonly #stats: ExchangeStats;
  readonly #options: AccessRequestOptions;
  #admission: Admission | undefined;

  constructor(
    exchange: SandboxExchange,
    stats: ExchangeStats,
    options: AccessRequestOptions,
  ) {
    const { target, token } = splitPreviewToken(exchange.target);
    const { label, port } = destinationOf(exchange);
    this.target = target;
    this.label = label;
    this.port = port;
    this.isToolbox = exchange.route === "toolbox";
    this.#exchange = exchange;
    this.#queryToken = token;
    this.#stats = stats;
    this.#options = options;
  }

  get clientAddress(): string {
    return this.#exchange.from.clientAddress;
  }

  /** The gate's verdict. Throws as {@linkcode Gate.admit} does. */
  verdict(): Verdict | Promise<Verdict> {
    this.#stats.missedCache = false;
    return this.#options.gate.admit(this);
  }

  /** Whether the request, once admitted, would be admitted again. Throws as {@linkcode Gate.readmit} does. */
  async recheck(): Promise<boolean> {
    if (this.#admission === undefined) return true;
    const verdict = await this.#options.gate.readmit(this, this.#admission);
    return verdict.kind === "allow";
  }

  credentials(): readonly Credential[] {
    const exchange = this.#exchange;
    const { method, headers } = exchange;
    const queryToken = this.#queryToken;
    if (exchange.route === "toolbox") {
      return toolboxCredentials({ headers, queryToken });
    }
    const { scheme, cookies, allowedOrigins } = this.#options;
    return presentedCredentials({
      method,
      headers,
      host: exchange.host,
      scheme,
      cookies,
      queryToken,
      allowedOrigins,
    });
  }

  onMiss(): void {
    this.#stats.missedCache = true;
  }

  /** The request to forward, once it has been admitted. Throws as {@linkcode requestBody} does. */
  admitted(admission: Admission): AdmittedRequest | Promise<AdmittedRequest> {
    this.#admission = admission;
    const { request, headers } = this.#exchange;
    const body = requestBody(request, headers);
    return body instanceof Promise
      ? body.then((body) => this.#admitted(admission, body))
      : this.#admitted(admission, body);
  }

  #admitted(
    { sandboxId, by }: Admission,
    { body, contentLength }: RequestBody,
  ): AdmittedRequest {
    const { method, headers, id, from, request } = this.#exchange;
    return {
      method,
      headers,
      body,
      contentLength,
      target: this.target,
      sandboxId,
      destination: this.isToolbox ? "toolbox" : this.port,
      forwarded: from.forwarded,
      // The daemon has no use for it, whichever credential was used.
      dropAuthorization: this.isToolbox || by === "bearer",
      requestId: id,
      signal: () => request.signal,
    };
  }
}
