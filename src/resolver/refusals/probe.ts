/** Requests of the gateway's own to an upstream. */
import { GatewayError } from "../../errors.ts";
import type { HeaderList } from "../../http/headers.ts";
import { discardBody } from "../../stream/response_body.ts";
import type { UpstreamClient } from "../../upstream/http1/client.ts";
import type { UpstreamResponse } from "../../upstream/http1/message.ts";
import type { Destination } from "../destination.ts";
import { failedExchange } from "./refusal.ts";

export type ProbeClient = Pick<UpstreamClient, "request">;

interface Probe {
  readonly method: "GET" | "HEAD";
  readonly target: string;
  /** Sent besides Host and the destination's own. */
  readonly headers?: HeaderList;
  /** Longest wait for the head of the response, ms. */
  readonly timeoutMs: number;
}

/** A resource that every daemon has, and that costs it nothing. */
export const DAEMON_VERSION = "/version";

/**
 * The response to a probe; its body must be read or discarded.
 * @throws {GatewayError} `runner_timeout` if it does not begin in time, another `runner_*` code, or `shutting_down`
 */
export async function sendProbe(
  upstream: ProbeClient,
  { origin, authority, headers: own }: Destination,
  { method, target, headers = [], timeoutMs }: Probe,
): Promise<UpstreamResponse> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  try {
    return await upstream.request({
      origin,
      method,
      target,
      headers: [["host", authority], ...own, ...headers],
      body: null,
      contentLength: null,
      signal: timeout.signal,
    });
  } catch (error) {
    if (!timeout.signal.aborted) throw failedExchange(error).error;
    throw new GatewayError("runner_timeout", "No answer to a probe in time");
  } finally {
    clearTimeout(timer);
  }
}

const LIVENESS_TIMEOUT_MS = 5000;

/** True if an upstream of many sandboxes answers at all; never rejects. */
export async function isAlive(
  upstream: ProbeClient,
  destination: Destination,
): Promise<boolean> {
  const { livenessTarget: target = "/" } = destination;
  const timeoutMs = LIVENESS_TIMEOUT_MS;
  const probe = { method: "GET", target, timeoutMs } as const;
  try {
    discardBody((await sendProbe(upstream, destination, probe)).body);
    return true;
  } catch (error) {
    // What is closed here, or cannot be opened, says nothing of the upstream.
    return error instanceof GatewayError &&
      (error.code === "shutting_down" || error.code === "overloaded");
  }
}
