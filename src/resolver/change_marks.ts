/** The last change of each sandbox, as a part of keys: verdicts from before it are no longer found then. */
import { LRUCache } from "lru-cache";

/** Marks by sandbox; the least recently used are forgotten first, when all that was stored before them has expired. */
export class ChangeMarks {
  readonly #marks: LRUCache<string, string>;

  constructor(maxEntries: number) {
    this.#marks = new LRUCache({ max: maxEntries });
  }

  set(sandboxId: string, mark: string): void {
    this.#marks.set(sandboxId, mark);
  }

  /** The parts of the key of what a secret grants at a sandbox. */
  keyParts(sandboxId: string, secret: string): readonly string[] {
    const mark = this.#marks.size === 0
      ? undefined
      : this.#marks.get(sandboxId);
    return mark === undefined ? [sandboxId, secret] : [sandboxId, secret, mark];
  }
}
