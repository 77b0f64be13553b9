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
import type { PortRule, PortWord } from "../config/port_rules.ts";
import { GatewayError } from "../errors.ts";
import type { Budget } from "../resolver/lookup_cache.ts";
import { NO_LABELS, type OwnerLabels } from "../resolver/owner_labels.ts";

/** Whom a port admits: bits, so that `&` leaves whom both sides admit. */
export type PortAccess = number;

/** Whoever comes, without a credential. */
export const ANYONE = 1;
/** Whoever has a grant or a signed link. */
export const SHARED = 2;
/** Whoever has logged in with a verified address, as a visitor. */
export const LOGINS = 4;
/** Members, and preview tokens. */
export const MEMBERS = 8;

const ALL = ANYONE | SHARED | LOGINS | MEMBERS;

/** What Daytona means by private. */
const PRIVATE = SHARED | MEMBERS;

const WORDS: Readonly<Record<PortWord, PortAccess>> = {
  public: ALL,
  share: PRIVATE,
  login: LOGINS | MEMBERS,
  members: MEMBERS,
  off: 0,
};

/** What the operator says. */
interface PortPolicyOptions {
  readonly ceiling: readonly PortRule[];
  /** True if labels count in place of Daytona's flag. */
  readonly labelsOpen: boolean;
  /** True if no sandbox opens without a credential: then labels open nothing either. */
  readonly nonePublic: boolean;
  /** True if `porthole.allow` counts. */
  readonly allowsByLabel: boolean;
}

/** Tells of sandboxes, by id or name. */
interface PolicySource {
  isPublic(label: string, budget: Budget): Promise<boolean>;
  /** Those that are in process, and fresh. */
  knownLabels(label: string): OwnerLabels | undefined;
  labelsOf(label: string, onMiss: () => void): Promise<OwnerLabels>;
  /** Has labels that count no longer read again, however slow that is; absent where slowness never prolongs them. */
  refreshLabels?(label: string): Promise<void>;
}

/** What a sandbox's labels say. */
interface Wishes {
  readonly ports: ReadonlyMap<string, PortAccess>;
  /** Of whom a port takes logins unless it is for members only; undefined for nobody. */
  readonly allow: LoginRule | undefined;
}

const NO_WISHES: Wishes = { ports: new Map(), allow: undefined };

/** Applies the policy. */
export class PortPolicy {
  /** True if a label can open what Daytona says is private. */
  readonly labelsOpen: boolean;
  readonly #options: PortPolicyOptions;
  readonly #source: PolicySource;
  readonly #ceiling: ReadonlyMap<number | "*", PortAccess>;
  /** As the labels are kept with where a sandbox is, each answer of the API is read once. */
  readonly #wishes = new WeakMap<OwnerLabels, Wishes>();

  constructor(options: PortPolicyOptions, source: PolicySource) {
    this.labelsOpen = options.labelsOpen && !options.nonePublic;
    this.#options = options;
    this.#source = source;
    this.#ceiling = new Map(
      options.ceiling.map(({ port, word }) => [port, WORDS[word]]),
    );
  }

  /** Whether anyone may open a port, as far as that is known; undefined also if nobody may. */
  isKnownOpen(
    label: string,
    port: number,
    isPublic: boolean,
  ): boolean | undefined {
    if (!isPublic && !this.labelsOpen) return false;
    const labels = this.#source.knownLabels(label);
    if (labels === undefined) return undefined;
    const access = this.access(port, isPublic, labels);
    return access === 0 ? undefined : (access & ANYONE) !== 0;
  }

  /** Whom a port of the sandbox admits, by its labels; throws as look-ups of these do. */
  async accessTo(
    label: string,
    port: number,
    isPublic: boolean,
    onMiss: () => void,
  ): Promise<PortAccess> {
    return this.access(port, isPublic, await this.#labelsOf(label, onMiss));
  }

  /** Whom it admits by these labels. */
  access(port: number, isPublic: boolean, labels: OwnerLabels): PortAccess {
    const { ports } = this.#wishesIn(labels);
    const wish = ports.get(String(port)) ?? ports.get("*");
    const flag = isPublic && !this.#options.nonePublic ? ALL : PRIVATE;
    const wanted = wish !== undefined && this.labelsOpen
      ? wish
      : flag & (wish ?? ALL);
    return wanted & (this.#ceiling.get(port) ?? this.#ceiling.get("*") ?? ALL);
  }

  /** Which logins of others than members a port takes: any, whom a rule allows, or none. Throws as look-ups do. */
  async loginsTo(
    label: string,
    port: number,
    budget: Budget,
  ): Promise<"any" | LoginRule | undefined> {
    if (isAlwaysPrivate(port)) return undefined;
    const labels = await this.#labelsOf(label, () => {});
    const { allow } = this.#wishesIn(labels);
    const mayBeAny = (this.access(port, true, labels) & LOGINS) !== 0;
    if (!mayBeAny && allow === undefined) return undefined;
    const isPublic = await this.#source.isPublic(label, budget);
    const access = this.access(port, isPublic, labels);
    if ((access & ANYONE) !== 0) return undefined; // nobody needs to
    if ((access & LOGINS) !== 0) return "any";
    return (access & SHARED) === 0 ? undefined : allow;
  }

  /**
   * Waits for labels that are read again where those of before count no longer, for whoever they have admitted. While
   * nobody tells them, they count as long as in any outage.
   */
  async refresh(label: string): Promise<void> {
    try {
      await this.#source.refreshLabels?.(label);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
  }

  async #labelsOf(label: string, onMiss: () => void): Promise<OwnerLabels> {
    return this.#source.knownLabels(label) ??
      await this.#source.labelsOf(label, onMiss);
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

/** What labels say; a word that is none counts as `members`, and whom nobody can be called admits nobody. */
function wishesIn(labels: OwnerLabels, allowsByLabel: boolean): Wishes {
  const ports = Object.entries(labels)
    .filter(([name]) => name.startsWith(PORT))
    .map(([name, word]) =>
      [
        name.slice(PORT.length),
        isWord(word) ? WORDS[word] : MEMBERS,
      ] as const
    );
  const parts = (labels["porthole.allow"] ?? "").split(",");
  const entries = parts.flatMap((part) =>
    loginAllowEntry.schema.safeParse(part.trim()).data ?? []
  );
  const allow = allowsByLabel ? loginRule(entries) : undefined;
  return { ports: new Map(ports), allow };
}

function isWord(word: string): word is PortWord {
  return Object.hasOwn(WORDS, word);
}
