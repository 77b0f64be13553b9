/**
 * Asks the proxy of a Daytona that somebody else runs whether it opens a signed link. The probe must not reach the app,
 * whose links may be opened once only, or count visits: so it has a header that the proxy sends on to the runner, which
 * refuses a request with one of ours before it looks for the app. Should it not, the app sees a HEAD of `/`.
 */
import type { HeaderList } from "../../http/headers.ts";
import { discardBody } from "../../upstream/http1/message.ts";
import type { Destination } from "../destination.ts";
import { hostedRefusalOf } from "./hosted_refusals.ts";
import { type ProbeClient, sendProbe } from "./probe.ts";

/** Longest wait for the proxy's answer, ms. */
const TIMEOUT_MS = 10_000;

/** Refused by every runner, beside the one that the proxy adds. */
const NOT_FOR_APPS: HeaderList = [
  ["x-daytona-authorization", "Bearer a-question-to-the-proxy"],
  ["x-daytona-skip-last-activity-update", "true"],
  ["accept-encoding", "identity"],
];

/**
 * True unless the proxy sends whoever comes by a link's destination to its login.
 *
 * @throws {GatewayError} `runner_unreachable` or `runner_timeout` if it does not answer
 */
export async function opensLink(
  upstream: ProbeClient,
  destination: Destination,
): Promise<boolean> {
  const response = await sendProbe(upstream, destination, {
    method: "HEAD",
    target: "/",
    headers: NOT_FOR_APPS,
    timeoutMs: TIMEOUT_MS,
  });
  discardBody(response.body);
  return hostedRefusalOf(response, destination.authority, "link") === undefined;
}
