/** Responses of our own within an exchange, and what every response gets from us. */
import { isTrusted } from "../downstream/http/forwarded.ts";
import type { Reply } from "../downstream/http/reply.ts";
import type { GatewayError } from "../errors.ts";
import { isFramed, wantsDocument } from "../http/fetch_metadata.ts";
import { givenText } from "../pages/brand.ts";
import { OWN_ANSWER_HEADERS, problem } from "../pages/problem.ts";
import { type Preflight, preflightHeaders, withCors } from "../proxy/cors.ts";
import type { ExchangeServices } from "./exchange_services.ts";
import type { Guest, Progress } from "./progress.ts";
import type { ReceivedRequest } from "./received_request.ts";
import type { Route } from "./route.ts";

interface Answered {
  readonly received: ReceivedRequest;
  readonly route: Route;
  readonly guest: Guest | undefined;
  readonly progress: Progress;
  readonly reply: Pick<Reply, "upload">;
}

/** The response for a failure: a problem document, or a page. */
export function problemFor(
  failure: GatewayError,
  { received, route, guest }: Answered,
  { remoteSettings, ownersViewOf, brand, scheme }: ExchangeServices,
): Response {
  const { headers } = received;
  const { port, name, namedSandbox, baseAuthority } = route;
  const baseOrigin = `${scheme}://${baseAuthority}`;
  // Who asks by a name need not learn what it stands for.
  const sandbox = name === undefined ? namedSandbox : undefined;
  // Whose pages hear of it, in a frame of theirs.
  const ancestors = failure.advice.ancestors ?? guest?.grant?.frame?.ancestors;
  const { advice, code, retryAfterSec } = failure;
  return problem({
    code,
    port,
    name,
    sandbox,
    requestId: received.id,
    asPage: wantsDocument(headers),
    isFramed: isFramed(headers),
    mayReload: received.method === "GET",
    retryAfterSec,
    advice: { ...advice, ancestors },
    docsUrl: `${baseOrigin}/docs`,
    ownersViewUrl: sandbox && ownersViewOf?.(baseOrigin, sandbox),
    dashboardUrl: remoteSettings.dashboardUrl,
    given: givenText(brand, code, headers),
  });
}

/** Our answer to a preflight (see cors.ts). */
export function preflightResponse(
  preflight: Preflight,
  { route, reply }: Answered,
): Response {
  return new Response(null, {
    // If something is left of an upload, which has no place here, the answer must be one that can be streamed.
    status: (reply.upload?.left ?? "nothing") === "nothing" ? 204 : 200,
    headers: [
      ...Object.entries(OWN_ANSWER_HEADERS),
      ...preflightHeaders(preflight, route.cors),
    ],
  });
}

/** Headers of a response with ours: those of CORS, and timings for who asks for them and may see them. */
export function withOurHeaders(
  headers: [string, string][],
  { route, progress, received: { headers: asked, client } }: Answered,
  { trustedProxies }: Pick<ExchangeServices, "trustedProxies">,
): [string, string][] {
  const result = withCors(headers, route.cors);
  // Only from a trusted address, whose owner may read the logs.
  const maySeeTiming = trustedProxies.length > 0 &&
    asked.has("x-porthole-debug") &&
    isTrusted(client.clientAddress, trustedProxies);
  if (maySeeTiming) result.push(["server-timing", progress.serverTiming()]);
  return result;
}
