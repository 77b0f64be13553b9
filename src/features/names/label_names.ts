/** Names that sandboxes take by a label (`NAMES_BY_LABEL`): the API is asked for each when somebody first comes by it. */
import { LRUCache } from "lru-cache";
import { isAlwaysPrivate, isPort } from "../../address/grammar.ts";
import type { Name } from "../../address/known_names.ts";
import { splitAuthority } from "../../address/preview_host.ts";
import type { ThrottledClient } from "../../auth/throttle.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { ExpiringLru } from "../../lib/lru.ts";
import { kindOf, type NameRules } from "./host_rules.ts";
import type { NameTable } from "./name_table.ts";

/** The label that has an alias without its domain, and the one that has the port. */
const LABEL = "porthole.name";
const PORT_LABEL = "porthole.name.port";

const DEFAULT_PORT = "3000";

/** Time for which an answer is not asked for again, ms. */
const FRESH_MS = 30_000;

/** Age from which a visitor waits for a new answer, ms. */
const STALE_MS = 60_000;

/** Most names that lead somewhere, and most hosts that are known to be none. */
const MAX_NAMES = 1_000;
const MAX_STRANGE = 10_000;

interface LabelNamesParts extends
  Pick<
    FeatureParts,
    "api" | "throttle" | "inFlight" | "background" | "now"
  > {
  readonly table: Pick<NameTable, "isKept" | "replaceLabelled">;
  readonly rules: () => NameRules;
}

/** What is known of a name. */
interface Known {
  readonly name: Name;
  askedAt: number;
  /** True if somebody has come by it since the last look. */
  isUsed: boolean;
}

/** The aliases that lead to the newest started sandbox that has their label. */
export class LabelNames {
  readonly #parts: LabelNamesParts;
  readonly #known = new LRUCache<string, Known>({ max: MAX_NAMES });
  readonly #strange: ExpiringLru<string, true>;
  readonly #asking = new Map<string, Promise<boolean>>();

  constructor(parts: LabelNamesParts) {
    this.#parts = parts;
    const { now } = parts;
    const options = { max: MAX_STRANGE, ttlMs: FRESH_MS, now };
    this.#strange = new ExpiringLru(options);
  }

  /** Finds out where a host leads that may be an alias, as `Feature.learnName` says. */
  learn(
    authority: string,
    client: ThrottledClient,
  ): Promise<unknown> | undefined {
    const { table, rules, now } = this.#parts;
    const { name: host } = splitAuthority(authority);
    if (table.isKept(host)) return undefined;
    const known = this.#known.get(host);
    if (known === undefined) {
      if (this.#strange.has(host)) return undefined;
      const form = kindOf(host, rules());
      const isAlias = "kind" in form && form.kind === "alias";
      return isAlias ? this.#askFor(host, client) : undefined;
    }
    known.isUsed = true;
    if (now() - known.askedAt > STALE_MS) {
      // If nobody can tell, the last answer stays.
      return this.#askFor(host, client).catch(() => this.#refresh(host, known));
    }
    this.#refresh(host, known);
    return undefined;
  }

  /** Asks again for all names that somebody has used since the last look, or still uses. */
  look(): void {
    const { table, inFlight, background } = this.#parts;
    const inUse = inFlight.namesInUse;
    for (const [host, known] of this.#known) {
      const isUsed = known.isUsed || inUse.has(host);
      known.isUsed = false;
      if (isUsed && !table.isKept(host)) {
        background.add("names", this.#ask(host));
      }
    }
  }

  /** Asks at a client's expense, who waits for the answer. */
  async #askFor(host: string, client: ThrottledClient): Promise<void> {
    const budget = this.#parts.throttle.budgetFor(client);
    budget.spend();
    await budget.settledBy(this.#ask(host), (isName) => isName);
  }

  /** Asks again while nobody waits, unless that was done lately. */
  #refresh(host: string, { askedAt }: Known): void {
    const { now, background } = this.#parts;
    if (now() - askedAt < FRESH_MS || this.#asking.has(host)) return;
    background.add("names", this.#ask(host));
  }

  /** Asks whether a host leads somewhere, once for all who want to know. */
  #ask(host: string): Promise<boolean> {
    const underWay = this.#asking.get(host);
    if (underWay !== undefined) return underWay;
    const asking = this.#answer(host).finally(() => this.#asking.delete(host));
    this.#asking.set(host, asking);
    return asking;
  }

  async #answer(host: string): Promise<boolean> {
    const { api, now } = this.#parts;
    const alias = host.slice(0, host.indexOf("."));
    const before = this.#known.peek(host);
    let sandbox;
    try {
      sandbox = await api.startedByLabel(LABEL, alias);
    } catch (error) {
      if (before !== undefined) before.askedAt = now();
      throw error;
    }
    const name = sandbox && nameOf(sandbox);
    if (name === null) {
      this.#strange.set(host, true);
      if (this.#known.delete(host)) this.#tell();
      return false;
    }
    if (before !== undefined && leadsAlike(before.name, name)) {
      before.askedAt = now();
    } else {
      this.#strange.delete(host);
      this.#known.set(host, { name, askedAt: now(), isUsed: true });
      this.#tell();
    }
    return true;
  }

  #tell(): void {
    const names = [...this.#known].map(([host, { name }]) =>
      [host, name] as const
    );
    this.#parts.table.replaceLabelled(new Map(names));
  }
}

/** What a sandbox's labels lead to; null if its port can be no name's. */
function nameOf(
  { id, labels }: {
    readonly id: string;
    readonly labels: Readonly<Record<string, string>>;
  },
): Name | null {
  const text = labels[PORT_LABEL] ?? DEFAULT_PORT;
  const port = /^[1-9][0-9]*$/.test(text) ? Number(text) : 0;
  return isPort(port) && !isAlwaysPrivate(port)
    ? { sandboxId: id, port, isSuspended: false }
    : null;
}

function leadsAlike(one: Name, other: Name): boolean {
  return one.sandboxId === other.sandboxId && one.port === other.port;
}
