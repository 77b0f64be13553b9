/** A marker in the store of records: by it, a gateway tells that the store has come back empty, or is another one. */
import { z } from "zod";
import type { StoreKey } from "../cache/store.ts";
import { untilWritten } from "../cache/until_written.ts";
import { isPending } from "../lib/cooldown.ts";
import { fulfilsWithin } from "../lib/fulfils_within.ts";
import { parseJson } from "../lib/parse_json.ts";
import { loggerFor } from "../observability/log.ts";
import type { VersionedValue, VersionedValues } from "./versioned_values.ts";

export const EPOCH_KEY: StoreKey = ["records", "epoch"];

/** Age from which the marker is looked at again before what was read counts, ms. */
const LOOK_EVERY_MS = 2_000;

/** Longest look, ms: in a Cluster, the marker's node may be away alone. */
const LOOK_WITHIN_MS = 250;

/** How far the clock of an operator may be behind that of a gateway, ms. */
const CLOCKS_APART_MS = 60_000;

const marker = z.object({
  id: z.string(),
  /** When an operator said that the store is right as it is, ms since the epoch; missing if a gateway wrote it. */
  acceptedAt: z.exactOptional(z.number()),
});

type Marker = z.output<typeof marker>;

/** What a gateway thinks of its store: the one that it knows, that one without its marker, or another one. */
type State = "known" | "bare" | "other";

const HELP =
  "what memory knows is kept until `deno task records` has --import FILE or --accept-empty";

const DOUBTS: Readonly<Record<State, readonly string[]>> = {
  known: [],
  bare: [`the store has come back empty, or without its marker: ${HELP}`],
  other: [`it is another store than the one that was used: ${HELP}`],
};

interface EpochOptions {
  readonly now: () => number;
  /** Called when the store is doubted, and when it no longer is. */
  readonly onDoubt?: ((isDoubted: boolean) => void) | undefined;
}

/** The marker's id; undefined if there is none. */
export async function epochOf(
  values: Pick<VersionedValues, "read">,
): Promise<string | undefined> {
  return markerIn(await values.read(EPOCH_KEY))?.id;
}

/** An operator's word that the store is right as it is: every gateway takes it for its own again. */
export async function acceptStore(
  values: Pick<VersionedValues, "read" | "write">,
  now: number,
): Promise<void> {
  const text = JSON.stringify({ id: crypto.randomUUID(), acceptedAt: now });
  await untilWritten(async () => {
    const version = (await values.read(EPOCH_KEY))?.version;
    const key = EPOCH_KEY;
    return await values.write({ key, version, text, ttlMs: Infinity });
  });
}

/** The same values, and whether what was read of them may only be what is left. */
export function watchEpoch(
  values: VersionedValues,
  options: EpochOptions,
): VersionedValues {
  const epoch = new Epoch(values, options);
  return {
    read: (key) => values.read(key),
    write: (write) => values.write(write),
    isLost: (found) => epoch.isLost(found),
    async doubts() {
      const doubts = await epoch.doubts();
      return [...doubts, ...await values.doubts?.() ?? []];
    },
    close: () => values.close(),
  };
}

/** What one gateway knows of the marker. */
class Epoch {
  readonly #values: Pick<VersionedValues, "read" | "write">;
  readonly #options: EpochOptions;
  #known: Marker | undefined;
  #state: State = "known";
  #lookedAt = -Infinity;
  /** When the store was known for the last time. */
  #knownAt = -Infinity;
  #looking: Promise<void> = Promise.resolve();
  /** The look that begins once that has ended: those who ask meanwhile share it. */
  #next: Promise<void> | undefined;

  constructor(
    values: Pick<VersionedValues, "read" | "write">,
    options: EpochOptions,
  ) {
    this.#values = values;
    this.#options = options;
  }

  /** True if what was just read, or is not there, says nothing. What is there costs a look in 2 s, what is missing one. */
  async isLost(found: VersionedValue | undefined): Promise<boolean> {
    const now = this.#options.now();
    const until = this.#lookedAt + LOOK_EVERY_MS;
    const isRecent = isPending(until, { now, withinMs: LOOK_EVERY_MS });
    const isClear = this.#state === "known" && found !== undefined;
    if (!isClear || !isRecent) await this.#look();
    return this.#state === "other" ||
      this.#state === "bare" && found === undefined;
  }

  async doubts(): Promise<readonly string[]> {
    await this.#look();
    return DOUBTS[this.#state];
  }

  #look(): Promise<void> {
    return this.#next ??= this.#looking.then(() => {
      this.#next = undefined;
      return this.#looking = this.#lookNow();
    });
  }

  /** Never rejects: a store that fails is no other one. */
  async #lookNow(): Promise<void> {
    const now = this.#options.now();
    this.#lookedAt = now;
    try {
      const reading = this.#read();
      if (!await fulfilsWithin(reading, LOOK_WITHIN_MS)) return;
      this.#judge(await reading, now);
    } catch {
      // Whoever reads a record is told.
    }
  }

  /** The marker; a store that was never used gets one. */
  async #read(): Promise<Marker | undefined> {
    const found = await this.#values.read(EPOCH_KEY);
    if (found !== undefined || this.#known !== undefined) {
      return markerIn(found);
    }
    const made = { id: crypto.randomUUID() };
    const written = await this.#values.write({
      key: EPOCH_KEY,
      version: undefined,
      text: JSON.stringify(made),
      ttlMs: Infinity,
    });
    // Else another gateway was faster.
    return written === undefined
      ? markerIn(await this.#values.read(EPOCH_KEY))
      : made;
  }

  #judge(found: Marker | undefined, now: number): void {
    const known = this.#known ?? found;
    const acceptedAt = found?.acceptedAt ?? -Infinity;
    const isKnown = found?.id === known?.id ||
      acceptedAt > this.#knownAt - CLOCKS_APART_MS;
    if (isKnown) {
      this.#known = found;
      this.#knownAt = now;
    }
    this.#become(isKnown ? "known" : found === undefined ? "bare" : "other");
  }

  #become(state: State): void {
    const before = this.#state;
    this.#state = state;
    if ((before === "known") === (state === "known")) return;
    this.#options.onDoubt?.(state !== "known");
    const logger = loggerFor("records");
    if (state === "known") logger.info("the store of records counts again");
    else logger.error("the store of records is lost", { why: DOUBTS[state] });
  }
}

function markerIn(found: VersionedValue | undefined): Marker | undefined {
  return found && marker.safeParse(parseJson(found.text)).data;
}
