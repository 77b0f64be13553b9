/**
 * When somebody else's API is asked again about a sandbox, as what is known may be out of date: its preview token changes
 * with each start, and only a failure shows that. Each question costs the organization some of its limit, and whoever can
 * cause failures could cause questions; so there is a pause between two. But nobody is refused for an answer from before
 * what made them ask.
 */
import { LRUCache } from "lru-cache";
import { sleep } from "../../lib/backoff.ts";
import { ExpiringLru } from "../../lib/lru.ts";

/** Least time between the beginnings of two renewals for the same reason, ms. */
const PAUSE_MS = 5000;

/** Longer than the API may show the token from before a start, ms, which is a second. */
const API_MEMORY_MS = 1200;

/** The questions. What is known has been replaced by the answer when one resolves. */
interface RenewalQuestions {
  /** Asks whether there is such a sandbox, and whether it is public. */
  sandbox(sandboxId: string): Promise<void>;
  /** Asks for its preview token; null if there is no such sandbox. */
  token(sandboxId: string, port: number): Promise<string | null>;
}

/** The last renewal for visitors of a sandbox. */
interface Renewal {
  readonly startedAt: number;
  readonly asked: Promise<unknown>;
  isUnderWay: boolean;
  /** The one after it, for those who came too late for this one. */
  next?: Promise<void>;
}

/** Paces the questions; it holds timers only while somebody waits. */
export class HostedRenewals {
  readonly #questions: RenewalQuestions;
  /** By sandbox and refused token. */
  readonly #ofDestinations: ExpiringLru<string, Promise<void>>;
  /** By sandbox. */
  readonly #forVisitors: LRUCache<string, Renewal>;

  constructor(questions: RenewalQuestions, maxEntries: number) {
    this.#questions = questions;
    this.#ofDestinations = new ExpiringLru({
      max: maxEntries,
      ttlMs: PAUSE_MS,
    });
    this.#forVisitors = new LRUCache({ max: maxEntries });
  }

  /**
   * Asks about a sandbox whose destination has failed, once in 5 s for each of its tokens, and of each that was `refused`
   * once more if the API still tells that.
   */
  async ofDestination(
    sandboxId: string,
    port: number,
    refused: string | undefined,
  ): Promise<void> {
    const key = keyOf(sandboxId, refused);
    let renewal = this.#ofDestinations.get(key);
    if (renewal === undefined) {
      renewal = this.#renew(sandboxId, port, refused);
      this.#ofDestinations.set(key, renewal);
    }
    await renewal;
  }

  /**
   * Asks for the token of a sandbox to which a visitor has brought another one, once in 5 s. Whoever comes while the API
   * is being asked gets that answer; whoever comes later waits for the next one.
   *
   * @returns whether the API was asked after the call; if not, the answer may be from before the visitor's token
   */
  async forVisitor(sandboxId: string, port: number): Promise<boolean> {
    const last = this.#forVisitors.get(sandboxId);
    if (last?.isUnderWay) {
      await last.asked;
      return false;
    }
    const waitMs = last === undefined
      ? 0
      : last.startedAt + PAUSE_MS - performance.now();
    if (last === undefined || waitMs <= 0 && last.next === undefined) {
      await this.#begin(sandboxId, port);
      return true;
    }
    last.next ??= sleep(waitMs).then(() => this.#begin(sandboxId, port));
    await last.next;
    return true;
  }

  /** Lets the next failure of a sandbox that has changed be asked about at once. */
  forget(sandboxId: string): void {
    this.#ofDestinations.delete(keyOf(sandboxId, undefined));
  }

  async #begin(sandboxId: string, port: number): Promise<void> {
    const renewal: Renewal = {
      startedAt: performance.now(),
      asked: this.#questions.token(sandboxId, port)
        .finally(() => renewal.isUnderWay = false),
      isUnderWay: true,
    };
    this.#forVisitors.set(sandboxId, renewal);
    await renewal.asked;
  }

  async #renew(
    sandboxId: string,
    port: number,
    refused: string | undefined,
  ): Promise<void> {
    const [token] = await Promise.all([
      this.#questions.token(sandboxId, port),
      this.#questions.sandbox(sandboxId),
    ]);
    if (refused === undefined || token !== refused) return;
    await sleep(API_MEMORY_MS);
    await this.#questions.token(sandboxId, port);
  }
}

function keyOf(sandboxId: string, refused: string | undefined): string {
  return JSON.stringify([sandboxId, refused]);
}
