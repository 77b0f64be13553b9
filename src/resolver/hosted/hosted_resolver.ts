/**
 * The resolver in front of a Daytona that somebody else runs: a sandbox is where the API says that its previews are.
 *
 * A label is the id of a sandbox or, as far as it can be a host label, its name. What looks like a signed token is tried
 * as one first, as it is in front of one's own Daytona: the token of a link cannot be guessed, so nobody's sandbox is
 * hidden by it, while a name can be chosen by any member, who could so take over somebody else's link.
 */
import { isUuid } from "../../address/grammar.ts";
import type { DaytonaApi } from "../../daytona/api.ts";
import { GatewayError } from "../../errors.ts";
import { type Awaitable, then } from "../../lib/awaitable.ts";
import { createDigests } from "../../lib/digest.ts";
import { Lru } from "../../lib/lru.ts";
import { sandboxIdCodec, sealedCodec } from "../codecs.ts";
import {
  type Destination,
  type Destinations,
  type Failure,
  isSameDestination,
  type SandboxPort,
} from "../destination.ts";
import {
  type Budget,
  LookupCache,
  privateTtlMs,
  UNMETERED,
} from "../lookup_cache.ts";
import type { SandboxResolverOptions } from "../own/sandboxes.ts";
import { appOriginOn, NO_LABELS, type OwnerLabels } from "../owner_labels.ts";
import { HostedRefusals } from "../refusals/hosted_refusals.ts";
import type { Change } from "../sandbox_changes.ts";
import { HostedDomains } from "./hosted_domains.ts";
import {
  hostedDestination,
  type HostedPreview,
  linkDestination,
  readPreview,
  storedPreview,
  tokenSentTo,
} from "./hosted_preview.ts";
import { HostedRenewals } from "./hosted_renewals.ts";
import {
  type HostedSandbox,
  readSandbox,
  sandboxCodec,
} from "./hosted_sandbox.ts";

/** Why an answer about a sandbox is not believed; the sandbox is not served then. */
export type Mismatch = "another_sandbox" | "another_address";

type HostedApi = Pick<
  DaytonaApi,
  "sandboxById" | "previewUrlOf" | "config" | "regionProxyUrls"
>;

interface HostedResolverOptions extends SandboxResolverOptions {
  readonly onMismatch: (reason: Mismatch, sandboxId: string) => void;
}

/** Cached answers about an organization's sandboxes. Lookups throw as {@linkcode DaytonaApi} if there is no answer. */
export class HostedResolver implements Destinations {
  readonly #api: HostedApi;
  readonly #options: HostedResolverOptions;
  readonly #refusals: HostedRefusals;
  readonly #linkRefusals: HostedRefusals;
  readonly #domains: HostedDomains;
  /** Ids by name. */
  readonly #names: LookupCache<string | null>;
  /** By id. */
  readonly #sandboxes: LookupCache<HostedSandbox | null>;
  readonly #previews: LookupCache<HostedPreview | null>;
  readonly #renewals: HostedRenewals;
  /** The signed tokens of links that were admitted, by what they are called. */
  readonly #links: Lru<string, string>;
  readonly #digestOf: (parts: readonly string[]) => string;

  constructor(api: HostedApi, options: HostedResolverOptions) {
    const { cache, sealer, upstream } = options;
    this.#api = api;
    this.#options = options;
    this.#refusals = new HostedRefusals(upstream, "preview_token");
    this.#linkRefusals = new HostedRefusals(upstream, "link");
    this.#domains = new HostedDomains(api, options);
    this.#names = new LookupCache("sandbox-name", sandboxIdCodec, options);
    // Longer than for a public one, as nobody gets in by that.
    const ttlMs = privateTtlMs(cache);
    this.#sandboxes = new LookupCache("hosted-sandbox", sandboxCodec, options, {
      ttlMsOf: (sandbox) => sandbox?.public === false ? ttlMs : undefined,
      onReplaced: (id, earlier, sandbox, stored) =>
        earlier?.public && !sandbox?.public && options.onPrivate(id, stored),
    });
    const codec = sealedCodec(storedPreview, sealer);
    this.#previews = new LookupCache("hosted-preview", codec, options);
    this.#renewals = new HostedRenewals({
      sandbox: async (id) =>
        this.#sandboxes.put(id, await this.#askSandbox(id)),
      token: (id, port) => this.#renewToken(id, port),
    }, cache.maxEntries);
    this.#links = new Lru({ max: cache.maxEntries });
    this.#digestOf = createDigests(cache.maxEntries);
  }

  /** True if anyone may open the sandbox's ordinary ports; also false if there is no such sandbox. */
  isPublic(label: string, budget: Budget): Awaitable<boolean> {
    const isPublic = (sandbox: HostedSandbox | null) =>
      sandbox?.public === true;
    return then(this.sandboxOf(label, budget), isPublic);
  }

  /** The id of the sandbox that a label names, as far as that has been looked up; otherwise the label. */
  sandboxIdOf(label: string): string {
    return this.#knownIdOf(label) ?? label;
  }

  /** What the API says of the sandbox that a label names; null if there is none. */
  sandboxOf(
    label: string,
    budget: Budget,
    onMiss?: () => void,
  ): Awaitable<HostedSandbox | null> {
    const sandboxId = isUuid(label)
      ? label
      : this.#names.lookUp(label, () => this.#idOf(label), budget);
    return then(sandboxId, (id) => {
      if (id === null) return null;
      const ask = () => this.#askSandbox(id);
      return this.#sandboxes.lookUp(id, ask, budget, onMiss);
    });
  }

  /** The labels of a sandbox's owner; none of what a link leads to, as nobody tells whose that is. */
  labelsOf(sandboxId: string, onMiss: () => void): Awaitable<OwnerLabels> {
    if (this.#links.has(sandboxId)) return NO_LABELS;
    return then(
      this.sandboxOf(sandboxId, UNMETERED, onMiss),
      (sandbox) => sandbox?.ownerLabels ?? NO_LABELS,
    );
  }

  /** The sandbox's preview token; null if there is no such sandbox. */
  previewTokenOf(
    sandboxId: string,
    port: number,
    budget: Budget,
  ): Awaitable<string | null> {
    return then(
      this.#previewOf(sandboxId, port, budget),
      (preview) => preview?.token ?? null,
    );
  }

  /**
   * What an admitted link is called wherever sandboxes are: it never tells the token, and no sandbox is called so. As
   * only the proxy of that Daytona knows whose sandbox it leads to, limits count it by itself.
   */
  linkIdOf(token: string): string {
    const id = `link:${this.#digestOf([token]).slice(0, 16)}`;
    this.#links.set(id, token);
    return id;
  }

  /** @throws {GatewayError} also `port_not_served` for the toolbox */
  destinationOf(
    sandboxId: string,
    port: SandboxPort,
    onMiss: () => void,
    isAnonymous = false,
  ): Awaitable<Destination | null> {
    if (port === "toolbox") throw toolboxNotServed();
    const token = this.#links.get(sandboxId);
    if (token !== undefined) return this.#linkDestination(token, port);
    return then(
      this.sandboxOf(sandboxId, UNMETERED, onMiss),
      (sandbox) =>
        sandbox && then(
          this.#previewOf(sandboxId, port, UNMETERED, onMiss),
          (preview) =>
            preview && this.#destination(sandbox, preview, port, isAnonymous),
        ),
    );
  }

  /**
   * Asks the API again, since the token may have changed, or the sandbox may no longer be public. However many requests
   * fail by what is known, the API is asked once; see hosted_renewals.ts.
   */
  async renewDestination(
    sandboxId: string,
    port: SandboxPort,
    isAnonymous = false,
    failure?: Failure,
  ): Promise<Destination | null> {
    if (port === "toolbox") throw toolboxNotServed();
    if (failure !== undefined) {
      // Another request may have found the same meanwhile.
      const sandbox = this.#sandboxes.known(sandboxId);
      const preview = sandbox && this.#previews.known(sandboxId);
      const known = sandbox && preview &&
        this.#destination(sandbox, preview, port, isAnonymous);
      if (known && !isSameDestination(known, failure.at)) return known;
    }
    if (!this.#links.has(sandboxId)) {
      const refused = failure?.kind === "not_accepted"
        ? tokenSentTo(failure.at)
        : undefined;
      await this.#renewals.ofDestination(sandboxId, port, refused);
    }
    return await this.destinationOf(sandboxId, port, () => {}, isAnonymous);
  }

  renewToken(sandboxId: string, port: number): Promise<boolean> {
    return this.#renewals.forVisitor(sandboxId, port);
  }

  /** Forgets a sandbox that has changed: a start gives it another preview token. */
  async forget(sandboxId: string, change: Change): Promise<void> {
    this.#renewals.forget(sandboxId);
    await Promise.all([
      this.#sandboxes.forget(sandboxId, change),
      this.#previews.forget(sandboxId, change),
    ]);
  }

  async #renewToken(sandboxId: string, port: number): Promise<string | null> {
    const preview = await this.#askPreview(sandboxId, port);
    this.#previews.put(sandboxId, preview);
    return preview && preview.token;
  }

  #destination(
    sandbox: HostedSandbox,
    preview: HostedPreview,
    port: number,
    isAnonymous: boolean,
  ): Destination {
    const { appOrigin: otherwise } = this.#options;
    const appOrigin = appOriginOn(port, sandbox.ownerLabels, otherwise);
    const visit = { port, isAnonymous, appOrigin, refusals: this.#refusals };
    return hostedDestination(sandbox, preview, visit);
  }

  async #linkDestination(token: string, port: number) {
    const domain = await this.#domains.common();
    return domain === null ? null : linkDestination(domain, { token, port }, {
      appOrigin: this.#options.appOrigin,
      refusals: this.#linkRefusals,
    });
  }

  #previewOf(
    sandboxId: string,
    port: number,
    budget: Budget,
    onMiss?: () => void,
  ): Awaitable<HostedPreview | null> {
    const ask = () => this.#askPreview(sandboxId, port);
    return this.#previews.lookUp(sandboxId, ask, budget, onMiss);
  }

  #knownIdOf(label: string): string | null | undefined {
    return isUuid(label) ? label : this.#names.known(label);
  }

  /** Asks the API for the id of the sandbox with that name; the rest of the answer is kept too. */
  async #idOf(name: string): Promise<string | null> {
    const sandbox = await this.#askSandbox(name);
    if (sandbox === null) return null;
    this.#sandboxes.put(sandbox.id, sandbox);
    return sandbox.id;
  }

  async #askSandbox(idOrName: string): Promise<HostedSandbox | null> {
    const answer = await this.#api.sandboxById(idOrName);
    const sandbox = answer && readSandbox(answer);
    return sandbox === null || !isUuid(idOrName) || sandbox.id === idOrName
      ? sandbox
      : this.#reportMismatch("another_sandbox", idOrName);
  }

  async #askPreview(sandboxId: string, port: number) {
    const answer = await this.#api.previewUrlOf(sandboxId, port);
    if (answer === null) return null;
    const preview = readPreview(answer, sandboxId, port);
    if (preview === undefined) {
      return this.#reportMismatch("another_sandbox", sandboxId);
    }
    return await this.#domains.includes(preview.domain)
      ? preview
      : this.#reportMismatch("another_address", sandboxId);
  }

  #reportMismatch(reason: Mismatch, sandboxId: string): null {
    this.#options.onMismatch(reason, sandboxId);
    return null;
  }
}

function toolboxNotServed(): GatewayError {
  return new GatewayError("port_not_served", "No toolbox in this mode");
}
