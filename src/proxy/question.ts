/** Questions of the gateway's own to an upstream, on nobody's behalf. */
import { GatewayError } from "../errors.ts";
import type { HeaderList } from "../http/headers.ts";
import type { Destination } from "../resolver/destination.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import { upstreamFailure } from "./upstream_failure.ts";

/** A request without content. */
export interface Question {
  readonly method: "GET" | "HEAD";
  readonly target: string;
  /** Sent besides Host and the destination's own. */
  readonly headers?: HeaderList;
  /** Longest wait for the head of the response, ms. */
  readonly timeoutMs: number;
}

/**
 * The response to a question; its body must be read or discarded.
 *
 * @throws {GatewayError} `runner_timeout` if it does not begin in time, `shutting_down`, or a `runner_*` code if there is
 * none
 */
export async function askUpstream(
  upstream: Pick<UpstreamClient, "request">,
  { origin, authority, headers }: Destination,
  question: Question,
): Promise<UpstreamResponse> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), question.timeoutMs);
  try {
    return await upstream.request({
      origin,
      method: question.method,
      target: question.target,
      headers: [["host", authority], ...headers, ...question.headers ?? []],
      body: null,
      contentLength: null,
      signal: timeout.signal,
    });
  } catch (error) {
    if (!timeout.signal.aborted) throw upstreamFailure(error);
    throw new GatewayError(
      "runner_timeout",
      "No answer to our own question in time",
    );
  } finally {
    clearTimeout(timer);
  }
}
