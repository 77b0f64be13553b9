/**
 * When somebody else's API is asked again about a sandbox: its preview token changes with each start, and only a failure
 * shows that. Whoever can cause failures could use up the organization's limit by questions; so there is a pause between
 * two. But nobody is refused for an answer from before what made them ask.
 */
import { sleep } from "../../lib/backoff.ts";
import { Lru } from "../../lib/lru.ts";
import { RecentAnswers } from "../refusals/recent_answers.ts";

/** Least time between the beginnings of two renewals for the same reason, ms. */
const PAUSE_MS = 5000;

/** Longer than the API may show the token from before a start, ms, which is a second. */
const API_MEMORY_MS = 1200;

/** What is known has been replaced by the answer when a question resolves. */
interface RenewalLookups {
  /** Asks whether there is such a sandbox, and whether it is public. */
  sandbox(sandboxId: string): Promise<void>;
  /** Asks for its preview token; null if there is no such sandbox. */
  token(sandboxId: string, port: number): Promise<string | null>;
}

/** The last renewal for visitors of a sandbox. */
interface Renewal {
  readonly startedAt: number;
  /** Until the API has answered. */
  asked?: Promise<unknown> | undefined;
  /** The one after it, for those who came too late for this one. */
  next?: Promise<void>;
}

export class HostedRenewals {
  readonly #lookups: RenewalLookups;
  /** By sandbox and refused token. */
  readonly #ofDestinations: RecentAnswers<void>;
  /** By sandbox. */
  readonly #forVisitors: Lru<string, Renewal>;

  constructor(lookups: RenewalLookups, max: number) {
    this.#lookups = lookups;
    this.#ofDestinations = new RecentAnswers({ max, ttlMs: PAUSE_MS });
    this.#forVisitors = new Lru({ max });
  }

  /** Asks about a sandbox that has failed, once in 5 s for each token; again if the API still tells a `refused` one. */
  async ofDestination(
    sandboxId: string,
    port: number,
    refused: string | undefined,
  ): Promise<void> {
    await this.#ofDestinations.once(keyOf(sandboxId, refused), async () => {
      const [token] = await Promise.all([
        this.#lookups.token(sandboxId, port),
        this.#lookups.sandbox(sandboxId),
      ]);
      if (refused === undefined || token !== refused) return;
      await sleep(API_MEMORY_MS);
      await this.#lookups.token(sandboxId, port);
    });
  }

  /**
   * Asks for the token of a sandbox to which a visitor has brought another one, once in 5 s. Whoever comes while the API
   * is being asked gets that answer; whoever comes later waits for the next one.
   *
   * @returns whether the API was asked after the call; if not, the answer may be from before the visitor's token
   */
  async forVisitor(sandboxId: string, port: number): Promise<boolean> {
    const last = this.#forVisitors.get(sandboxId);
    if (last?.asked) {
      await last.asked;
      return false;
    }
    const begin = () => this.#begin(sandboxId, port);
    const waitMs = last ? last.startedAt + PAUSE_MS - performance.now() : 0;
    if (last === undefined || waitMs <= 0 && last.next === undefined) {
      await begin();
    } else {
      await (last.next ??= sleep(waitMs).then(begin));
    }
    return true;
  }

  /** Lets the next failure of a sandbox that has changed be asked about at once. */
  forget(sandboxId: string): void {
    this.#ofDestinations.forget(keyOf(sandboxId, undefined));
  }

  async #begin(sandboxId: string, port: number): Promise<void> {
    const renewal: Renewal = { startedAt: performance.now() };
    this.#forVisitors.set(sandboxId, renewal);
    renewal.asked = this.#lookups.token(sandboxId, port)
      .finally(() => renewal.asked = undefined);
    await renewal.asked;
  }
}

function keyOf(sandboxId: string, refused: string | undefined): string {
  return JSON.stringify([sandboxId, refused]);
}
