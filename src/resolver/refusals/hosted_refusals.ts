/**
 * Tells the refusals of the proxy of a Daytona that somebody else runs from an app's answers. It sends whoever it does
 * not let in to its login, whatever they asked for, and so it does with a token that is no longer right: a 401 is always
 * the app's. Behind it are runners, whose refusals are those of runner_refusals.ts.
 */
import { valuesOf } from "../../http/headers.ts";
import {
  discardBody,
  type UpstreamResponse,
} from "../../upstream/http1/message.ts";
import type {
  App,
  AppRequest,
  Destination,
  Refusals,
  ResponseHead,
} from "../destination.ts";
import type { ProbeClient } from "./probe.ts";
import { type Refusal, refusalWith } from "./refusal.ts";
import { membersOf, refusalOf } from "./runner_messages.ts";
import { RunnerRefusals } from "./runner_refusals.ts";

/** What opens the way to a sandbox: its token, or a signed link, which the refusals are about then. */
export type HostedCredential = "token" | "link";

/** Judges responses that come by way of such a proxy. */
export class HostedRefusals implements Refusals {
  readonly #credential: HostedCredential;
  readonly #runners: RunnerRefusals;

  constructor(upstream: ProbeClient, credential: HostedCredential) {
    this.#credential = credential;
    this.#runners = new RunnerRefusals(upstream, (status, body, sandboxId) => {
      // By a link, nobody tells which sandbox it is.
      const id = credential === "link" ? undefined : sandboxId;
      return refusalOf(status, body, id) ?? withoutRunner(status, body, id);
    });
  }

  mayRefuse(head: ResponseHead): boolean {
    return this.#runners.mayRefuse(head) || mayBeHostedRefusal(head);
  }

  async judge(
    response: UpstreamResponse,
    request: AppRequest,
    destination: Destination,
  ): Promise<UpstreamResponse | Refusal> {
    const { authority } = destination;
    const refusal = hostedRefusalOf(response, authority, this.#credential);
    if (refusal === undefined) {
      return await this.#runners.judge(response, request, destination);
    }
    discardBody(response.body);
    return refusal;
  }

  judgeHandshake(
    refusal: Refusal,
    app: App,
    destination: Destination,
  ): Promise<Refusal> {
    return this.#runners.judgeHandshake(refusal, app, destination);
  }

  ofFailure(error: unknown): Refusal {
    return this.#runners.ofFailure(error);
  }
}

/** The proxy's warning, which comes in place of anything if it is not asked to leave that out. */
const WARNING_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'";

const NO_RUNNER =
  /failed to get runner info: Sandbox with ID ([\w-]+) not found$/;

/** True if a response may be one of the proxy's own. */
export function mayBeHostedRefusal(response: ResponseHead): boolean {
  const { status, headers } = response;
  return status === 307 ||
    status === 200 &&
      valuesOf(headers, "content-security-policy")[0] === WARNING_POLICY;
}

/** The proxy's refusal, if the head of a response shows it to be one. */
export function hostedRefusalOf(
  { status, headers }: ResponseHead,
  authority: string,
  credential: HostedCredential,
): Refusal | undefined {
  if (status === 307 && isLogin(headers, authority)) {
    return credential === "link"
      ? refusalWith(
        "signed_token_invalid",
        "Daytona's proxy does not open the link (its login)",
      )
      : refusalWith(
        "runner_refused",
        "Daytona's proxy does not accept the sandbox's token (its login)",
      );
  }
  if (status === 200 && isWarning(headers)) {
    return refusalWith(
      "runner_refused",
      "Daytona's proxy warns of the sandbox (its page came in place of the app)",
    );
  }
  return undefined;
}

/**
 * The code for a refusal of a proxy that finds no runner with the sandbox, as where it is archived; undefined if the body
 * is an app's. Without a `sandboxId`, it may be about any sandbox.
 */
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

/** True for a redirect to the proxy's own login, which would come back to this very host. */
function isLogin(
  headers: UpstreamResponse["headers"],
  authority: string,
): boolean {
  const isBegun = valuesOf(headers, "set-cookie")
    .some((line) => line.startsWith("pkce_verifier="));
  const location = URL.parse(valuesOf(headers, "location")[0] ?? "");
  if (!isBegun || location === null) return false;
  const { searchParams } = location;
  return (searchParams.get("redirect_uri") ?? "").endsWith("/callback") &&
    hostOf(returnToOf(searchParams.get("state") ?? "")) === authority;
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

function hostOf(url: string): string | undefined {
  return URL.parse(url)?.host;
}

function isWarning(headers: UpstreamResponse["headers"]): boolean {
  return valuesOf(headers, "x-content-type-options")[0] === "nosniff" &&
    /^text\/html\b/i.test(valuesOf(headers, "content-type")[0] ?? "");
}
