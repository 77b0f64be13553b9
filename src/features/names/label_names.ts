/** Names that sandboxes take by a label (`NAMES_BY_LABEL`): the API is asked for each when somebody comes by it. */
import { LRUCache } from "lru-cache";
import { isAlwaysPrivate, isPort } from "../../address/grammar.ts";
import type { Name } from "../../address/known_names.ts";
import type { ThrottledClient } from "../../auth/throttle.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { copyOf } from "../../lib/copy_of.ts";
import { kindOf, type NameRules } from "./host_rules.ts";
import type { NameTable } from "./name_table.ts";

/** The label that has an alias without its domain, and the one that has the port. */
const LABEL = "porthole.name";
const PORT_LABEL = "porthole.name.port";
const DEFAULT_PORT = 3000;

/** Time for which nobody asks again, and from which on a visitor waits for the new answer, ms. */
const FRESH_MS = 30_000;
const STALE_MS = 60_000;

const MAX_KNOWN = 10_000;

interface LabelNamesParts extends
  Pick<
    FeatureParts,
    "api" | "throttle" | "inFlight" | "background" | "now"
  > {
  readonly table: Pick<NameTable, "isKept" | "replaceLabelled">;
  readonly rules: () => NameRules;
}

/** What is known of a host. */
interface Known {
  /** Null if it leads nowhere. */
  readonly name: Name | null;
  askedAt: number;
}

const UNKNOWN: Known = { name: null, askedAt: -Infinity };

/** The aliases, each of which leads to the newest started sandbox with its label. */
export class LabelNames {
  readonly #parts: LabelNamesParts;
  readonly #known = new LRUCache<string, Known>({ max: MAX_KNOWN });
  readonly #asking = new Map<string, Promise<boolean>>();
  readonly #timer = setInterval(() => this.#look(), FRESH_MS);

  constructor(parts: LabelNamesParts) {
    this.#parts = parts;
    Deno.unrefTimer(this.#timer);
  }

  /** Finds out where a host leads, as {@linkcode Feature.learnName} says. */
  learn(host: string, client: ThrottledClient): Promise<unknown> | undefined {
    const { table, rules, now, background } = this.#parts;
    const { name, askedAt } = this.#known.get(host) ?? UNKNOWN;
    const age = now() - askedAt;
    if (age < FRESH_MS || table.isKept(host)) return undefined;
    if (name !== null && age < STALE_MS) {
      background.add("names", this.#ask(host));
      return undefined;
    }
    const form = kindOf(host, rules());
    if (!("kind" in form) || form.kind !== "alias") return undefined;
    const asked = this.#askFor(host, client);
    // What has led somewhere does so while nobody can tell.
    return name === null ? asked : asked.catch(() => {});
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Asks again for what WebSockets are open by: nobody may come by it any more. */
  #look(): void {
    const { table, inFlight, background } = this.#parts;
    for (const host of inFlight.namesInUse) {
      const isOurs = this.#known.has(host) && !table.isKept(host);
      if (isOurs) background.add("names", this.#ask(host));
    }
  }

  /** Asks at the expense of a client, who waits for the answer. */
  async #askFor(host: string, client: ThrottledClient): Promise<void> {
    const budget = this.#parts.throttle.budgetFor(client);
    budget.spend();
    await budget.settledBy(this.#ask(host), (isName) => isName);
  }

  /** Asks whether a host leads somewhere, once for all who want to know. */
  #ask(host: string): Promise<boolean> {
    let asking = this.#asking.get(host);
    if (asking === undefined) {
      asking = this.#answer(host).finally(() => this.#asking.delete(host));
      this.#asking.set(host, asking);
    }
    return asking;
  }

  async #answer(host: string): Promise<boolean> {
    const before = this.#known.peek(host) ?? UNKNOWN;
    const name = await this.#nameOf(host).catch((error) => {
      if (before !== UNKNOWN) before.askedAt = this.#parts.now();
      throw error;
    });
    const key = copyOf(host); // it was cut out of the request's URL
    this.#known.set(key, { name, askedAt: this.#parts.now() });
    const isMoved = before.name?.sandboxId !== name?.sandboxId ||
      before.name?.port !== name?.port;
    if (isMoved) {
      const names = [...this.#known].flatMap(([host, { name }]) =>
        name === null ? [] : [[host, name] as const]
      );
      this.#parts.table.replaceLabelled(new Map(names));
    }
    return name !== null;
  }

  /** What the newest started sandbox's labels say. */
  async #nameOf(host: string): Promise<Name | null> {
    const alias = host.slice(0, host.indexOf("."));
    const sandboxes = await this.#parts.api.newestStarted(LABEL, alias);
    if (sandboxes === null) {
      throw new GatewayError("api_unreachable", "Sandboxes cannot be listed");
    }
    // An API that knows no such filter tells of others.
    const found = sandboxes.find(({ labels }) => labels[LABEL] === alias);
    const port = Number(found?.labels[PORT_LABEL] ?? DEFAULT_PORT);
    return found && isPort(port) && !isAlwaysPrivate(port)
      ? { sandboxId: found.id, port, isSuspended: false }
      : null;
  }
}
