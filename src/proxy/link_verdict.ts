/**
 * Asks the proxy of a Daytona that somebody else runs whether it opens a signed link. The question must not reach the
 * app, whose links may be opened once only, or count visits: so it has a header that the proxy sends on to the runner,
 * which refuses a request with one of ours before it looks for the app. Should it not, the app sees a HEAD of `/`.
 */
import type { HeaderList } from "../http/headers.ts";
import type { Destination } from "../resolver/destination.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import { discardBody } from "../upstream/http1/message.ts";
import { hostedRefusalOf } from "./hosted_refusals.ts";
import { askUpstream } from "./question.ts";

/** Longest wait for the proxy's answer, ms. */
const TIMEOUT_MS = 10_000;

/** Refused by every runner, beside the one that the proxy adds. */
const NOT_FOR_APPS: HeaderList = [
  ["x-daytona-authorization", "Bearer a-question-to-the-proxy"],
  ["x-daytona-skip-last-activity-update", "true"],
  ["accept-encoding", "identity"],
];

/**
 * True unless the proxy sends whoever comes by that destination to its login.
 *
 * @throws {GatewayError} `runner_unreachable` or `runner_timeout` if it does not answer
 */
export async function opensLink(
  upstream: Pick<UpstreamClient, "request">,
  destination: Destination,
): Promise<boolean> {
  const response = await askUpstream(upstream, destination, {
    method: "HEAD",
    target: "/",
    headers: NOT_FOR_APPS,
    timeoutMs: TIMEOUT_MS,
  });
  discardBody(response.body);
  return hostedRefusalOf(response, destination) === undefined;
}
