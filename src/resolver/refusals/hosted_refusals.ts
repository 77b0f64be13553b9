/**
 * Tells the refusals of the proxy of a Daytona that somebody else runs from an app's answers. It sends whoever it does
 * not let in to its login, whatever they asked for, and so it does with a token that is no longer right: a 401 is always
 * the app's. Behind it are runners, whose refusals are those of runner_refusals.ts.
 */
import { isAlwaysPrivate } from "../../address/grammar.ts";
import { type HeaderList, valuesOf } from "../../http/headers.ts";
import { discardBody } from "../../stream/response_body.ts";
import type { UpstreamResponse } from "../../upstream/http1/message.ts";
import type { AppRequest, Destination, ResponseHead } from "../destination.ts";
import { type ProbeClient, sendProbe } from "./probe.ts";
import { type Refusal, refusalWith } from "./refusal.ts";
import { isRefusalStatus, membersOf, refusalOf } from "./runner_messages.ts";
import { RunnerRefusals } from "./runner_refusals.ts";

/** What opens the way to a sandbox: its token, or a signed link, which the refusals are about then. */
type HostedCredential = "preview_token" | "link";

export class HostedRefusals extends RunnerRefusals {
  readonly #credential: HostedCredential;

  constructor(upstream: ProbeClient, credential: HostedCredential) {
    super(upstream, (status, body, sandboxId) => {
      // By a link, nobody tells which sandbox it is.
      const id = credential === "link" ? undefined : sandboxId;
      return refusalOf(status, body, id) ?? withoutRunner(status, body, id) ??
        ownFailure(status, body);
    }, (status) => status === 500 || isRefusalStatus(status));
    this.#credential = credential;
  }

  override mayRefuse(head: ResponseHead): boolean {
    return super.mayRefuse(head) || mayBeHostedRefusal(head);
  }

  override async judge(
    response: UpstreamResponse,
    request: AppRequest,
    destination: Destination,
  ): Promise<UpstreamResponse | Refusal> {
    const { authority } = destination;
    const refusal = hostedRefusalOf(response, authority, this.#credential);
    if (refusal === undefined) {
      // The daemon's own ports fail in the same form.
      const isDaemons = isAlwaysPrivate(Number(request.sandboxPort));
      return response.status === 500 && isDaemons
        ? response
        : await super.judge(response, request, destination);
    }
    discardBody(response.body);
    return refusal;
  }
}

const LINK_TIMEOUT_MS = 10_000;

/** Refused by every runner before it looks for the app, beside the header that the proxy adds. */
const NOT_FOR_APPS: HeaderList = [
  ["x-daytona-authorization", "Bearer a-question-to-the-proxy"],
  ["x-daytona-skip-last-activity-update", "true"],
  ["accept-encoding", "identity"],
];

/**
 * True unless the proxy sends whoever comes by a link to its login. The probe must not reach the app, whose links may be
 * opened once only, or count visits. Should a runner let it pass, the app sees a HEAD of `/`.
 * @throws {GatewayError} `runner_unreachable` or `runner_timeout` if the proxy does not answer
 */
export async function opensLink(
  upstream: ProbeClient,
  destination: Destination,
): Promise<boolean> {
  const response = await sendProbe(upstream, destination, {
    method: "HEAD",
    target: "/",
    headers: NOT_FOR_APPS,
    timeoutMs: LINK_TIMEOUT_MS,
  });
  discardBody(response.body);
  return hostedRefusalOf(response, destination.authority, "link") === undefined;
}

/** The proxy's warning, which comes in place of anything if it is not asked to leave that out. */
const WARNING_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'";

/** What the proxy's login means, and the reason that is logged. */
const LOGINS = {
  preview_token: [
    "runner_refused",
    "Daytona's proxy does not accept the sandbox's token (its login)",
  ],
  link: [
    "signed_token_invalid",
    "Daytona's proxy does not open the link (its login)",
  ],
} as const;

const NO_RUNNER =
  /failed to get runner info: Sandbox with ID ([\w-]+) not found$/;

/** True if a response may be one of the proxy's own. */
function mayBeHostedRefusal({ status, headers }: ResponseHead): boolean {
  return status === 307 ||
    status === 200 &&
      valuesOf(headers, "content-security-policy")[0] === WARNING_POLICY;
}

export function hostedRefusalOf(
  { status, headers }: ResponseHead,
  authority: string,
  credential: HostedCredential,
): Refusal | undefined {
  if (status === 307 && isLogin(headers, authority)) {
    const [code, reason] = LOGINS[credential];
    return refusalWith(code, reason);
  }
  if (status === 200 && isWarning(headers)) {
    return refusalWith(
      "runner_refused",
      "Daytona's proxy warns of the sandbox (its page came in place of the app)",
    );
  }
  return undefined;
}

/** As {@linkcode refusalOf}, by a proxy that finds no runner with the sandbox, as where it is archived. */
export function withoutRunner(
  status: number,
  body: string,
  sandboxId: string | undefined,
): "container_not_found" | undefined {
  const { message, statusCode } = membersOf(body);
  if (typeof message !== "string" || statusCode !== status) return undefined;
  const [, id] = NO_RUNNER.exec(message) ?? [];
  const isUnknown = status === 400 && id !== undefined &&
    (sandboxId === undefined || id === sandboxId);
  return isUnknown ? "container_not_found" : undefined;
}

/** As {@linkcode refusalOf}, by a proxy that has failed itself. Apps have no such errors: all these members, and its code. */
export function ownFailure(
  status: number,
  body: string,
): "runner_unreachable" | undefined {
  const { statusCode, code, source = "DAYTONA_PROXY", ...rest } = membersOf(
    body,
  );
  const texts = [rest.message, rest.timestamp, rest.path, rest.method];
  const isOwn = status === 500 && statusCode === 500 &&
    code === "INTERNAL_SERVER_ERROR" && source === "DAYTONA_PROXY" &&
    texts.every((text) => typeof text === "string");
  return isOwn ? "runner_unreachable" : undefined;
}

/** True for a redirect to the proxy's own login, which would come back to this very host. */
function isLogin(headers: HeaderList, authority: string): boolean {
  const isBegun = valuesOf(headers, "set-cookie")
    .some((line) => line.startsWith("pkce_verifier="));
  const location = URL.parse(valuesOf(headers, "location")[0] ?? "");
  if (!isBegun || location === null) return false;
  const { searchParams } = location;
  const returnTo = URL.parse(returnToOf(searchParams.get("state") ?? ""));
  return (searchParams.get("redirect_uri") ?? "").endsWith("/callback") &&
    returnTo?.host === authority;
}

/** Where a login would return to, by its state. */
function returnToOf(state: string): string {
  try {
    const bytes = Uint8Array.fromBase64(state, { alphabet: "base64url" });
    const { returnTo } = membersOf(new TextDecoder().decode(bytes));
    return typeof returnTo === "string" ? returnTo : "";
  } catch {
    return "";
  }
}

function isWarning(headers: HeaderList): boolean {
  return valuesOf(headers, "x-content-type-options")[0] === "nosniff" &&
    /^text\/html\b/i.test(valuesOf(headers, "content-type")[0] ?? "");
}
