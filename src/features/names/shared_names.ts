/** The names of members: in the store, which all gateways share, and whole in the memory of each. */
import { z } from "zod";
import type { StoreKey } from "../../cache/store.ts";
import { GatewayError } from "../../errors.ts";
import { loggerFor } from "../../observability/log.ts";
import type { Form } from "../../records/form.ts";
import type { RecordValues } from "../../records/record_values.ts";
import { WatchedValue } from "../../records/watched_value.ts";
import type { KeptName, NameBook, NameEntry } from "./kept_name.ts";
import { ownerKeyOf } from "./name_entries.ts";
import {
  currentOf,
  entryIn,
  type NameShard,
  NOTHING,
  SHARD,
  shardOf,
  SHARDS,
  withEntry,
} from "./name_shards.ts";

/** How often each shard was written, so that who looks reads the few that have changed. */
const COUNTS: StoreKey = ["names", "versions"];

/** A hint: what cannot be read is as good as none, as then the sweep finds what changes. */
const COUNTS_FORM: Form<readonly number[]> = {
  schema: z.array(z.number()).catch([]),
  none: [],
};

/** How many shards are read at each look whatever is said of them: writing that may have failed. With a look in 2 s, all are in a minute. */
const SWEPT = 9;

/** Most reads at once. */
const AT_ONCE = 32;

interface SharedNamesOptions {
  readonly values: Pick<RecordValues, "read" | "update">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called with all names whenever some are known to have changed. */
  readonly onChange: (names: Iterable<KeptName>) => void;
}

/** What was read stays known as long as the gateway runs: while the store is away, names lead where they have led. */
export class SharedNames implements NameBook {
  readonly #options: SharedNamesOptions;
  readonly #shards: readonly WatchedValue<NameShard>[];
  /** What {@linkcode COUNTS} said when a shard was read. */
  readonly #seen = new Map<number, number>();
  /** The shards that this gateway has written, and {@linkcode COUNTS} has yet to tell of. */
  #uncounted: number[] = [];
  #looking: Promise<void> | undefined;
  /** Where the next sweep begins. */
  #sweepAt = 0;
  /** True if `onChange` has yet to hear of something. */
  #hasNews = false;

  constructor(options: SharedNamesOptions) {
    this.#options = options;
    this.#shards = Array.from({ length: SHARDS }, (_, shard) => {
      const key: StoreKey = ["names", String(shard)];
      return new WatchedValue(options.values, key, SHARD);
    });
  }

  entryOf(host: string): NameEntry {
    const shard = this.#shards[shardOf(host)];
    return shard ? entryIn(shard.value, host, this.#options.now()) : NOTHING;
  }

  ofSandbox(sandboxId: string): readonly KeptName[] {
    return [...this.all()]
      .filter((each) =>
        each.sandboxId === sandboxId && each.state !== "released"
      )
      .sort((one, other) => other.createdAt - one.createdAt);
  }

  *all(): Generator<KeptName> {
    const now = this.#options.now();
    for (const { value: { entries } } of this.#shards) {
      for (const entry of Object.values(entries)) {
        const { holder, claims } = currentOf(entry, now);
        if (holder) yield holder;
        yield* claims;
      }
    }
  }

  countOf(ownerKey: string): number {
    let count = 0;
    for (const each of this.all()) {
      if (ownerKeyOf(each) === ownerKey) count++;
    }
    return count;
  }

  async change(
    host: string,
    change: (entry: NameEntry) => NameEntry,
  ): Promise<NameEntry> {
    const { now } = this.#options;
    let changed = NOTHING;
    await this.#shards[shardOf(host)]?.update((shard) => {
      changed = change(entryIn(shard, host, now()));
      return withEntry(shard, host, changed, now());
    });
    this.#hasNews = true;
    this.#tell();
    await this.#count(shardOf(host));
    return changed;
  }

  /**
   * Reads what others may have changed, and all at first; a shard that cannot be read stays what it was, and hides no other.
   * @throws {GatewayError} `records_unavailable` if the store does not answer
   */
  look(): Promise<void> {
    return this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      this.#tell();
    });
  }

  async #look(): Promise<void> {
    const read = await this.#options.values.read(COUNTS, COUNTS_FORM);
    const counts = read === "unreadable" ? [] : read.value;
    const from = this.#sweepAt;
    this.#sweepAt = (from + SWEPT) % SHARDS;
    const due = [...this.#shards.entries()].filter(([at]) =>
      (at - from + SHARDS) % SHARDS < SWEPT ||
      (counts[at] ?? 0) !== this.#seen.get(at)
    );
    while (due.length > 0) {
      await Promise.all(
        due.splice(0, AT_ONCE).map(async ([at, shard]) => {
          const { version } = shard;
          await shard.look();
          if (shard.version !== version) this.#hasNews = true;
          this.#seen.set(at, counts[at] ?? 0);
        }),
      );
    }
  }

  /** Has others look at a shard; if that fails, they sweep it within a minute. What is due meanwhile is counted at once. */
  async #count(shard: number): Promise<void> {
    this.#uncounted.push(shard);
    let counted = 0;
    try {
      await this.#options.values.update(COUNTS, COUNTS_FORM, (before) => {
        counted = this.#uncounted.length;
        if (counted === 0) return undefined; // with another one
        const value = Array.from(
          { length: SHARDS },
          (_, at) =>
            (before[at] ?? 0) +
            this.#uncounted.filter((each) => each === at).length,
        );
        return { value };
      });
      this.#uncounted.splice(0, counted);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.#uncounted = [];
      const { message: reason } = error;
      loggerFor("names").warn("others learn of a name late", { reason });
    }
  }

  #tell(): void {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    this.#options.onChange(this.all());
  }
}
