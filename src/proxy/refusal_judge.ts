/** Tells the refusals of a runner, and of the hops behind it, from what an app answers. */
import { GatewayError } from "../errors.ts";
import type { Destination } from "../resolver/destination.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import { collectBody } from "../upstream/http1/collect_body.ts";
import {
  discardBody,
  type ResponseBody,
  type UpstreamResponse,
} from "../upstream/http1/message.ts";
import { DaemonProbe } from "./daemon_probe.ts";
import type { App } from "./handshake_forms.ts";
import { HeadRefusals } from "./head_refusals.ts";
import {
  hostedRefusalOf,
  mayBeHostedRefusal,
  withoutRunner,
} from "./hosted_refusals.ts";
import {
  isEmptyBadGateway,
  isRefusalStatus,
  mayBeRefusal,
  refusalOf,
  REFUSALS,
} from "./refusals.ts";

/** Longest wait for the end of a body that may be a runner's refusal, ms; a slower one is the app's. */
const REFUSAL_TIMEOUT_MS = 1000;

/** Judges responses; where they do not tell, it asks the sandbox's daemon. */
export class RefusalJudge {
  readonly #daemons: DaemonProbe;
  readonly #heads: HeadRefusals;

  constructor(upstream: Pick<UpstreamClient, "request">) {
    this.#daemons = new DaemonProbe(upstream);
    this.#heads = new HeadRefusals(upstream, codeOf);
  }

  /** False if a response is surely the app's. */
  mayJudge(
    { status, headers }: UpstreamResponse,
    { refusedBy }: Destination,
  ): boolean {
    return isRefusalStatus(status) ||
      refusedBy !== "runner" && mayBeHostedRefusal({ status, headers });
  }

  /**
   * The app's response, its body unread.
   *
   * @throws {GatewayError} if the response is a refusal by a runner, or by a hop before or behind it
   */
  async appResponse(
    response: UpstreamResponse,
    { method, sandboxId, sandboxPort }: App & { readonly method: string },
    destination: Destination,
  ): Promise<UpstreamResponse> {
    const { refusedBy } = destination;
    if (refusedBy !== "runner") {
      const refusal = hostedRefusalOf(response, destination);
      if (refusal !== undefined) {
        discardBody(response.body);
        throw refusal;
      }
    }
    if (isEmptyBadGateway(response)) {
      const isUp = sandboxPort !== "toolbox" &&
        await this.#daemons.isUp(sandboxId, destination);
      throw new GatewayError(
        isUp ? "port_closed" : "toolbox_unreachable",
        isUp
          ? "nothing listens on the port (the runner's empty 502)"
          : "the daemon in the sandbox does not answer (the runner's empty 502)",
      );
    }
    if (!mayBeRefusal(response)) return response;
    const { code, body } = method === "HEAD"
      ? {
        code: await this.#heads.codeFor(sandboxId, destination),
        body: response.body,
      }
      : await readRefusal(response, sandboxId, destination);
    // Not its own message, which contains the request's path, and which an app could imitate.
    if (code !== undefined) throw new GatewayError(code, REFUSALS[code]);
    return { ...response, body };
  }

  /** The failure of a handshake, where an app that drops it is told from a port on which nothing listens. */
  async handshakeFailure(
    error: unknown,
    { sandboxId, sandboxPort }: App,
    destination: Destination,
  ): Promise<unknown> {
    const isUntold = error instanceof GatewayError &&
      error.code === "port_closed" && sandboxPort !== "toolbox";
    if (
      !isUntold ||
      !await this.#daemons.isListening({ sandboxId, sandboxPort }, destination)
    ) return error;
    return new GatewayError(
      "app_refused_websocket",
      "the app answered the handshake with no valid response (the runner's empty 502)",
    );
  }
}

/** The code of a refusal, if a response that may be one is; with its body, from the beginning. */
async function readRefusal(
  { status, body }: UpstreamResponse,
  sandboxId: string,
  { refusedBy }: Destination,
): Promise<{
  readonly code: keyof typeof REFUSALS | undefined;
  readonly body: ResponseBody;
}> {
  const gathered = body === null || body instanceof Uint8Array
    ? body
    : await collectBody(body, REFUSAL_TIMEOUT_MS);
  // A runner writes its refusals in one go.
  if (!(gathered instanceof Uint8Array)) {
    return { code: undefined, body: gathered };
  }
  const text = new TextDecoder().decode(gathered);
  // By a link, nobody tells which sandbox it is.
  const id = refusedBy === "hosted_proxy_by_link" ? undefined : sandboxId;
  const code = refusalOf(status, text, id) ??
    (refusedBy === "runner" ? undefined : withoutRunner(status, text, id));
  return { code, body: gathered };
}

/** The code alone. */
async function codeOf(
  response: UpstreamResponse,
  sandboxId: string,
  destination: Destination,
): Promise<keyof typeof REFUSALS | undefined> {
  if (!mayBeRefusal(response)) {
    discardBody(response.body);
    return undefined;
  }
  const { code, body } = await readRefusal(response, sandboxId, destination);
  discardBody(body);
  return code;
}
