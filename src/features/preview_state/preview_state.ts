/** `GET /api/v1/previews/{sandbox}/{port}`: whether a preview is ready, or what its visitors are told instead. */
import { canonicalRef, loggedLabel } from "../../address/grammar.ts";
import { previewOrigin } from "../../address/preview_host.ts";
import { bearerOf, presentedGrants } from "../../auth/credentials.ts";
import type { Admission, GateRequest } from "../../auth/verdict.ts";
import type { CalledRequest } from "../../control/api/caller.ts";
import { checked } from "../../control/api/json_body.ts";
import { GatewayError } from "../../errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import type { PreviewPort } from "../../gateway/preview_probe.ts";
import type { ReceivedRequest } from "../../gateway/received_request.ts";
import { requestOfMember, type Route } from "../../gateway/route.ts";
import { splitQuery } from "../../http/request_url.ts";
import { clientKey } from "../../lib/client_key.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import {
  MAX_WAIT_SEC,
  type PreviewState,
  STATE_REQUEST,
} from "./preview_state_routes.ts";
import { waitUntilReady } from "./wait.ts";

const PATH = /^\/api\/v1\/previews\/([^/]+)\/([^/]+)$/;

/** What a request says, as it came. */
type StateRoute = Readonly<Record<string, string>>;

/** Parses a request-target on a base host; undefined if it is not ours. */
export function stateRoute(target: string): StateRoute | undefined {
  const { path, query } = splitQuery(target);
  const [, sandbox, port] = PATH.exec(path) ?? [];
  if (sandbox === undefined || port === undefined) return undefined;
  return { ...Object.fromEntries(new URLSearchParams(query)), sandbox, port };
}

interface StateParts
  extends Pick<FeatureParts, "members" | "gate" | "looks" | "now" | "scheme"> {
  readonly accessEvents: Pick<
    FeatureParts["accessEvents"],
    "usedGrant" | "refused"
  >;
  /** The base host's domain. */
  readonly base: string;
  readonly draining: AbortSignal;
}

/** Answers it, after as long a wait as it asks for. */
export async function handleState(
  x: Exchange,
  route: StateRoute,
  parts: StateParts,
): Promise<Response> {
  const { method } = x.received;
  await x.checkLimits(); // 1 dispatch
  if (method !== "GET") throw new GatewayError("method_not_allowed", method);
  const { looks, now, draining } = parts;
  const { sandbox, port: digits, wait = "0" } = checked(route, STATE_REQUEST);
  const label = canonicalRef(sandbox);
  const port = Number(digits);
  const until = now() + 1000 * Math.min(MAX_WAIT_SEC, Number(wait));
  x.progress.onLookups();
  const admission = await admit(x, { label, port }, parts); // 3 gate
  const preview = { sandboxId: admission.sandboxId, port };
  x.grant(admission, () =>
    admit(x, { label, port }, parts, admission)
      .then(() => true, isOutage));
  const look = () => looks.at(preview);
  const seen = await waitUntilReady(x, { look, until, now, draining });
  const { state, code, retryAfterSec } = seen;
  const told: PreviewState = {
    ...preview,
    state,
    code,
    ready: code === null,
    url: urlOf(preview, x.route, parts),
    ...retryAfterSec !== undefined && { retryAfterSec },
  };
  return x.answer(Response.json(told, { headers: OWN_ANSWER_HEADERS }));
}

/** Where a preview is. */
function urlOf(
  { sandboxId, port }: PreviewPort,
  { baseAuthority: authoritySuffix }: Route,
  { scheme }: StateParts,
): string {
  const label = sandboxId.toLowerCase();
  return `${previewOrigin({ port, label, authoritySuffix }, scheme)}/`;
}

/** The request, on a base host, as what judges its caller has it. */
function asCalled(
  { request, authority, client: { clientAddress } }: ReceivedRequest,
  base: string,
): CalledRequest {
  return { req: { raw: request }, env: { base, authority, clientAddress } };
}

/** Who asks, as a member or by a grant for that port; again if admitted `before`. Throws a `GatewayError` for others. */
async function admit(
  x: Exchange,
  preview: Pick<GateRequest, "label" | "port">,
  { base, members, gate, accessEvents }: StateParts,
  before?: Admission,
): Promise<Admission> {
  const { received } = x;
  const { headers } = received;
  const credentials = presentedGrants({ headers });
  const token = bearerOf(headers);
  if (token !== undefined) credentials.push({ kind: "bearer", token });
  if (credentials.length === 0) {
    const caller = members.callerOf(asCalled(received, base));
    return await members.admit(caller, preview.label);
  }
  const asked = requestOfMember(x, preview, () => credentials);
  const request = { ...asked, takesGrants: true };
  const verdict = before === undefined
    ? await gate.admit(request)
    : await gate.readmit(request, before);
  const { port, label } = preview;
  const client = clientKey(received.client.clientAddress);
  const facts = { requestId: received.id, port, client };
  if (verdict.kind === "allow") {
    const { sandboxId, subject, grant } = verdict;
    if (grant !== undefined && before === undefined) {
      accessEvents.usedGrant({ ...facts, sandboxId, subject, grant });
    }
    return verdict;
  }
  const code = verdict.code === "grant_invalid" ? verdict.code : "not_found";
  if (code === "grant_invalid" && before === undefined) {
    const { grant } = verdict.kind === "deny" ? verdict : {};
    const sandboxId = loggedLabel(label);
    accessEvents.refused({ ...facts, sandboxId, code, grant });
  }
  throw new GatewayError(code, "Refused at the gate");
}

/** True for a failure that does not tell whether somebody still has access; others are refusals. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof GatewayError)) throw error;
  return error.status >= 429;
}
