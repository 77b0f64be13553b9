/**
 * The owner's view: `/inspect/{sandbox}` on the base domain is a page that shows the exchanges of a sandbox while it is
 * open, and `/inspect/{sandbox}/events` the stream that it reads. Both need a login or a bearer: links and tokens open an
 * app, not the requests of its other visitors.
 */
import { SANDBOX_REF, TOOLBOX_PORT } from "../../address/grammar.ts";
import {
  bearerOf,
  type Credential,
  MAX_SESSION_COOKIES,
} from "../../auth/credentials.ts";
import { sealedLogins } from "../../auth/login_cookies.ts";
import { GatewayError } from "../../errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { ExchangeServices } from "../../gateway/exchange_services.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import type { ReceivedRequest } from "../../gateway/received_request.ts";
import { requestOfMember } from "../../gateway/route.ts";
import { cookieValues } from "../../http/cookies.ts";
import {
  isAheadOfTime,
  isFramed,
  isNavigation,
  senderSite,
} from "../../http/fetch_metadata.ts";
import { clientKey } from "../../lib/client_key.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { redirect } from "../../pages/redirect.ts";
import { INSPECT_POLICY, inspectPage } from "./inspect_page.ts";
import type { Inspector } from "./inspector.ts";

interface InspectRoute {
  readonly sandboxId: string;
  readonly resource: "page" | "events";
}

const PATH = new RegExp(`^/inspect/(${SANDBOX_REF})(/events)?(?=\\?|$)`);

/** Parses a request-target on a base host; undefined if it is not ours. */
export function inspectRoute(target: string): InspectRoute | undefined {
  const [path, sandboxId = "", events] = PATH.exec(target) ?? [];
  if (path === undefined) return undefined;
  return { sandboxId, resource: events === undefined ? "page" : "events" };
}

type InspectServices = Pick<
  ExchangeServices,
  "scheme" | "cookies" | "sessionScope"
>;

/** A request for the view of a sandbox's requests, or for their events. */
export class InspectRequest {
  readonly label: string;
  readonly resource: "page" | "events";
  readonly #received: ReceivedRequest;
  readonly #services: InspectServices;

  constructor(
    received: ReceivedRequest,
    { sandboxId, resource }: InspectRoute,
    services: InspectServices,
  ) {
    this.label = sandboxId;
    this.resource = resource;
    this.#received = received;
    this.#services = services;
  }

  /** A session counts for the page itself and for its visitor's own navigation: not for an app's page, nor in a frame. */
  credentials(): readonly Credential[] {
    const { headers } = this.#received;
    const { cookies, sessionScope } = this.#services;
    const cookie = this.#mayUseSessions() ? headers.get("cookie") ?? "" : "";
    const sessions = sessionScope === "sandbox"
      ? cookieValues(cookie, cookies.loginSession(this.label))
      : sealedLogins(cookie, cookies.userSessionPrefix);
    const credentials: Credential[] = sessions.slice(-MAX_SESSION_COOKIES)
      .map((sealed) => ({ kind: "session", sealed }));
    const token = bearerOf(headers);
    if (token !== undefined) credentials.push({ kind: "bearer", token });
    return credentials;
  }

  #mayUseSessions(): boolean {
    const { headers, method } = this.#received;
    const site = senderSite(headers);
    if (isFramed(headers)) return false;
    if (site === "same-origin") return true;
    if (this.resource === "page") {
      return !isAheadOfTime(headers) &&
        (site === null || site === "none" || isNavigation(method, headers));
    }
    const origin = headers.get("origin");
    return site === null && (origin === null || origin === this.#ownOrigin);
  }

  get #ownOrigin(): string {
    const { authority } = this.#received;
    return `${this.#services.scheme}://${authority.toLowerCase()}`;
  }

  /** Where a browser logs in for the page, which it comes back to; undefined if nobody is looking at it. */
  get loginUrl(): string | undefined {
    const { method, headers } = this.#received;
    const isSeen = this.resource === "page" && isNavigation(method, headers) &&
      !isFramed(headers);
    const url = `${this.#ownOrigin}/inspect/${this.label}`;
    return isSeen
      ? `${this.#ownOrigin}/login?return_to=${encodeURIComponent(url)}`
      : undefined;
  }
}

export async function handleInspect(
  x: Exchange,
  request: InspectRequest,
  inspector: Inspector,
  { gate, login, sandboxPages }: FeatureParts,
): Promise<Response> {
  const { method, client } = x.received;
  await x.checkLimits(); // 1 dispatch
  if (method !== "GET") throw new GatewayError("method_not_allowed", method);
  x.progress.onLookups();
  const whole = { label: request.label, port: TOOLBOX_PORT };
  const asked = requestOfMember(x, whole, () => request.credentials());
  const verdict = await gate.admit(asked); // 3 gate
  if (verdict.kind !== "allow") {
    const mayLogIn = verdict.kind === "login" && login.state === "on";
    const loginUrl = mayLogIn ? request.loginUrl : undefined;
    if (loginUrl !== undefined) return x.answer(redirect(302, loginUrl));
    throw new GatewayError(verdict.code, "Refused at the gate");
  }
  let latest = verdict;
  x.grant(verdict, async () => {
    const again = await gate.readmit(asked, latest);
    if (again.kind !== "allow") return false;
    latest = again;
    return true;
  });
  if (request.resource === "page") {
    const headers = {
      ...OWN_ANSWER_HEADERS,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": INSPECT_POLICY,
    };
    const html = inspectPage(request.label, sandboxPages());
    return x.answer(new Response(html, { headers }));
  }
  const user = verdict.subject ?? clientKey(client.clientAddress);
  const watcher = inspector.watch(verdict.sandboxId, user);
  if (watcher === undefined) {
    throw new GatewayError("overloaded", "Too many watchers");
  }
  const headers: [string, string][] = [
    ...Object.entries(OWN_ANSWER_HEADERS),
    ["content-type", "text/event-stream"],
    ["x-accel-buffering", "no"],
  ];
  return x.relay({ status: 200, headers, body: watcher });
}
