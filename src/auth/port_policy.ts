/**
 * Who may open which port of a sandbox: Daytona's flag, a label of the sandbox's owner (`porthole.port.3000`, or
 * `porthole.port.*` for all others) and the operator's ceiling each say so, and only whom all of them admit gets in. Labels
 * can be written by anybody of the organization, hence the ceiling.
 */
import { isAlwaysPrivate } from "../address/grammar.ts";
import {
  loginAllowEntry,
  type LoginRule,
  loginRule,
} from "../config/login_allow.ts";
import {
  accessBy,
  ANYONE,
  EVERYBODY,
  LOGINS,
  MEMBERS,
  NAMED,
  type PortAccess,
  type PortRules,
  PRIVATE,
} from "../config/port_rules.ts";
import { GatewayError } from "../errors.ts";
import { type Awaitable, then } from "../lib/awaitable.ts";
import type { Budget } from "../resolver/lookup_cache.ts";
import type { SandboxResolver } from "../resolver/own/sandboxes.ts";
import { NO_LABELS, type OwnerLabels } from "../resolver/owner_labels.ts";

interface PortPolicyOptions {
  readonly ceiling: PortRules;
  /** True if labels count in place of Daytona's flag; unless no sandbox is public. */
  readonly labelsOpen: boolean;
  readonly nonePublic: boolean;
  /** True if `porthole.allow` counts. */
  readonly allowsByLabel: boolean;
}

/** Tells of sandboxes, by id or name. */
type PolicySource =
  & Pick<SandboxResolver, "isPublic" | "labelsOf">
  & Partial<Pick<SandboxResolver, "refreshLabels">>;

/** What a sandbox's labels say, by port or `*`, and whom they name. */
interface Wishes {
  readonly ports: ReadonlyMap<string, PortAccess>;
  readonly allow: LoginRule | undefined;
}

const NO_WISHES: Wishes = { ports: new Map(), allow: undefined };

/** Applies the policy. Its questions throw as look-ups of sandboxes do. */
export class PortPolicy {
  /** True if a label can open what Daytona says is private. */
  readonly labelsOpen: boolean;
  readonly #options: PortPolicyOptions;
  readonly #source: PolicySource;
  /** Each answer of the API is read once: its labels are kept with where the sandbox is. */
  readonly #wishes = new WeakMap<OwnerLabels, Wishes>();

  constructor(options: PortPolicyOptions, source: PolicySource) {
    this.labelsOpen = options.labelsOpen && !options.nonePublic;
    this.#options = options;
    this.#source = source;
  }

  /** Whom a port of the sandbox admits. */
  accessTo(
    label: string,
    port: number,
    isPublic: boolean,
    onMiss: () => void,
  ): Awaitable<PortAccess> {
    return then(
      this.#source.labelsOf(label, onMiss),
      (labels) => this.access(port, isPublic, labels),
    );
  }

  /** True if a port admits nobody. */
  async isOff(label: string, port: number): Promise<boolean> {
    return !isAlwaysPrivate(port) &&
      await this.accessTo(label, port, true, () => {}) === 0;
  }

  /** Whom it admits by these labels. */
  access(port: number, isPublic: boolean, labels: OwnerLabels): PortAccess {
    const { ceiling, nonePublic } = this.#options;
    const { ports } = this.#wishesIn(labels);
    const wish = ports.get(String(port)) ?? ports.get("*");
    const flag = isPublic && !nonePublic ? EVERYBODY : PRIVATE;
    const wanted = this.labelsOpen ? wish ?? flag : flag & (wish ?? flag);
    return wanted & (ceiling.get(port) ?? ceiling.get("*") ?? EVERYBODY);
  }

  /** Which logins a port takes of others than members: any, whom a rule allows, or none, also where nobody needs one. */
  async loginsTo(
    label: string,
    port: number,
    budget: Budget,
  ): Promise<"any" | LoginRule | undefined> {
    if (isAlwaysPrivate(port)) return undefined;
    // First, as it pays for whatever a made-up label is asked for.
    const isPublic = await this.#source.isPublic(label, budget);
    const labels = await this.#source.labelsOf(label, () => budget.spend());
    const access = this.access(port, isPublic, labels);
    if ((access & ANYONE) !== 0) return undefined;
    if ((access & LOGINS) !== 0) return "any";
    const { allow } = this.#wishesIn(labels);
    return (access & NAMED) === 0 ? undefined : allow;
  }

  /** Has labels read again that are past their TTL, however slow that is; if nobody tells them, they are as in any outage. */
  async refresh(label: string): Promise<void> {
    try {
      await this.#source.refreshLabels?.(label);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
  }

  #wishesIn(labels: OwnerLabels): Wishes {
    if (labels === NO_LABELS) return NO_WISHES;
    const known = this.#wishes.get(labels);
    if (known !== undefined) return known;
    const wishes = wishesIn(labels, this.#options.allowsByLabel);
    this.#wishes.set(labels, wishes);
    return wishes;
  }
}

const PORT = "porthole.port.";

/** A word that is none counts as `members`, and an entry that names nobody admits nobody. */
function wishesIn(labels: OwnerLabels, allowsByLabel: boolean): Wishes {
  const ports = new Map<string, PortAccess>();
  for (const [name, word] of Object.entries(labels)) {
    if (!name.startsWith(PORT)) continue;
    ports.set(name.slice(PORT.length), accessBy(word) ?? MEMBERS);
  }
  const named = allowsByLabel ? labels["porthole.allow"] : undefined;
  const entries = (named ?? "").split(",").flatMap((entry) =>
    loginAllowEntry.schema.safeParse(entry.trim()).data ?? []
  );
  return { ports, allow: loginRule(entries) };
}
