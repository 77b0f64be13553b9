/** What names lead to, in memory: those of the operator's file, then those of members. */
import type { Name, NameSource } from "../../address/known_names.ts";
import type { facts } from "./facts.ts";
import type { KeptName } from "./kept_name.ts";

type NameState = (typeof facts.metrics.names.labels.state)[number];

/** What a name of the file leads to. */
export type NameTarget = Pick<Name, "sandboxId" | "port">;

/** All names that lead somewhere or are suspended, by host and by sandbox. */
export class NameTable implements NameSource {
  readonly #onMoved: (hosts: ReadonlySet<string>) => void;
  #ofFile: ReadonlyMap<string, NameTarget> = new Map();
  #shared: readonly KeptName[] = [];
  #pending = 0;
  #byHost: ReadonlyMap<string, Name> = new Map();
  #bySandbox: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map();

  /** @param onMoved Called with the hosts that lead elsewhere than before, or nowhere any more. */
  constructor(onMoved: (hosts: ReadonlySet<string>) => void) {
    this.#onMoved = onMoved;
  }

  find(host: string): Name | undefined {
    return this.#byHost.get(host);
  }

  of(sandboxId: string): ReadonlyMap<string, number> | undefined {
    return this.#bySandbox.get(sandboxId);
  }

  /** True if a host is a name that leads somewhere, so that it needs a certificate. */
  isServed(host: string): boolean {
    return this.find(host)?.isSuspended === false;
  }

  /** True if a host is in the operator's file, so that no member can have it. */
  isOfFile(host: string): boolean {
    return this.#ofFile.has(host);
  }

  /** How many names there are; those of the file are active. */
  get counts(): Record<NameState, number> {
    const counts = { active: 0, pending: this.#pending, suspended: 0 };
    for (const { isSuspended } of this.#byHost.values()) {
      counts[isSuspended ? "suspended" : "active"]++;
    }
    return counts;
  }

  /** Takes these, by host, for the names of the file. */
  replaceFile(names: ReadonlyMap<string, NameTarget>): void {
    this.#ofFile = names;
    this.#index();
  }

  /** Takes these for the names of members: pending and released ones are none. */
  replaceShared(names: Iterable<KeptName>): void {
    const all = [...names];
    this.#pending = all.filter(({ state }) => state === "pending").length;
    this.#shared = all.filter(({ state }) =>
      state === "active" || state === "suspended"
    );
    this.#index();
  }

  #index(): void {
    const byHost = new Map<string, Name>();
    for (const { host, sandboxId, port, state } of this.#shared) {
      const isSuspended = state === "suspended";
      byHost.set(host, { sandboxId, port, isSuspended });
    }
    for (const [host, target] of this.#ofFile) {
      byHost.set(host, { ...target, isSuspended: false });
    }
    const bySandbox = new Map<string, Map<string, number>>();
    for (const [host, { sandboxId, port, isSuspended }] of byHost) {
      if (isSuspended) continue;
      const ofSandbox = bySandbox.get(sandboxId) ?? new Map<string, number>();
      bySandbox.set(sandboxId, ofSandbox.set(host, port));
    }
    const before = this.#byHost;
    this.#byHost = byHost;
    this.#bySandbox = bySandbox;
    const moved = [...before].filter(([host, name]) =>
      !name.isSuspended && !leadsTo(byHost.get(host), name)
    );
    if (moved.length > 0) this.#onMoved(new Set(moved.map(([host]) => host)));
  }
}

/** True if a name leads there. */
function leadsTo(name: Name | undefined, { sandboxId, port }: Name): boolean {
  return name?.isSuspended === false && name.sandboxId === sandboxId &&
    name.port === port;
}
