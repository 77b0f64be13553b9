import { ExpiringLru } from "../../lib/lru.ts";

/** Answers to questions that many ask at once or again, such as a page that reloads in a loop. */
export class RecentAnswers<Answer> {
  readonly #answers: ExpiringLru<string, Promise<Answer>>;

  /** An answer is given again for `ttlMs` milliseconds; at most `max` are kept. */
  constructor({ ttlMs = 2000, max = 1000 } = {}) {
    this.#answers = new ExpiringLru({ max, ttlMs });
  }

  /** The answer that `ask` gives for a key, or the latest one. */
  once(key: string, ask: () => Promise<Answer>): Promise<Answer> {
    const recent = this.#answers.get(key);
    if (recent !== undefined) return recent;
    const answer = ask();
    this.#answers.set(key, answer);
    return answer;
  }

  forget(key: string): void {
    this.#answers.delete(key);
  }
}
