import type { Credential } from "../auth/credentials.ts";
import type { GateRequest } from "../auth/verdict.ts";
import type { CorsDecision } from "../proxy/cors.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import { Exchange } from "./exchange.ts";

/** One that the gateway answers itself: that is no use of a sandbox, and by itself, no page of another site reads it. */
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

  /** What the gate decides on, for members of a sandbox, which is never public here. */
  requestOfMember(
    preview: Pick<GateRequest, "label" | "port">,
    credentials: () => readonly Credential[],
  ): GateRequest {
    const { method, clientAddress, isSentByPage, progress } = this;
    return {
      ...preview,
      method,
      isToolbox: true,
      isForMembers: true,
      clientAddress,
      isSentByPage,
      progress,
      credentials,
    };
  }

  protected responseHeaders(own: UpstreamResponse): [string, string][] {
    return own.headers.map(([name, value]) => [name, value]);
  }
}
