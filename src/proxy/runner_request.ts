/** The request to a runner, made of an admitted request and the runner's record. */
import { runnerTarget } from "../address/app_target.ts";
import type { Runner } from "../daytona/client.ts";
import { GatewayError } from "../errors.ts";
import { parseOrigin } from "../upstream/origin.ts";
import type { Origin, UpstreamRequest } from "../upstream/types.ts";
import { type Forwarded, requestFields } from "./request_headers.ts";

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
  readonly signal: () => AbortSignal;
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
 * The upstream request for `request` at `runner`.
 *
 * @throws {GatewayError} `bad_target` where the path would leave the sandbox.
 */
export function upstreamRequest(
  request: AdmittedRequest,
  runner: Runner,
): UpstreamRequest {
  const base = baseOf(runner);
  const target = runnerTarget(request.sandboxId, request.port, request.target);
  if (target === undefined) {
    throw new GatewayError(
      "bad_target",
      "Dot segments that cannot be resolved",
    );
  }
  return {
    origin: base.origin,
    method: request.method,
    target: base.path + target,
    headers: requestFields({
      headers: request.headers,
      runnerHost: base.authority,
      runnerKey: runner.apiKey,
      forwarded: request.forwarded,
      dropAuthorization: request.dropAuthorization,
    }),
    body: request.body,
    contentLength: request.contentLength,
    lateSignal: request.signal,
  };
}
