/**
 * What visitors have answered who were asked what an app may be told of them: once for each sandbox, for as long as their
 * login lasts. It is kept with the records, where no app reaches it, and whichever name a sandbox is visited by.
 */
import { z } from "zod";
import type { LoginRef } from "../../auth/session.ts";
import type { StoreKey } from "../../cache/store.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { digestKey } from "../../lib/digest.ts";
import { ExpiringLru } from "../../lib/lru.ts";
import type { Form } from "../../records/form.ts";
import type { RecordValues } from "../../records/record_values.ts";

/** The names of the claims that may go out; empty for none. */
type Answer = readonly string[];

/** An answer is not read again for that time, ms; that there is none yet, for less. */
const FRESH_MS = 5_000;
const NONE_MS = 1_000;

/** What is remembered where there is none yet. */
const NONE: Answer = [];

const FORM: Form<Answer> = { schema: z.array(z.string()), none: NONE };

/** Whatever is there: an answer takes its place. */
const ANYTHING: Form<unknown> = { schema: z.unknown(), none: undefined };

/** By what an answer is known; whoever reads the store learns of no login by it. */
export function answerId({ id }: LoginRef, sandboxId: string): string {
  return digestKey([id, sandboxId]);
}

interface AnswersParts extends Pick<FeatureParts, "config" | "now"> {
  readonly recordValues: Pick<RecordValues, "read" | "update">;
}

/** Visitors' answers, by their ids. */
export class Answers {
  readonly #parts: AnswersParts;
  readonly #fresh: ExpiringLru<string, Answer>;

  constructor(parts: AnswersParts) {
    const { config: { cache: { maxEntries: max } }, now } = parts;
    this.#parts = parts;
    this.#fresh = new ExpiringLru({ max, ttlMs: FRESH_MS, now });
  }

  /** Undefined if there is none yet. While the store is away, or has what cannot be read, nothing may go out. */
  async get(id: string): Promise<Answer | undefined> {
    try {
      let known = this.#fresh.get(id);
      if (known === undefined) {
        const found = await this.#parts.recordValues.read(keyOf(id), FORM);
        if (found === "unreadable") return [];
        known = this.#fresh.get(id) ?? found.value; // it may have been given meanwhile
        const ttl = known === NONE ? NONE_MS : FRESH_MS;
        this.#fresh.set(id, known, { ttl });
      }
      return known === NONE ? undefined : known;
    } catch (error) {
      if (error instanceof GatewayError) return [];
      throw error;
    }
  }

  /** In place of the one before, until the login ends; throws `records_unavailable`. */
  async set(id: string, answer: Answer, login: LoginRef): Promise<void> {
    const { recordValues, now } = this.#parts;
    const ttlMs = Math.max(1, login.expiresAt - now());
    const value = [...answer];
    await recordValues.update(keyOf(id), ANYTHING, () => ({ value, ttlMs }));
    this.#fresh.set(id, answer);
  }
}

function keyOf(id: string): StoreKey {
  return ["identity-answers", id];
}
