/**
 * The domains of the proxies of a Daytona that somebody else runs. The token of a sandbox is sent to where the API says
 * that its previews are; so that has to be one of them: that of `proxyTemplateUrl`, or of a region of the organization.
 */
import type { DaytonaApi } from "../../daytona/api.ts";
import { proxyDomainOf } from "../../daytona/remote_config.ts";
import type { Awaitable } from "../../lib/awaitable.ts";
import { isPending } from "../../lib/cooldown.ts";
import {
  LookupCache,
  type LookupCacheOptions,
  UNMETERED,
} from "../lookup_cache.ts";

/** Least time between two questions because of a domain that is not known, ms: a region may be new. */
const RENEWAL_PAUSE_MS = 30_000;

const KEY = "all";

/** As `scheme://host[:port]`. */
interface Domains {
  /** The origin of `proxyTemplateUrl`; null if there is none. */
  readonly common: string | null;
  readonly all: readonly string[];
}

type DomainsApi = Pick<DaytonaApi, "config" | "regionProxyUrls">;

/** The domains of the proxies; every method throws as {@linkcode DaytonaApi} if they are neither cached nor told. */
export class HostedDomains {
  readonly #api: DomainsApi;
  readonly #cache: LookupCache<Domains>;
  readonly #now: () => number;
  #renewal: Promise<Domains> | undefined;
  #renewAgainAt = -Infinity;

  constructor(api: DomainsApi, options: LookupCacheOptions) {
    this.#api = api;
    this.#cache = new LookupCache("hosted-domains", null, options);
    this.#now = options.now;
  }

  /** The domain of most previews, and of all signed links; null if the API names none. */
  async common(): Promise<string | null> {
    return (await this.#known()).common;
  }

  /** True if previews may be at that domain. */
  async includes(domain: string): Promise<boolean> {
    const { all } = await this.#known();
    if (all.includes(domain)) return true;
    const pause = { now: this.#now(), withinMs: RENEWAL_PAUSE_MS };
    if (!this.#renewal && isPending(this.#renewAgainAt, pause)) return false;
    this.#renewal ??= this.#renew().finally(() => this.#renewal = undefined);
    return (await this.#renewal).all.includes(domain);
  }

  async #renew(): Promise<Domains> {
    const renewed = await this.#ask();
    this.#renewAgainAt = this.#now() + RENEWAL_PAUSE_MS;
    this.#cache.put(KEY, renewed);
    return renewed;
  }

  #known(): Awaitable<Domains> {
    return this.#cache.lookUp(KEY, () => this.#ask(), UNMETERED);
  }

  async #ask(): Promise<Domains> {
    const [config, regions] = await Promise.all([
      this.#api.config(),
      this.#api.regionProxyUrls(),
    ]);
    const template = proxyDomainOf(config.proxyTemplateUrl ?? "");
    const { protocol, domain, port } = template ?? {};
    const common = domain && originOf(`${protocol}://${domain}:${port ?? ""}`);
    const ofRegions = (regions ?? []).map(originOf);
    const all = [common, ...ofRegions].filter((one) => typeof one === "string");
    return { common: common ?? null, all };
  }
}

/** The origin of a base URL, without a default port; undefined if it is none. */
function originOf(url: string): string | undefined {
  const parsed = URL.parse(url);
  return parsed !== null && /^https?:$/.test(parsed.protocol)
    ? `${parsed.protocol}//${parsed.host}`
    : undefined;
}
