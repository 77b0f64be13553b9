/** One exchange with the runner: from what the gate let through to the upstream's answer. */
import { runnerTarget } from "../address/app_target.ts";
import type { Runner } from "../daytona/client.ts";
import type { SandboxDirectory } from "../directory/sandboxes.ts";
import { GatewayError } from "../errors.ts";
import type { UpstreamClient } from "../upstream/client.ts";
import { UpstreamError } from "../upstream/errors.ts";
import { parseOrigin } from "../upstream/origin.ts";
import type {
  Origin,
  UpstreamRequest,
  UpstreamResponse,
} from "../upstream/types.ts";
import { type Forwarded, requestFields } from "./request_headers.ts";
import { isClosedPort, mayBeRefusal, refusalOf } from "./runner_errors.ts";

/** An admitted request, before it is known which runner gets it. */
export interface AdmittedRequest {
  readonly method: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  /** Octets; null where the client does not say. */
  readonly contentLength: number | null;
  /** The app's request-target, without anything of ours. */
  readonly target: string;
  readonly sandboxId: string;
  readonly port: number;
  readonly forwarded: Forwarded;
  readonly dropAuthorization: boolean;
  /** Aborts when the client is gone. */
  readonly signal?: AbortSignal;
}

/** A runner's base URL, taken apart once. */
interface RunnerBase {
  readonly origin: Origin;
  /** What the runner's own Host is, and the path its URL ends in. */
  readonly authority: string;
  readonly path: string;
}

const bases = new WeakMap<Runner, RunnerBase>();

function baseOf(runner: Runner): RunnerBase {
  const known = bases.get(runner);
  if (known !== undefined) return known;
  const url = new URL(runner.proxyUrl);
  const base = {
    origin: parseOrigin(runner.proxyUrl),
    authority: url.host,
    path: url.pathname.replace(/\/+$/, ""),
  };
  bases.set(runner, base);
  return base;
}

/**
 * The upstream request for `request` at `runner`; `extra` fields come last.
 *
 * @throws {GatewayError} `bad_target` where the path would leave the sandbox.
 */
export function upstreamRequest(
  request: AdmittedRequest,
  runner: Runner,
  extra: readonly [string, string][] = [],
): UpstreamRequest {
  const base = baseOf(runner);
  const target = runnerTarget(request.sandboxId, request.port, request.target);
  if (target === undefined) {
    throw new GatewayError(
      "bad_target",
      "Dot segments that cannot be resolved",
    );
  }
  const fields = requestFields({
    headers: request.headers,
    runnerHost: base.authority,
    runnerKey: runner.apiKey,
    forwarded: request.forwarded,
    dropAuthorization: request.dropAuthorization,
  });
  fields.push(...extra);
  return {
    origin: base.origin,
    method: request.method,
    target: base.path + target,
    headers: fields,
    body: request.body,
    contentLength: request.contentLength,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  };
}

/** An upstream failure in the gateway's vocabulary. */
export function gatewayError(error: unknown): unknown {
  if (!(error instanceof UpstreamError)) return error;
  const cause = { cause: error };
  switch (error.code) {
    case "connect_failed":
    case "connect_timeout":
    case "tls_failed":
    case "connection_lost":
      return new GatewayError("runner_unreachable", error.message, cause);
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

/** Whether the failure says that the runner is not there: then the sandbox may be elsewhere, and nothing was sent. */
function isUnreachable(error: unknown): boolean {
  return error instanceof UpstreamError && !error.sent &&
    (error.code === "connect_failed" || error.code === "connect_timeout" ||
      error.code === "tls_failed");
}

/** The refusal in a runner's response, or undefined with the response intact. */
async function readRefusal(
  response: UpstreamResponse,
  sandboxId: string,
): Promise<{ response: UpstreamResponse; refusal?: GatewayError }> {
  if (isClosedPort(response)) {
    const refusal = new GatewayError("port_closed", "Empty 502 from a hop");
    return { response, refusal };
  }
  if (!mayBeRefusal(response)) return { response };
  const { body } = response;
  const bytes = body instanceof Uint8Array
    ? body
    : new Uint8Array(await new Response(body).arrayBuffer());
  const text = new TextDecoder().decode(bytes);
  const code = refusalOf(response.status, text, sandboxId);
  return code === undefined
    ? { response: { ...response, body: bytes } }
    : { response, refusal: new GatewayError(code, text) };
}

/** Sends admitted requests to the runners that hold their sandboxes. */
export interface Forwarder {
  /**
   * @throws {GatewayError} where no app answered
   * @throws {UpstreamError} `aborted` or `body_failed` where the client is gone
   */
  forward(request: AdmittedRequest): Promise<UpstreamResponse>;
  /** Runs `attempt` at the sandbox's runner, and once more at its new one where it moved. */
  atRunner<T>(
    request: AdmittedRequest,
    attempt: (runner: Runner) => Promise<T>,
  ): Promise<T>;
}

/** Creates the forwarder. */
export function createForwarder(options: {
  upstream: Pick<UpstreamClient, "request">;
  sandboxes: Pick<SandboxDirectory, "runnerOf" | "renewRunner">;
}): Forwarder {
  const { upstream, sandboxes } = options;

  async function atRunner<T>(
    request: AdmittedRequest,
    attempt: (runner: Runner) => Promise<T>,
  ): Promise<T> {
    const runner = await sandboxes.runnerOf(request.sandboxId);
    if (runner === null) {
      throw new GatewayError("sandbox_not_found", "No runner");
    }
    try {
      return await attempt(runner);
    } catch (error) {
      const isGone = error instanceof GatewayError &&
        error.code === "sandbox_not_found" && request.body === null;
      if (!isGone && !isUnreachable(error)) throw gatewayError(error);
      const renewed = await sandboxes.renewRunner(request.sandboxId)
        .catch(() => runner);
      if (renewed === null) {
        throw new GatewayError("sandbox_not_found", "No runner any more");
      }
      if (renewed.proxyUrl === runner.proxyUrl) throw gatewayError(error);
      try {
        return await attempt(renewed);
      } catch (again) {
        throw gatewayError(again);
      }
    }
  }

  function forward(request: AdmittedRequest): Promise<UpstreamResponse> {
    return atRunner(request, async (runner) => {
      const answer = await upstream.request(upstreamRequest(request, runner));
      const { response, refusal } = await readRefusal(
        answer,
        request.sandboxId,
      );
      if (refusal !== undefined) throw refusal;
      return response;
    });
  }

  return { forward, atRunner };
}
