/** Keys of what secrets grant at sandboxes; each sandbox's last change is a part of them. */
import { createDigests } from "../lib/digest.ts";
import { Lru } from "../lib/lru.ts";

/** Digests of secrets, and marks of changes: verdicts from before the last change are no longer found. */
export class ChangeMarks {
  /** A digest of parts of which one is a secret. */
  readonly digestOf: (parts: readonly string[]) => string;
  /** By sandbox; the least recently used are forgotten first, when all that was stored before them has expired. */
  readonly #marks: Lru<string, string>;

  constructor(maxEntries: number) {
    this.digestOf = createDigests(maxEntries);
    this.#marks = new Lru({ max: maxEntries });
  }

  set(sandboxId: string, mark: string): void {
    this.#marks.set(sandboxId, mark);
  }

  /** The key of what a secret grants at a sandbox. */
  keyOf(sandboxId: string, secret: string): string {
    const mark = this.#marks.size > 0 ? this.#marks.get(sandboxId) : undefined;
    const parts = [sandboxId, secret];
    return this.digestOf(mark === undefined ? parts : [...parts, mark]);
  }
}
