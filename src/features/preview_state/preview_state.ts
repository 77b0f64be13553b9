/** `GET /api/v1/previews/{sandbox}/{port}`: whether a preview is ready, or what its visitors are told instead. */
import { isPort, SANDBOX_REF, TOOLBOX_PORT } from "../../address/grammar.ts";
import { previewOrigin } from "../../address/preview_host.ts";
import { bearerOf } from "../../auth/credentials.ts";
import { GatewayError } from "../../errors.ts";
import { Exchange } from "../../gateway/exchange.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import type { PreviewPort } from "../../gateway/preview_probe.ts";
import { isSentByPage } from "../../http/fetch_metadata.ts";
import { splitQuery } from "../../http/request_url.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import type { CorsDecision } from "../../proxy/cors.ts";
import type { Look, Looks } from "./looks.ts";
import { MAX_WAIT_SEC, type PreviewState } from "./preview_state_routes.ts";
import { waitUntilReady } from "./wait.ts";

const PATH = new RegExp(
  `^/api/v1/previews/(${SANDBOX_REF})/([1-9][0-9]{0,4})$`,
);

/** A preview that is asked about, and the query after it. */
interface StateRoute {
  readonly sandbox: string;
  readonly previewPort: number;
  readonly query: string;
}

/** Parses a request-target on a base host; undefined if it is not ours. */
export function stateRoute(target: string): StateRoute | undefined {
  const { path, query } = splitQuery(target);
  const [, sandbox, digits] = PATH.exec(path) ?? [];
  const previewPort = Number(digits);
  return sandbox !== undefined && isPort(previewPort)
    ? { sandbox, previewPort, query }
    : undefined;
}

/** A request for the state of a preview, which is none to that preview. */
export class PreviewStateExchange extends Exchange {
  readonly route = "api";
  readonly port = undefined;

  /** Where a preview is. */
  urlOf({ sandboxId, port }: PreviewPort): string {
    const label = sandboxId.toLowerCase();
    const host = { port, label, authoritySuffix: this.baseAuthority };
    return `${previewOrigin(host, this.services.scheme)}/`;
  }

  /** Nobody else's page may read it. */
  override get cors(): CorsDecision {
    return { kind: "off" };
  }

  protected override get hasApp(): boolean {
    return false;
  }

  protected override get isUse(): boolean {
    return false;
  }

  protected isTrustedOrigin(): boolean {
    return false;
  }

  /** Nothing is relayed. */
  protected responseHeaders(): [string, string][] {
    return [];
  }
}

interface StateParts extends Pick<FeatureParts, "gate" | "now"> {
  readonly looks: Looks;
  /** Aborted when nobody is to wait any more. */
  readonly draining: AbortSignal;
}

/** Answers it, after as long a wait as it asks for. */
export async function handleState(
  x: PreviewStateExchange,
  { sandbox, previewPort: port, query }: StateRoute,
  parts: StateParts,
): Promise<Response> {
  x.checkLimits(); // 1 dispatch
  if (x.method !== "GET") {
    throw new GatewayError("method_not_allowed", x.method);
  }
  const { looks, now, draining } = parts;
  const until = now() + 1000 * waitSecOf(query);
  x.progress.onLookups();
  const admission = await admit(x, sandbox, parts); // 3 gate
  const preview = { sandboxId: admission.sandboxId, port };
  x.grant(admission, async () => (await admit(x, sandbox, parts)) !== null);
  const look = () => looks.at(preview);
  const seen = await waitUntilReady(x, { look, until, now, draining });
  return x.answer(stateResponse(preview, seen, x.urlOf(preview)));
}

function stateResponse(
  { sandboxId, port }: PreviewPort,
  { state, code, retryAfterSec }: Look,
  url: string,
): Response {
  const told: PreviewState = {
    sandboxId,
    port,
    state,
    code,
    ready: code === null,
    url,
    ...retryAfterSec !== undefined && { retryAfterSec },
  };
  return Response.json(told, { headers: OWN_ANSWER_HEADERS });
}

function waitSecOf(query: string): number {
  const given = new URLSearchParams(query).get("wait") ?? "0";
  return Math.min(MAX_WAIT_SEC, Number(given));
}

async function admit(
  x: PreviewStateExchange,
  sandbox: string,
  { gate }: StateParts,
) {
  const token = bearerOf(x.headers);
  const verdict = await gate.admit({
    label: sandbox,
    port: TOOLBOX_PORT,
    isToolbox: true,
    isForMembers: true,
    clientAddress: x.client.clientAddress,
    isSentByPage: isSentByPage(x.headers),
    progress: x.progress,
    credentials: () => token === undefined ? [] : [{ kind: "bearer", token }],
  });
  if (verdict.kind === "allow") return verdict;
  throw new GatewayError(
    token === undefined ? "login_required" : "sandbox_not_found",
    "provisional",
  );
}
