/** Rechecks in passes whether what streams still may: one pass of each kind at a time. */

/** What is rechecked of all sandboxes. */
const ALL = "all";

/** Most rechecks that run at once: each may take an API call. */
const BATCH = 32;

/** The passes over `streaming`. */
export class Rechecks<Entry extends { recheck(): Promise<void> }> {
  readonly #streaming: Iterable<Entry>;
  /** What is being rechecked, and whether once more after that. */
  readonly #underWay = new Map<string, boolean>();

  constructor(streaming: Iterable<Entry>) {
    this.#streaming = streaming;
  }

  /** Rechecks everything; does nothing while an earlier call still does. */
  async all(): Promise<void> {
    await this.#pass(ALL, () => true);
  }

  /** Rechecks what is meant of a sandbox; while an earlier call still does, that one looks once more. */
  async of(
    sandboxId: string,
    isMeant: (entry: Entry) => boolean,
  ): Promise<void> {
    await this.#pass(`of ${sandboxId}`, isMeant);
  }

  async #pass(
    which: string,
    isMeant: (entry: Entry) => boolean,
  ): Promise<void> {
    const isUnderWay = this.#underWay.has(which);
    this.#underWay.set(which, isUnderWay);
    if (isUnderWay) return;
    try {
      for (let isDone = false; !isDone;) {
        this.#underWay.set(which, false);
        const waiting = [...this.#streaming].filter(isMeant);
        while (waiting.length > 0) {
          const batch = waiting.splice(0, BATCH);
          await Promise.all(batch.map((entry) => entry.recheck()));
        }
        isDone = which === ALL || this.#underWay.get(which) !== true;
      }
    } finally {
      this.#underWay.delete(which);
    }
  }
}
