/** What upstreams have answered to our probes a moment ago. */
import { ExpiringLru } from "../../lib/lru.ts";

/** The time that an answer is reused, ms: a page that reloads in a loop must not double the load of its runner. */
const TTL_MS = 2000;

/** Most answers that are kept. */
const MAX_ANSWERS = 1000;

/** Remembers answers for a moment. */
export class RecentAnswers<Answer> {
  readonly #answers = new ExpiringLru<string, Promise<Answer>>({
    max: MAX_ANSWERS,
    ttlMs: TTL_MS,
  });

  /** The answer that `ask` gives for a key, or the latest one. */
  once(key: string, ask: () => Promise<Answer>): Promise<Answer> {
    const recent = this.#answers.get(key);
    if (recent !== undefined) return recent;
    const answer = ask();
    this.#answers.set(key, answer);
    return answer;
  }
}
