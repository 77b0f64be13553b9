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
import { UNMETERED } from "../resolver/lookup_cache.ts";
import { NO_LABELS, type OwnerLabels } from "../resolver/owner_labels.ts";
import type { SandboxResolver } from "../resolver/own/sandboxes.ts";

/** Whom a port admits: bits, so that `&` leaves whom both sides admit. */
export type PortAccess = number;

/** Whoever comes, without a credential. */
export const ANYONE = 1;
/** Whoever has a grant or a signed link. */
export const SHARED = 2;
/** Whoever has logged in with a verified address, as a visitor. */
export const LOGINS = 4;
/** Those of them whom `porthole.allow` names. */
export const NAMED = 8;
/** Members, and preview tokens. */
export const MEMBERS = 16;

const PRIVATE = SHARED | NAMED | MEMBERS;
/** All of these. */
export const EVERYBODY = PRIVATE | ANYONE | LOGINS;

const WORDS: Readonly<Record<PortWord, PortAccess>> = {
  public: EVERYBODY,
  share: PRIVATE,
  login: LOGINS | NAMED | MEMBERS,
  members: MEMBERS,
  off: 0,
};

interface PortPolicyOptions {
  readonly ceiling: readonly PortRule[];
  /** True if labels count in place of Daytona's flag; unless no sandbox is public. */
  readonly labelsOpen: boolean;
  readonly nonePublic: boolean;
  /** True if `porthole.allow` counts. */
  readonly allowsByLabel: boolean;
}

/** Tells of sandboxes, by id or name. */
type PolicySource =
  & Pick<SandboxResolver, "isPublic" | "knownLabels" | "labelsOf">
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
  readonly #ceiling: ReadonlyMap<number | "*", PortAccess>;
  /** Each answer of the API is read once: its labels are kept with where the sandbox is. */
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
    const access = labels && this.access(port, isPublic, labels);
    return access ? (access & ANYONE) !== 0 : undefined;
  }

  /** Whom a port of the sandbox admits. */
  async accessTo(
    label: string,
    port: number,
    isPublic: boolean,
    onMiss?: () => void,
  ): Promise<PortAccess> {
    return this.access(port, isPublic, await this.#labelsOf(label, onMiss));
  }

  /** Whom it admits by these labels. */
  access(port: number, isPublic: boolean, labels: OwnerLabels): PortAccess {
    const { ports } = this.#wishesIn(labels);
    const wish = ports.get(String(port)) ?? ports.get("*");
    const flag = isPublic && !this.#options.nonePublic ? EVERYBODY : PRIVATE;
    const wanted = this.labelsOpen ? wish ?? flag : flag & (wish ?? flag);
    return wanted &
      (this.#ceiling.get(port) ?? this.#ceiling.get("*") ?? EVERYBODY);
  }

  /** Which logins a port takes of others than members: any, whom a rule allows, or none, also where nobody needs one. */
  async loginsTo(
    label: string,
    port: number,
  ): Promise<"any" | LoginRule | undefined> {
    if (isAlwaysPrivate(port)) return undefined;
    const labels = await this.#labelsOf(label);
    const { allow } = this.#wishesIn(labels);
    const most = this.access(port, true, labels);
    // Without a label, nobody needs to log in, or only members may.
    if ((most & ANYONE) !== 0 && allow === undefined) return undefined;
    const isPublic = await this.#source.isPublic(label, UNMETERED);
    const access = this.access(port, isPublic, labels);
    if ((access & ANYONE) !== 0) return undefined;
    if ((access & LOGINS) !== 0) return "any";
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

  async #labelsOf(label: string, onMiss = () => {}): Promise<OwnerLabels> {
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

/** A word that is none counts as `members`, and an entry that names nobody admits nobody. */
function wishesIn(labels: OwnerLabels, allowsByLabel: boolean): Wishes {
  const ports = new Map<string, PortAccess>();
  for (const [name, word] of Object.entries(labels)) {
    if (!name.startsWith(PORT)) continue;
    ports.set(name.slice(PORT.length), isWord(word) ? WORDS[word] : MEMBERS);
  }
  const named = allowsByLabel ? labels["porthole.allow"] : undefined;
  const entries = (named ?? "").split(",").flatMap((entry) =>
    loginAllowEntry.schema.safeParse(entry.trim()).data ?? []
  );
  return { ports, allow: loginRule(entries) };
}

function isWord(word: string): word is PortWord {
  return Object.hasOwn(WORDS, word);
}
