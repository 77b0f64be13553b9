/** A request at the gate: what it presents, what the gate says to it, and how to ask the gate again. */
import { splitAuthKey } from "../auth/auth_key.ts";
import type { PreviewHost } from "../address/preview_host.ts";
import {
  type Credential,
  presentedCredentials,
  toolboxCredentials,
} from "../auth/credentials.ts";
import type { Gate, GateRequest, Verdict } from "../auth/gate.ts";
import type { OwnCookies } from "../auth/own_cookies.ts";
import type { Trail } from "../observability/trail.ts";
import type { Provenance } from "../proxy/client_address.ts";
import type { AdmittedRequest } from "../proxy/runner_request.ts";
import {
  type RequestBody,
  requestBody,
  type SandboxExchange,
} from "./exchange.ts";

/** What is the same for all visits. */
export interface VisitOptions {
  readonly gate: Gate;
  readonly scheme: "http" | "https";
  readonly cookies: OwnCookies;
  readonly allowedOrigins: ReadonlySet<string>;
}

/** What a visit is that was let in. */
export type Admission = Extract<Verdict, { kind: "allow" }>;

/** One request at the gate. */
export class Visit implements GateRequest {
  /** The app's target: without our key. */
  readonly target: string;
  readonly host: PreviewHost;
  readonly isSandboxId: boolean;
  readonly from: Provenance;
  readonly #exchange: SandboxExchange;
  readonly #authKey: string | undefined;
  readonly #trail: Trail;
  readonly #options: VisitOptions;

  constructor(
    exchange: SandboxExchange,
    { from, trail }: { from: Provenance; trail: Trail },
    options: VisitOptions,
  ) {
    const { target, key } = splitAuthKey(exchange.target);
    this.target = target;
    this.host = exchange.host;
    this.isSandboxId = exchange.route === "toolbox";
    this.from = from;
    this.#exchange = exchange;
    this.#authKey = key;
    this.#trail = trail;
    this.#options = options;
  }

  get clientAddress(): string {
    return this.from.clientAddress;
  }

  /** What the gate says. Throws as {@linkcode Gate.admit}. */
  verdict(): Verdict | Promise<Verdict> {
    this.#trail.asked = false;
    return this.#options.gate.admit(this);
  }

  /** Whether the same request would still be let in. */
  async recheck(): Promise<boolean> {
    try {
      const again = await this.#options.gate.readmit(this);
      return again.kind === "allow";
    } catch {
      return true; // an outage takes nobody's right away
    }
  }

  credentials(): readonly Credential[] {
    const { method, headers, host } = this.#exchange;
    const authKey = this.#authKey;
    if (this.isSandboxId) return toolboxCredentials({ headers, authKey });
    const { scheme, cookies, allowedOrigins } = this.#options;
    return presentedCredentials({
      method,
      headers,
      host,
      scheme,
      cookies,
      authKey,
      allowedOrigins,
    });
  }

  onAsk(): void {
    this.#trail.asked = true;
  }

  /** What is forwarded of it, once it was let in. */
  request(
    { sandboxId, by }: Admission,
  ): AdmittedRequest | Promise<AdmittedRequest> {
    const { request, headers } = this.#exchange;
    const body = requestBody(request, headers);
    return body instanceof Promise
      ? body.then((body) => this.#request(sandboxId, by, body))
      : this.#request(sandboxId, by, body);
  }

  #request(
    sandboxId: string,
    by: Admission["by"],
    { body, contentLength }: RequestBody,
  ): AdmittedRequest {
    const { method, headers, id, request } = this.#exchange;
    return {
      method,
      headers,
      body,
      contentLength,
      target: this.target,
      sandboxId,
      destination: this.isSandboxId ? "toolbox" : this.host.port,
      forwarded: this.from.forwarded,
      // A daemon has no use for it, whatever opened the door.
      dropAuthorization: this.isSandboxId || by === "bearer",
      requestId: id,
      trail: this.#trail,
      signal: () => request.signal,
    };
  }
}
