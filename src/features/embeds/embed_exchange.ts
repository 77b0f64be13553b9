/** A request below `/.porthole/` of a preview host, and the exchange of a code for the session of a frame. */
import { loggedLabel } from "../../address/grammar.ts";
import { type PreviewHost, previewOrigin } from "../../address/preview_host.ts";
import {
  type Credential,
  grantSessionsIn,
  SESSION_SEPARATOR,
} from "../../auth/credentials.ts";
import { frameSessionFor, type GrantSession } from "../../auth/grants.ts";
import type { GateRequest } from "../../auth/verdict.ts";
import { type FrameCause, GatewayError } from "../../errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import type { ReceivedRequest } from "../../gateway/received_request.ts";
import { ownRoute, requestOfMember, type Route } from "../../gateway/route.ts";
import { isSameOriginRequest } from "../../http/fetch_metadata.ts";
import { clientKey } from "../../lib/client_key.ts";
import type { RefusedAccess } from "../../observability/access_events.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { EMBEDS } from "./embed_kind.ts";
import { EMBED_HEADERS, EMBED_PAGE } from "./embed_page.ts";

/** Most sessions of other frames that a cookie keeps. */
const MAX_OTHERS = 2;

/** Browsers refuse a cookie whose name and value are longer than 4096 together (RFC 6265bis section 5.6). */
const MAX_COOKIE_LENGTH = 4000;

/** The route to what the gateway answers itself; in the owner's view, it would be taken for one to the app. */
interface EmbedRoute extends Route {
  readonly host: PreviewHost;
}

export type EmbedExchange = Exchange<EmbedRoute>;

export function embedRoute(
  received: ReceivedRequest,
  host: PreviewHost,
): EmbedRoute {
  return { ...ownRoute("embed", received, host.authoritySuffix), host };
}

/** True if a page of this very host sent it, false if another one did; undefined if nobody says. */
export function isSentByOwnPage(
  { received, route }: EmbedExchange,
  { scheme }: Pick<FeatureParts, "scheme">,
): boolean | undefined {
  const own = previewOrigin(route.host, scheme);
  return isSameOriginRequest(received.headers, own);
}

/** What the gate decides on: whether one of these is a grant for the port, also where the sandbox is public. */
export function askedOf(
  x: EmbedExchange,
  credentials: readonly Credential[],
): GateRequest {
  const { label, port, name } = x.route.host;
  const asked = requestOfMember(x, { label, port }, () => credentials);
  return { ...asked, name, method: "GET", takesGrants: true };
}

/** What the log is told of it. */
export function factsOf(
  { received: { id: requestId, client }, route: { host } }: EmbedExchange,
): Pick<RefusedAccess, "requestId" | "client"> & { readonly port: number } {
  const { port } = host;
  return { requestId, port, client: clientKey(client.clientAddress) };
}

/** Answers with the page, or its script with what it asks for. */
export async function handleEmbed(
  x: EmbedExchange,
  parts: FeatureParts,
): Promise<Response> {
  const { method } = x.received;
  if (method === "POST") return x.answer(await exchangeCode(x, parts));
  if (method !== "GET" && method !== "HEAD") {
    throw new GatewayError("method_not_allowed", method);
  }
  return x.answer(new Response(EMBED_PAGE, { headers: EMBED_HEADERS }));
}

/**
 * The session, for the page of ours that is in a frame of the page that it names. Whoever makes that up has the code,
 * and so no need to.
 * @throws {GatewayError} `cross_site_request`, `frame_refused`, `grant_invalid`, or as the gate does
 */
async function exchangeCode(
  x: EmbedExchange,
  parts: FeatureParts,
): Promise<Response> {
  const { gate, accessEvents, records, sessions, cookies, now } = parts;
  const { received: { headers }, route: { host } } = x;
  const { label, port } = host;
  const facts = factsOf(x);
  if (isSentByOwnPage(x, parts) !== true) {
    throw new GatewayError("cross_site_request", "Not sent by our page");
  }
  const ancestor = headers.get("x-porthole-ancestor") ?? "";
  if (ancestor === "") throw frameRefused("no_referer");
  const secret = headers.get("x-porthole-embed") ?? "";
  x.progress.onLookups();
  const asked = askedOf(x, [{ kind: "grant", secret, place: "frame" }]);
  const verdict = await gate.admit(asked);
  const { grant } = "grant" in verdict ? verdict : {};
  const frame = verdict.kind === "allow" ? grant?.frame : undefined;
  if (
    verdict.kind !== "allow" || grant === undefined ||
    !frame?.ancestors.includes(ancestor)
  ) {
    const error = frame === undefined
      ? new GatewayError("grant_invalid", "Refused at the gate")
      : frameRefused("not_listed");
    const { code } = error;
    const sandboxId = loggedLabel(label);
    accessEvents.refused({ ...facts, sandboxId, code, grant });
    throw error;
  }
  const { sandboxId, subject } = verdict;
  accessEvents.usedGrant({ ...facts, sandboxId, subject, grant });
  x.grant(verdict, () => Promise.resolve(true));
  const { via, id, expiresAt } = grant;
  const kept = via === "embed" ? await records.get(EMBEDS, id) : undefined;
  const path = kept?.record.data.own.path;
  const session = frameSessionFor(grant, host, expiresAt);
  let sealed = await sessions.seal(session);
  const others = await otherSessions(x, session, parts);
  for (const other of others) {
    const both = sealed + SESSION_SEPARATOR + other.sealed;
    if (both.length <= MAX_COOKIE_LENGTH) sealed = both;
  }
  const ends = [session, ...others].map(({ expiresAt }) => expiresAt);
  const maxAgeSec = Math.ceil((Math.max(...ends) - now()) / 1000);
  return Response.json({ path, ancestors: frame.ancestors, port }, {
    headers: {
      ...OWN_ANSWER_HEADERS,
      "set-cookie": cookies
        .hostOnlyInFrames(cookies.grantSession, sealed, maxAgeSec),
    },
  });
}

/** The sessions of other frames in this browser, for the same port at this host: the new one takes nothing from them. */
async function otherSessions(
  { received: { headers } }: EmbedExchange,
  { id, sandboxId, port, name }: GrantSession,
  { sessions, cookies }: FeatureParts,
): Promise<{ readonly sealed: string; readonly expiresAt: number }[]> {
  const others: { sealed: string; expiresAt: number }[] = [];
  for (const sealed of grantSessionsIn(headers.get("cookie") ?? "", cookies)) {
    const other = await sessions.open(sealed);
    const isOfFrame = other?.kind === "grant" && other.frame !== undefined &&
      other.id !== id && other.sandboxId === sandboxId &&
      other.port === port && other.name === name;
    if (isOfFrame) others.push({ sealed, expiresAt: other.expiresAt });
  }
  return others.slice(0, MAX_OTHERS);
}

/** The refusal to be in that frame. */
export function frameRefused(frameCause: FrameCause): GatewayError {
  const advice = { frameCause };
  return new GatewayError("frame_refused", frameCause, { advice });
}
