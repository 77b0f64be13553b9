import type { CorsDecision } from "../proxy/cors.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import { Exchange } from "./exchange.ts";

/** One on a base host that the gateway answers itself: that is no use of a sandbox, and no page of another site reads it. */
export abstract class OwnExchange extends Exchange {
  readonly port = undefined;

  override get cors(): CorsDecision {
    return { kind: "off" };
  }

  protected override get hasApp(): boolean {
    return false;
  }

  protected override get isUse(): boolean {
    return false;
  }

  protected isTrustedOrigin(): boolean {
    return false;
  }

  protected responseHeaders(own: UpstreamResponse): [string, string][] {
    return own.headers.map(([name, value]) => [name, value]);
  }
}
