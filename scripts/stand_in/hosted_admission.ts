/**
 * Whom the hosted proxy lets in, and by what, in the real one's order: bearer, token header, token in the query, cookie,
 * signed link. What it remembers of that is remembered too long, as there.
 */
import type { FakeApi } from "./api.ts";
import { isGone, linkTo } from "./api_answers.ts";
import { ExtendingCache } from "./hosted_cache.ts";
import { type HeaderLines, valuesOf, without } from "./runner_forward.ts";

/** A request for a port of what a label stands for. */
export interface Visit {
  /** The Host. */
  readonly host: string;
  readonly port: string;
  /** A sandbox's id, or a signed token. */
  readonly label: string;
  /** The request-target. */
  readonly target: string;
  readonly lines: HeaderLines;
}

/** What becomes of a request that is let in. */
export interface Admission {
  readonly sandboxId: string;
  readonly target: string;
  readonly lines: HeaderLines;
  /** Header lines for every answer, refusals too. */
  readonly added: HeaderLines;
}

/** Ports that are never public: Daytona's own. */
export const RESERVED_PORTS = ["22222", "2280", "33333"];

const TOKEN_HEADER = "x-daytona-preview-token";
const TOKEN_PARAMETER = "DAYTONA_SANDBOX_AUTH_KEY";

const MINUTE_MS = 60_000;
const COOKIE_MS = 60 * MINUTE_MS;

/** The cookie of a visitor who came by a signed link. */
interface LinkCookie {
  readonly label: string;
  readonly sandboxId: string;
  readonly expiresAt: number;
}

/** Lets requests in. */
export class HostedAdmission {
  readonly #api: FakeApi;
  readonly #now: () => number;
  readonly #public: ExtendingCache<boolean>;
  readonly #accepted: ExtendingCache<true>;
  /** By value. */
  readonly #cookies = new Map<string, LinkCookie>();

  /** `now` is in ms. */
  constructor(api: FakeApi, now: () => number) {
    this.#api = api;
    this.#now = now;
    this.#public = new ExtendingCache(60 * MINUTE_MS, now);
    this.#accepted = new ExtendingCache(2 * MINUTE_MS, now);
  }

  /** Forgets what was public and which tokens were right. */
  forget(): void {
    this.#public.clear();
    this.#accepted.clear();
  }

  /** Lets a request in; undefined if it has to log in. */
  async admit(visit: Visit): Promise<Admission | undefined> {
    const { port, label, target, lines } = visit;
    // A public one is not asked for credentials, so they all travel on.
    if (!RESERVED_PORTS.includes(port) && this.#isPublic(label)) {
      return { sandboxId: label, target, lines, added: [] };
    }
    // Of several, the first.
    const [token = ""] = valuesOf(lines, TOKEN_HEADER);
    const rest = { ...visit, lines: without(lines, [TOKEN_HEADER]) };
    const admitted = { ...rest, sandboxId: label, added: [] };
    if (await this.#hasAccess(visit)) {
      return { ...admitted, lines: without(rest.lines, ["authorization"]) };
    }
    if (this.#isToken(label, token)) return admitted;
    return this.#byQuery(rest) ?? this.#byCookie(rest) ?? this.#byLink(rest);
  }

  #isPublic(label: string): boolean {
    const ask = () => this.#api.state.sandboxes.get(label)?.public;
    return this.#public.get(label, ask) === true;
  }

  async #hasAccess({ label, lines }: Visit): Promise<boolean> {
    const [authorization = ""] = valuesOf(lines, "authorization");
    if (!/^Bearer /i.test(authorization)) return false;
    const caller = await this.#api.callerOf(new Headers({ authorization }));
    const ask = () => {
      const sandbox = this.#api.state.sandboxes.get(label);
      if (sandbox === undefined || caller === undefined) return undefined;
      return caller.kind === "service" ||
        caller.visible.has(label) && !isGone(sandbox) || undefined;
    };
    return this.#accepted.get(`${label} ${authorization}`, ask) === true;
  }

  #isToken(label: string, token: string): boolean {
    if (token === "") return false;
    const ask = () => {
      const sandbox = this.#api.state.sandboxes.get(label);
      const isRight = sandbox !== undefined && !isGone(sandbox) &&
        sandbox.authToken === token;
      return isRight || undefined;
    };
    return this.#accepted.get(`${label} token ${token}`, ask) === true;
  }

  #byQuery({ label, target, lines }: Visit): Admission | undefined {
    const [path = "", query] = target.split(/\?(.*)/s, 2);
    const parameters = new URLSearchParams(query);
    const token = parameters.get(TOKEN_PARAMETER) ?? "";
    if (!this.#isToken(label, token)) return undefined;
    parameters.delete(TOKEN_PARAMETER);
    // Encoded anew, and in another order.
    parameters.sort();
    const rest = parameters.size > 0 ? `?${parameters}` : "";
    return {
      sandboxId: label,
      target: path + rest,
      lines,
      added: [],
    };
  }

  #byCookie({ label, target, lines }: Visit): Admission | undefined {
    const cookie = this.#cookieOf(label, lines);
    return cookie &&
      { sandboxId: cookie.sandboxId, target, lines, added: [] };
  }

  #cookieOf(label: string, lines: HeaderLines): LinkCookie | undefined {
    const name = `${COOKIE_PREFIX}${label}=`;
    const [pair] = valuesOf(lines, "cookie").flatMap((value) =>
      value.split("; ")
    ).filter((text) => text.startsWith(name));
    const cookie = this.#cookies.get(pair?.slice(name.length) ?? "");
    return cookie?.label === label && this.#now() < cookie.expiresAt
      ? cookie
      : undefined;
  }

  /** The link is asked about each time; its cookie is good whatever becomes of the link. */
  #byLink({ host, port, label, target, lines }: Visit): Admission | undefined {
    const { state } = this.#api;
    const link = linkTo({ state, now: this.#now() }, label, port);
    if (link === undefined) return undefined;
    const { sandboxId } = link;
    const value = `${btoa(sandboxId)}.${crypto.randomUUID()}`;
    const expiresAt = this.#now() + COOKIE_MS;
    this.#cookies.set(value, { label, sandboxId, expiresAt });
    const domain = host.replace(/:\d+$/, "");
    const cookie =
      `${COOKIE_PREFIX}${label}=${value}; Path=/; Domain=${domain}; Max-Age=3600; HttpOnly`;
    return { sandboxId, target, lines, added: [["Set-Cookie", cookie]] };
  }
}

const COOKIE_PREFIX = "daytona-sandbox-auth-";
