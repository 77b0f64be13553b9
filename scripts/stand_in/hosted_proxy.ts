/**
 * A fake of the proxy of a Daytona that somebody else operates, on 127.0.0.1: `{port}-{label}.hosted.localhost` by
 * TLS, in front of the runners that the API names. `startHostedStack()` in `hosted_stack.ts` starts it with everything
 * around it. It has the traps of the real one, which surprise whoever builds a gateway in front of it. Where they are,
 * and how a test sets them up:
 *
 * The API, for an organization's key (`test/scripts/stand_in/hosted_api_test.ts`):
 *
 * - impostors: `getPortPreviewUrl` and `getSignedPortPreviewUrl` look a sandbox up by `withNamedSandbox()` with
 *   `namesFirst`; give one another's id as its `name`
 * - names that are no host labels, or look like a signed token: `ApiSandbox.name` is any text; proxies find ids only
 * - port `NaN`, `3000.5`, `1e3`: `getPortPreviewUrl`
 * - a URL that proxyTemplateUrl does not match: put a sandbox into {@linkcode CUSTOM_REGION}; `listAvailableRegions`
 * - a URL at a host that nobody may trust: `api.state.regions.set("eu", { proxyUrl: hosted.origin("stranger.localhost") })`
 * - secrets in the answer: `SECRET_ENV`, by default in the `env` of every sandbox that `getSandbox` shows
 * - what the key may not ask (403): the guard `PROXIES`, of `/preview/…` but for `/access`
 * - a key without permissions: `HOSTED_KEYS.member`; `WRITERS`, for what starts and stops
 * - JWTs without their organization, or with a foreign one (403): `callerProblem()`, `ApiState.memberships`
 * - service keys that open everything at `/access` and `/sandbox/{id}`: `ANY_BEARER`, `KEYS.service`, `KEYS.sshGateway`
 * - the organization's quotas: `api.state.limits.authenticated` and `.sandboxLifecycle`, with `Retry-After-…` only
 * - bearers that block their address, for good keys too: `api.state.limits.failedAuth`
 * - a token that is shown for a second after it has changed: `api.cache.isOn`
 * - destroyed (404), also `error` that is to be destroyed: `isGone()`; archived: no `runnerId`
 * - starts (`lifecycle_test.ts`): {@linkcode Lifecycle.start}, whose times are `api.lifecycle.jobs`; refusals are in
 *   `startRefusal()`: `startFailure` and `isPending` of a sandbox, `suspensionReason` and `exceeded` of an
 *   organization, `isClosed` of a region
 *
 * The proxy (`hosted_proxy_test.ts`, `hosted_answers_test.ts`):
 *
 * - a token that is not right leads to the login, always (307, `pkce_verifier`), and so does an unknown or deleted
 *   sandbox, and a name: `loginRedirect()`; an app's own 401 passes
 * - of two token headers the first counts, a token in the query has it sorted: `HostedAdmission`
 * - credentials reach the app of a public sandbox: `HostedAdmission.admit()`
 * - links: `Set-Cookie` with every answer, and the cookie outlives the link: `HostedAdmission`; set `revoked` or
 *   `expiresAt` of `api.state.signedTokens`
 * - tokens and `public` that stay for as long as they are in use: `ExtendingCache`; `hosted.forget()` ends that
 * - stopped and in error are the same JSON (400), archived (400, or 404 once known), an empty 502: the runner, and
 *   `HostedProxy.#toRunner()`
 * - X-Forwarded-Host twice, X-Daytona-Authorization twice (401), which headers reach the app: `HostedProxy.#toRunner()`
 * - gzip that nobody asked for: `forward()`
 * - CORS, before authentication and twice: `corsLines()`, `preflight()`
 * - the warning, which swallows POSTs and Firefox's WebSockets: `hosted.showsWarning`, `warningPage()`,
 *   `acceptedWarning()`
 * - `/health`, and a toolbox that any key opens: `HostedProxy.#ofBase()`
 *
 * `hosted.seen` has what reached the proxy, `runner.seen` what reached the runner, and `/echo` of the app what reached
 * that; `hosted.activity` has whose use the proxy has reported.
 */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { FakeApi } from "./api.ts";
import {
  type Admission,
  HostedAdmission,
  RESERVED_PORTS,
} from "./hosted_admission.ts";
import {
  acceptedWarning,
  corsLines,
  type HostedRequest,
  isCorsDisabled,
  loginRedirect,
  preflight,
  warningPage,
} from "./hosted_answers.ts";
import { ExtendingCache } from "./hosted_cache.ts";
import { HOSTED_CERTIFICATE, HOSTED_DOMAIN } from "./hosted_certificate.ts";
import { listenOnLoopback, type Loopback } from "./loopback.ts";
import {
  type OwnAnswer,
  refusal,
  sendOwn,
  sendOwnToSocket,
} from "./runner_answers.ts";
import {
  forward,
  type HeaderLines,
  headerLines,
  type LocalTarget,
  tunnel,
  valuesOf,
  without,
} from "./runner_forward.ts";

/** Differences from the default proxy. */
export interface HostedProxyOptions {
  /** Milliseconds since the epoch; by default the clock. */
  readonly now?: () => number;
  /** False for a proxy without TLS. */
  readonly tls?: boolean;
}

const MAX_SEEN = 1000;

/** Starts a proxy in front of the runners of an API, on a free port of 127.0.0.1. */
export async function startHostedProxy(
  api: FakeApi,
  options: HostedProxyOptions = {},
): Promise<HostedProxy> {
  const limits = { maxHeaderSize: 256 * 1024, keepAliveTimeout: 70_000 };
  const { tls = true } = options;
  const server: Server = tls
    ? createHttpsServer({ ...limits, ...HOSTED_CERTIFICATE })
    : createHttpServer(limits);
  server.maxHeadersCount = 0;
  const loopback = await listenOnLoopback(server);
  const proxy = new HostedProxy(api, loopback, options);
  server.on("request", async (message, response) => {
    const plan = await proxy.plan(message);
    if ("status" in plan) sendOwn(response, plan);
    else forward(message, response, plan);
  });
  server.on("upgrade", async (message, socket, head) => {
    socket.on("error", () => {}); // the client may leave at any time
    const plan = await proxy.plan(message);
    if ("status" in plan) sendOwnToSocket(socket, plan);
    else tunnel(message, { socket, head }, plan);
  });
  return proxy;
}

/** A running proxy. */
export class HostedProxy implements AsyncDisposable {
  /** Where it listens on 127.0.0.1, whatever its names. */
  readonly port: number;
  readonly scheme: "http" | "https";
  /** True if browsers are warned. */
  showsWarning = false;
  /** The latest requests, oldest first. */
  readonly seen: HostedRequest[] = [];
  /** The sandboxes of which it has told the API that they are in use, one for each request. */
  readonly activity: string[] = [];
  readonly #api: FakeApi;
  readonly #loopback: Loopback;
  readonly #admission: HostedAdmission;
  readonly #runners: ExtendingCache<Runner>;

  constructor(
    api: FakeApi,
    loopback: Loopback,
    { now = () => Date.now(), tls = true }: HostedProxyOptions,
  ) {
    this.port = loopback.port;
    this.scheme = tls ? "https" : "http";
    this.#api = api;
    this.#loopback = loopback;
    this.#admission = new HostedAdmission(api, now);
    this.#runners = new ExtendingCache(120_000, now);
  }

  /** The origin of a domain of its, `hosted.localhost` by default. */
  origin(domain: string = HOSTED_DOMAIN): string {
    return `${this.scheme}://${domain}:${this.port}`;
  }

  /** Forgets what it has learned, like a proxy that has just been started. */
  forget(): void {
    this.#admission.forget();
    this.#runners.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loopback[Symbol.asyncDispose]();
  }

  /** What becomes of a request: an answer, or where it goes. */
  async plan(message: IncomingMessage): Promise<OwnAnswer | LocalTarget> {
    const request = requestOf(message);
    this.seen.push(request);
    if (this.seen.length > MAX_SEEN) this.seen.shift();
    if (headBytes(request) > MAX_HEAD_BYTES) return TOO_LONG;
    const plan = preflight(request) ??
      acceptedWarning(request, this.scheme) ??
      await this.#route(message, request);
    const cors = corsLines(request);
    if (cors.length === 0) return plan;
    return "status" in plan
      ? { ...plan, headers: [...plan.headers ?? [JSON_TYPE], ...cors] }
      : { ...plan, added: [...plan.added ?? [], ...cors] };
  }

  async #route(
    message: IncomingMessage,
    request: HostedRequest,
  ): Promise<OwnAnswer | LocalTarget> {
    const { host, target, lines } = request;
    const [, port, label, base] = PREVIEW_HOST.exec(host) ?? [];
    if (port === undefined || label === undefined || base === undefined) {
      return await this.#ofBase(message, request);
    }
    if (this.showsWarning && !RESERVED_PORTS.includes(port)) {
      const page = warningPage(request, this.scheme);
      if (page !== undefined) return page;
    }
    const visit = { host, port, label, target, lines };
    const admission = await this.#admission.admit(visit);
    if (admission === undefined) {
      const { oidc } = this.#api.state.config;
      const { scheme } = this;
      return await loginRedirect(request, { oidc, scheme, base, label });
    }
    return this.#toRunner(message, admission, `/proxy/${port}`);
  }

  async #ofBase(
    message: IncomingMessage,
    { host, target, lines }: HostedRequest,
  ): Promise<OwnAnswer | LocalTarget> {
    if (target === "/health") {
      const body = JSON.stringify({ status: "ok", version: "0.0.0-stack" });
      return { status: 200, body };
    }
    const [, label, rest] = TOOLBOX.exec(target) ?? [];
    if (label === undefined || rest === undefined) {
      return refusal(message, 404, "not found: not found");
    }
    const visit = { host, port: "2280", label, target: rest, lines };
    const admission = await this.#admission.admit(visit);
    return admission === undefined
      ? refusal(message, 401, "unauthorized: authentication required")
      : this.#toRunner(message, admission, "");
  }

  #toRunner(
    message: IncomingMessage,
    { sandboxId, target, lines, added }: Admission,
    path: string,
  ): OwnAnswer | LocalTarget {
    const runner = this.#runners.get(
      sandboxId,
      () => this.#runnerOf(sandboxId),
    );
    if (runner === undefined) {
      const reason =
        `failed to get runner info: Sandbox with ID ${sandboxId} not found`;
      const refused = refusal(message, 400, `bad request: ${reason}`);
      return { ...refused, headers: [JSON_TYPE, ...added] };
    }
    const isSilent = valuesOf(lines, SKIP_ACTIVITY)[0] === "true";
    if (!isSilent) this.activity.push(sandboxId);
    const { host = "" } = message.headers;
    return {
      localPort: runner.port,
      authority: `127.0.0.1:${runner.port}`,
      target: `/sandboxes/${sandboxId}/toolbox${path}${target}`,
      proxies: 1,
      lines: [
        ...without(lines, [
          ...isCorsDisabled(lines) ? ["x-daytona-disable-cors"] : [],
          ...isSilent ? [] : [SKIP_ACTIVITY],
        ]),
        // A second line, where the visitor has sent one.
        ["X-Forwarded-Host", host],
        // A second one too: the runner takes the visitor's, and refuses it.
        ["X-Daytona-Authorization", `Bearer ${runner.key}`],
      ],
      added,
    };
  }

  /** An archived sandbox has none. */
  #runnerOf(sandboxId: string): Runner | undefined {
    const { sandboxes, runners } = this.#api.state;
    const sandbox = sandboxes.get(sandboxId);
    if (sandbox === undefined) return undefined;
    if (["archived", "destroyed"].includes(sandbox.state)) return undefined;
    const { proxyUrl, apiKey } = runners.get(sandbox.runnerId) ?? {};
    return typeof proxyUrl === "string" && typeof apiKey === "string"
      ? { port: Number(new URL(proxyUrl).port), key: apiKey }
      : undefined;
  }
}

/** What the proxy knows of a runner. */
interface Runner {
  readonly port: number;
  readonly key: string;
}

const PREVIEW_HOST = /^(\d+)-([^.]+)\.(.+)$/;
const TOOLBOX = /^\/toolbox\/([^/?]+)(.*)$/s;
const SKIP_ACTIVITY = "x-daytona-skip-last-activity-update";
const JSON_TYPE = ["Content-Type", "application/json"] as const;

/** At the real one, a later hop or the app says so; where the limit is depends on which. */
const MAX_HEAD_BYTES = 64 * 1024;
const TOO_LONG: OwnAnswer = { status: 431, body: "" };

function headBytes({ target, lines }: HostedRequest): number {
  return lines.flat().reduce((sum, text) => sum + text.length, target.length);
}

function requestOf(message: IncomingMessage): HostedRequest {
  const { method = "", url: target = "" } = message;
  const lines: HeaderLines = headerLines(message);
  return { method, host: valuesOf(lines, "host")[0] ?? "", target, lines };
}
