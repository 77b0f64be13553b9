/** Exchanges with runners: finds the one that holds the sandbox, and tells its refusals from the app's answers. */
import type { Runner } from "../daytona/api.ts";
import { GatewayError } from "../errors.ts";
import type { ExchangeStats } from "../observability/exchange_stats.ts";
import type { SandboxResolver } from "../resolver/sandboxes.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import { UpstreamError } from "../upstream/upstream_error.ts";
import {
  type OpenResult,
  openWebSocket,
} from "../upstream/websocket/handshake.ts";
import { createDaemonProbe } from "./daemon_probe.ts";
import { gatherBody } from "./gather_body.ts";
import {
  isEmptyBadGateway,
  isRefusalStatus,
  mayBeRefusal,
  refusalOf,
  REFUSALS,
} from "./runner_errors.ts";
import { type AdmittedRequest, upstreamRequest } from "./runner_request.ts";
import { gatewayError } from "./upstream_failure.ts";

/** How long to wait for the end of a body that may be a runner's refusal, ms; a slower one is the app's. */
const REFUSAL_TIMEOUT_MS = 1000;

/**
 * Whether the sandbox may be at another runner, to which the request can still be sent: nothing of it was sent, or it
 * has no body and this runner does not have the sandbox or does not know our key.
 */
function shouldTryElsewhere(error: unknown, request: AdmittedRequest): boolean {
  if (error instanceof UpstreamError) {
    return error.code === "connect_failed" ||
      error.code === "connect_timeout" || error.code === "tls_failed";
  }
  return error instanceof GatewayError && request.body === null &&
    (error.code === "container_not_found" || error.code === "runner_refused");
}

/**
 * Sends admitted requests to the runners that hold their sandboxes, and notes in `stats` when the runner was known and
 * how much was uploaded. Both methods throw a {@linkcode GatewayError} if no app answered, and an {@linkcode
 * UpstreamError} `aborted` or `body_failed` if the client has disconnected.
 */
export interface Forwarder {
  forward(
    request: AdmittedRequest,
    stats: ExchangeStats,
  ): Promise<UpstreamResponse>;
  /** The open WebSocket to the app, or the app's refusal of it. */
  openWebSocket(
    request: AdmittedRequest,
    stats: ExchangeStats,
  ): Promise<OpenResult>;
}

/**
 * Sends a request to one runner, as an HTTP exchange or as a WebSocket handshake.
 *
 * @throws {GatewayError} if the runner refuses it
 * @throws {UpstreamError} if the exchange fails
 */
type Send<T> = (
  request: AdmittedRequest,
  runner: Runner,
  stats: ExchangeStats,
) => Promise<T>;

/** Creates the forwarder. */
export function createForwarder(options: {
  upstream: Pick<UpstreamClient, "request" | "upgrade">;
  sandboxes: Pick<SandboxResolver, "runnerOf" | "renewRunner">;
  /** Milliseconds. */
  now: () => number;
}): Forwarder {
  const { upstream, sandboxes, now } = options;
  const isDaemonUp = createDaemonProbe({ upstream });

  /** Sends a request to the sandbox's runner or, if the sandbox has moved, to its new one. */
  async function sendToRunner<T>(
    send: Send<T>,
    request: AdmittedRequest,
    stats: ExchangeStats,
  ): Promise<T> {
    const { sandboxId } = request;
    const found = lookUpRunner(sandboxId, stats);
    // Most runners are cached, and an await would cost them a turn of the microtask queue.
    const runner = found instanceof Promise ? await found : found;
    if (runner === null) {
      throw new GatewayError("sandbox_not_found", "No runner");
    }
    stats.resolvedAt = now();
    try {
      return await send(request, runner, stats);
    } catch (error) {
      const newRunner = shouldTryElsewhere(error, request)
        ? await findNewRunner(sandboxId, runner)
        : undefined;
      if (newRunner === undefined) throw gatewayError(error);
      return await send(request, newRunner, stats).catch((error) => {
        throw gatewayError(error);
      });
    }
  }

  function lookUpRunner(
    sandboxId: string,
    stats: ExchangeStats,
  ): Runner | null | Promise<Runner | null> {
    stats.missedCache ??= false;
    return sandboxes.runnerOf(sandboxId, () => {
      stats.missedCache = true;
    });
  }

  /**
   * The runner that holds the sandbox now; undefined if it is the same one, or if the API does not answer: then the
   * runner's failure is the one to report.
   *
   * @throws {GatewayError} `sandbox_not_found`
   */
  async function findNewRunner(
    sandboxId: string,
    known: Runner,
  ): Promise<Runner | undefined> {
    let runner: Runner | null;
    try {
      runner = await sandboxes.renewRunner(sandboxId);
    } catch (error) {
      if (error instanceof GatewayError) return undefined;
      throw error;
    }
    if (runner === null) {
      throw new GatewayError("sandbox_not_found", "No runner any more");
    }
    return runner.proxyUrl === known.proxyUrl && runner.apiKey === known.apiKey
      ? undefined
      : runner;
  }

  async function sendRequest(
    request: AdmittedRequest,
    runner: Runner,
    stats: ExchangeStats,
  ): Promise<UpstreamResponse> {
    const response = await upstream.request(
      upstreamRequest(request, runner, stats),
    );
    return isRefusalStatus(response.status)
      ? await appResponse(response, request, runner)
      : response;
  }

  async function sendHandshake(
    request: AdmittedRequest,
    runner: Runner,
    stats: ExchangeStats,
  ): Promise<OpenResult> {
    const opened = await openWebSocket(
      upstream,
      upstreamRequest(request, runner, stats),
    );
    if (opened.kind === "open") return opened;
    const response = await appResponse(opened.response, request, runner);
    return { kind: "refused", response };
  }

  /**
   * The app's response, its body unread.
   *
   * @throws {GatewayError} if the response is a runner's refusal
   */
  async function appResponse(
    response: UpstreamResponse,
    { sandboxId, destination }: AdmittedRequest,
    runner: Runner,
  ): Promise<UpstreamResponse> {
    if (isEmptyBadGateway(response)) {
      const isUp = destination !== "toolbox" &&
        await isDaemonUp(sandboxId, runner);
      throw new GatewayError(
        isUp ? "port_closed" : "toolbox_unreachable",
        isUp
          ? "nothing listens on the port (the runner's empty 502)"
          : "the daemon in the sandbox does not answer (the runner's empty 502)",
      );
    }
    if (!mayBeRefusal(response)) return response;
    const { body } = response;
    const gathered = body === null || body instanceof Uint8Array
      ? body
      : await gatherBody(body, REFUSAL_TIMEOUT_MS);
    // A runner writes its refusals in one go.
    if (gathered instanceof Uint8Array) {
      const text = new TextDecoder().decode(gathered);
      const code = refusalOf(response.status, text, sandboxId);
      // Not its own message, which contains the request's path, and which an app could imitate.
      if (code !== undefined) throw new GatewayError(code, REFUSALS[code]);
    }
    return { ...response, body: gathered };
  }

  return {
    forward: (request, stats) => sendToRunner(sendRequest, request, stats),
    openWebSocket: (request, stats) =>
      sendToRunner(sendHandshake, request, stats),
  };
}
