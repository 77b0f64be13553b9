/** The route to a sandbox's daemon, below `/toolbox/{id}`. */
import { TOOLBOX_PORT } from "../address/grammar.ts";
import { type Credential, toolboxCredentials } from "../auth/credentials.ts";
import { type FileUrlSplit, splitFileSignature } from "../auth/file_url.ts";
import { isWebSocketRequest } from "../downstream/http/head_limits.ts";
import type { CorsDecision } from "../proxy/cors.ts";
import { toolboxResponseHeaders } from "../proxy/toolbox_response.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import { Exchange } from "./exchange.ts";
import type { ExchangeServices } from "./exchange_services.ts";
import type { ReceivedRequest } from "./received_request.ts";
import type { Admitted } from "./route.ts";
import {
  isUse,
  namedSandbox,
  sandboxCors,
  type SandboxRoute,
  splitTarget,
} from "./sandbox_route.ts";

/** An exchange with a sandbox's daemon. */
export type ToolboxExchange = Exchange<ToolboxRoute>;

/** The exchange of a request by that path; its target is without the prefix, and without the signature of a file's URL. */
export function toolboxExchange(
  incoming: ReceivedRequest,
  sandboxId: string,
  services: ExchangeServices,
): ToolboxExchange {
  const { method, startedAt } = incoming;
  const { target, ...signed } = splitFileSignature(
    method,
    incoming.target,
    startedAt,
  );
  const received = { ...incoming, target };
  const route = new ToolboxRoute(received, sandboxId, services, signed);
  return new Exchange(received, route, services);
}

export class ToolboxRoute implements SandboxRoute {
  readonly kind = "toolbox";
  readonly hasApp = true;
  readonly servesSandbox = true;
  readonly port = TOOLBOX_PORT;
  readonly name = undefined;
  readonly appAddress = undefined;
  readonly label: string;
  readonly appTarget: string;
  readonly cors: CorsDecision;
  readonly isUse: boolean;
  /** When the signed URL of a file expired, ms since the epoch; undefined if it has not, or is none. */
  readonly urlEndedAt: number | undefined;
  readonly #urlSignature: FileUrlSplit["signature"];
  readonly #tokenInQuery: string | undefined;
  readonly #received: ReceivedRequest;

  /** @param received Its target follows `/toolbox/{id}`, and has no signature. */
  constructor(
    received: ReceivedRequest,
    label: string,
    services: Pick<ExchangeServices, "corsMode" | "scheme" | "allowedOrigins">,
    { signature, endedAt }: Omit<FileUrlSplit, "target">,
  ) {
    const { authority: authoritySuffix } = received;
    const { appTarget, tokenInQuery } = splitTarget(received.target);
    this.label = label;
    this.appTarget = appTarget;
    // The toolbox is also what the preview host of its port leads to.
    const host = { port: TOOLBOX_PORT, label, authoritySuffix };
    this.cors = sandboxCors(received, host, services);
    this.isUse = isUse(received);
    this.urlEndedAt = endedAt;
    this.#urlSignature = signature;
    this.#tokenInQuery = tokenInQuery;
    this.#received = received;
  }

  get shownTarget(): string {
    return this.appTarget;
  }

  get namedSandbox(): string | undefined {
    return namedSandbox(this.label);
  }

  get baseAuthority(): string {
    return this.#received.authority.toLowerCase();
  }

  credentials(): readonly Credential[] {
    const { method, headers } = this.#received;
    // Files are signed for, and a handshake is a GET as well.
    const urlSignature =
      this.#urlSignature && isWebSocketRequest(method, headers)
        ? "invalid"
        : this.#urlSignature;
    const queryToken = this.#tokenInQuery;
    return toolboxCredentials({ headers, queryToken, urlSignature });
  }

  responseHeaders(
    { headers }: Pick<UpstreamResponse, "headers">,
    { guest: { sandboxId } }: Admitted,
  ): [string, string][] {
    const { authority } = this.#received;
    return toolboxResponseHeaders(headers, { sandboxId, authority });
  }
}
