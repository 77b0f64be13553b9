/**
 * Forgets what is cached of a sandbox that has changed: in this process, in the durable tier, and in the processes that
 * share that. Nothing depends on it: whoever does not hear of a change sees it by time.
 */
import { z } from "zod";
import { isSandboxRef } from "../address/grammar.ts";
import type { DurableStore } from "../cache/store.ts";
import type { Background } from "../lib/background.ts";
import { parseJson } from "../lib/parse_json.ts";

/** How far somebody who hears of a change has to go. */
export interface Change {
  /** Identifies it; what is stored under it was learned since. */
  readonly mark: string;
  /** In process only, if whoever announced it has seen to the durable tier. */
  readonly tiers: "both" | "process";
}

interface SandboxMemory {
  forget(sandboxId: string, change: Change): Promise<void> | void;
}

const announcement = z.object({
  id: z.string().refine(isSandboxRef),
  mark: z.string().regex(/^[0-9a-f-]{36}\.[0-9]{1,12}$/),
});

/** Where processes hear of each other. */
type ChangeStore = Pick<DurableStore, "announce" | "listen"> | null;

export class SandboxChanges {
  readonly #store: ChangeStore;
  readonly #background: Pick<Background, "add">;
  /** The first part of our own marks. */
  readonly #self = `${crypto.randomUUID()}.`;
  #announced = 0;
  #memories: readonly SandboxMemory[] = [];

  constructor(store: ChangeStore, background: Pick<Background, "add">) {
    this.#store = store;
    this.#background = background;
  }

  /** Begins to tell these memories, also of what other processes announce. */
  tell(memories: readonly SandboxMemory[]): void {
    this.#memories = memories;
    this.#store?.listen((message) => {
      const { data } = announcement.safeParse(parseJson(message));
      if (data === undefined || data.mark.startsWith(this.#self)) return;
      const { id, mark } = data;
      const forgotten = this.#forget(id, { mark, tiers: "process" });
      this.#background.add("forget sandbox", forgotten);
    });
  }

  /** Forgets a sandbox: in this process at once, and everywhere when it resolves, as far as others can be reached. */
  async announce(sandboxId: string): Promise<void> {
    const mark = this.#nextMark();
    await this.#forget(sandboxId, { mark, tiers: "both" });
    // Only now: the others would find in the durable tier what has yet to be deleted.
    await this.announceStored(sandboxId, mark);
  }

  /** Has the other processes forget a sandbox about which the durable tier knows better already. */
  async announceStored(
    sandboxId: string,
    mark = this.#nextMark(),
  ): Promise<void> {
    await this.#store?.announce(JSON.stringify({ id: sandboxId, mark }));
  }

  #nextMark(): string {
    return `${this.#self}${++this.#announced}`;
  }

  async #forget(sandboxId: string, change: Change): Promise<void> {
    const all = this.#memories.map((each) => each.forget(sandboxId, change));
    await Promise.all(all);
  }
}
