/**
 * A fake of the proxy of a Daytona that somebody else operates, on 127.0.0.1: `{port}-{label}.hosted.localhost` by
 * TLS, in front of the runners that the API names. `hosted_stack.ts` starts it, and lists its traps.
 */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { FakeApi } from "./api.ts";
import { HostedAdmission, RESERVED_PORTS } from "./hosted_admission.ts";
import {
  acceptedWarning,
  corsLines,
  type HostedRequest,
  loginRedirect,
  preflight,
  warningPage,
} from "./hosted_answers.ts";
import { HOSTED_CERTIFICATE, HOSTED_DOMAIN } from "./hosted_certificate.ts";
import { HostedRunners } from "./hosted_runners.ts";
import { listenOnLoopback, type Loopback } from "./loopback.ts";
import {
  JSON_TYPE,
  type OwnAnswer,
  refusal,
  sendOwn,
  sendOwnToSocket,
} from "./runner_answers.ts";
import {
  forward,
  headerLines,
  type LocalTarget,
  tunnel,
  valuesOf,
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
  server.on("connection", () => proxy.connections++);
  server.on("request", async (message, response) => {
    const plan = await proxy.plan(message);
    if (plan === "reset") message.socket.destroy();
    else if ("status" in plan) sendOwn(response, plan);
    else forward(message, response, plan);
  });
  server.on("upgrade", async (message, socket, head) => {
    socket.on("error", () => {}); // the client may leave at any time
    const plan = await proxy.plan(message);
    if (plan === "reset") socket.destroy();
    else if ("status" in plan) sendOwnToSocket(socket, plan);
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
  /** If set, what it answers in place of itself, such as the page of a CDN before it; undefined for what it would. */
  fault:
    | ((request: HostedRequest) => OwnAnswer | "reset" | undefined)
    | undefined;
  /** Awaited before every answer, so that tests can delay it. */
  beforeAnswer: ((request: HostedRequest) => void | Promise<void>) | undefined;
  /** The latest requests, oldest first. */
  readonly seen: SeenByHosted[] = [];
  /** The connections that it has accepted. */
  connections = 0;
  readonly runners: HostedRunners;
  readonly #api: FakeApi;
  readonly #loopback: Loopback;
  readonly #admission: HostedAdmission;

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
    this.runners = new HostedRunners(api, now);
  }

  /** The origin of a domain of its, `hosted.localhost` by default. */
  origin(domain: string = HOSTED_DOMAIN): string {
    return `${this.scheme}://${domain}:${this.port}`;
  }

  /** Forgets what it has learned, like a proxy that has just been started. */
  forget(): void {
    this.#admission.forget();
    this.runners.forget();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loopback[Symbol.asyncDispose]();
  }

  /** What becomes of a request: an answer, or where it goes. */
  async plan(message: IncomingMessage): Promise<Plan | "reset"> {
    const request = requestOf(message);
    this.seen.push(request);
    if (this.seen.length > MAX_SEEN) this.seen.shift();
    await this.beforeAnswer?.(request);
    const fault = this.fault?.(request);
    if (fault !== undefined) return fault;
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
  ): Promise<Plan> {
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
    return this.runners.plan(message, admission, `/proxy/${port}`);
  }

  async #ofBase(
    message: IncomingMessage,
    { host, target, lines }: HostedRequest,
  ): Promise<Plan> {
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
      : this.runners.plan(message, admission, "");
  }
}

/** A request, and the name by which the client asked for the certificate; undefined without TLS. */
export interface SeenByHosted extends HostedRequest {
  readonly serverName: string | undefined;
}

/** What becomes of a request: an answer, or where it goes. */
type Plan = OwnAnswer | LocalTarget;

const PREVIEW_HOST = /^(\d+)-([^.]+)\.(.+)$/;
const TOOLBOX = /^\/toolbox\/([^/?]+)(.*)$/s;

/** At the real one, a later hop or the app says so; where the limit is depends on which. */
const MAX_HEAD_BYTES = 64 * 1024;
const TOO_LONG: OwnAnswer = { status: 431, body: "" };

function headBytes({ target, lines }: HostedRequest): number {
  return lines.flat().reduce((sum, text) => sum + text.length, target.length);
}

function requestOf(message: IncomingMessage): SeenByHosted {
  const { method = "", url: target = "" } = message;
  const lines = headerLines(message);
  const [host = ""] = valuesOf(lines, "host");
  const { servername }: { servername?: string } = message.socket as object;
  return { method, host, target, lines, serverName: servername };
}
