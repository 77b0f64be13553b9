/** Exchanges with runners: finds the one that holds the sandbox, and tells its refusals from the app's answers. */
import type { Runner } from "../daytona/client.ts";
import type { SandboxDirectory } from "../directory/sandboxes.ts";
import { GatewayError } from "../errors.ts";
import type { UpstreamClient } from "../upstream/client.ts";
import { UpstreamError } from "../upstream/errors.ts";
import type { UpstreamResponse } from "../upstream/types.ts";
import {
  type OpenResult,
  openWebSocket,
} from "../upstream/websocket_handshake.ts";
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

/** How long a body that may be a runner's refusal is waited for, ms: an app that takes its time has it. */
const REFUSAL_DEADLINE_MS = 1000;

/** An upstream failure in the gateway's vocabulary. */
export function gatewayError(error: unknown): unknown {
  if (!(error instanceof UpstreamError)) return error;
  const cause = { cause: error };
  switch (error.code) {
    case "connect_failed":
    case "tls_failed":
    case "connection_lost":
      return new GatewayError("runner_unreachable", error.message, cause);
    case "upload_stalled":
      return new GatewayError("upload_stalled", error.message, cause);
    case "connect_timeout":
    case "header_timeout":
      return new GatewayError("runner_timeout", error.message, cause);
    case "protocol_error":
      return new GatewayError("runner_protocol_error", error.message, cause);
    case "closed":
      return new GatewayError("shutting_down", error.message, cause);
    case "aborted":
    case "body_failed":
      return error;
  }
}

/** Whether the failure says that the runner is not there: nothing was sent, and the sandbox may be elsewhere. */
function isUnreachable(error: unknown): boolean {
  return error instanceof UpstreamError &&
    (error.code === "connect_failed" || error.code === "connect_timeout" ||
      error.code === "tls_failed");
}

/**
 * Sends admitted requests to the runners that hold their sandboxes. Both ways reject with a {@linkcode GatewayError}
 * where no app answered, and with an {@linkcode UpstreamError} `aborted` or `body_failed` where the client is gone.
 */
export interface Forwarder {
  forward(request: AdmittedRequest): Promise<UpstreamResponse>;
  /** The open WebSocket to the app, or the app's refusal of it. */
  openWebSocket(request: AdmittedRequest): Promise<OpenResult>;
}

/** One way to use a runner. */
interface Way<T> {
  send(request: AdmittedRequest, runner: Runner): Promise<T>;
  /**
   * The app's answer.
   *
   * @throws {GatewayError} where it is a runner's refusal instead
   */
  judge(answer: T, request: AdmittedRequest, runner: Runner): T | Promise<T>;
}

/** Creates the forwarder. */
export function createForwarder(options: {
  upstream: Pick<UpstreamClient, "request" | "upgrade">;
  sandboxes: Pick<SandboxDirectory, "runnerOf" | "renewRunner">;
  /** Milliseconds. */
  now: () => number;
}): Forwarder {
  const { upstream, sandboxes } = options;
  const isDaemonUp = createDaemonProbe(options);

  /**
   * The app's response, its body readable as before.
   *
   * @throws {GatewayError} where the response is a runner's refusal instead
   */
  async function judged(
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
    const bytes = body instanceof ReadableStream
      ? await gatherBody(body, REFUSAL_DEADLINE_MS)
      : body;
    // A runner writes its refusals in one go.
    if (!(bytes instanceof Uint8Array)) return { ...response, body: bytes };
    const text = new TextDecoder().decode(bytes);
    const code = refusalOf(response.status, text, sandboxId);
    // Not its words: they hold the request's path, and an app could imitate them.
    if (code !== undefined) throw new GatewayError(code, REFUSALS[code]);
    return { ...response, body: bytes };
  }

  /** Sends a request to the sandbox's runner, and once more to the new one where the sandbox moved. */
  async function atRunner<T>(
    request: AdmittedRequest,
    way: Way<T>,
  ): Promise<T> {
    const { stats } = request;
    stats.missedCache ??= false;
    const found = sandboxes.runnerOf(request.sandboxId, () => {
      stats.missedCache = true;
    });
    // What is known already need not be waited for, and most of it is.
    const runner = found instanceof Promise ? await found : found;
    if (runner === null) {
      throw new GatewayError("sandbox_not_found", "No runner");
    }
    stats.resolvedAt = options.now();
    try {
      const answer = way.judge(
        await way.send(request, runner),
        request,
        runner,
      );
      return answer instanceof Promise ? await answer : answer;
    } catch (error) {
      const isGone = error instanceof GatewayError && request.body === null &&
        (error.code === "container_not_found" ||
          error.code === "runner_refused");
      if (!isGone && !isUnreachable(error)) throw gatewayError(error);
      // Where the API does not answer either, the first failure is the one to tell.
      const renewed = await sandboxes.renewRunner(request.sandboxId)
        .catch((failure) => {
          if (failure instanceof GatewayError) return runner;
          throw failure;
        });
      if (renewed === null) {
        throw new GatewayError("sandbox_not_found", "No runner any more");
      }
      if (
        renewed.proxyUrl === runner.proxyUrl && renewed.apiKey === runner.apiKey
      ) throw gatewayError(error);
      try {
        const answer = await way.send(request, renewed);
        return await way.judge(answer, request, renewed);
      } catch (again) {
        throw gatewayError(again);
      }
    }
  }

  const http: Way<UpstreamResponse> = {
    send: (request, runner) =>
      upstream.request(upstreamRequest(request, runner)),
    judge: (response, request, runner) =>
      isRefusalStatus(response.status)
        ? judged(response, request, runner)
        : response,
  };

  const webSocket: Way<OpenResult> = {
    send: (request, runner) =>
      openWebSocket(upstream, upstreamRequest(request, runner)),
    async judge(opened, request, runner) {
      if (opened.kind === "open") return opened;
      const response = await http.judge(opened.response, request, runner);
      return { kind: "refused", response };
    },
  };

  return {
    forward: (request) => atRunner(request, http),
    openWebSocket: (request) => atRunner(request, webSocket),
  };
}
