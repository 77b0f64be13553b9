/** Stored values that are whole in the memory of each gateway, which looks now and then for what others have changed. */
import type { StoreKey } from "../cache/store.ts";
import { GatewayError } from "../errors.ts";
import type { Background } from "../lib/background.ts";
import { fulfilsWithin } from "../lib/fulfils_within.ts";
import type { Form } from "./form.ts";
import type { Change, RecordValues, Versioned } from "./record_values.ts";

/** Time between two looks, ms. */
const LOOK_EVERY_MS = 2_000;

/** Longest wait of the start for the first look that succeeds, ms. */
const LOADING_MS = 5_000;

interface Watching {
  /** Whether all was known in time. */
  readonly loaded: Promise<boolean>;
  close(): void;
}

/**
 * Has `look` called at once and every 2 s. Where it rejects because of the store, which has said why, what is known stays.
 * @param task What the work is called
 */
export function watch(
  task: string,
  look: () => Promise<void>,
  background: Pick<Background, "add">,
): Watching {
  const known = Promise.withResolvers<void>();
  function begin(): void {
    const looking = look().then(known.resolve, (error) => {
      if (!(error instanceof GatewayError)) throw error;
    });
    background.add(task, looking);
  }
  begin();
  const timer = setInterval(begin, LOOK_EVERY_MS);
  Deno.unrefTimer(timer);
  return {
    loaded: fulfilsWithin(known.promise, LOADING_MS),
    close: () => clearInterval(timer),
  };
}

/** One such value: what was read stays known as long as the gateway runs, whatever becomes of the store. */
export class WatchedValue<T> {
  readonly #values: Pick<RecordValues, "read" | "update">;
  readonly #key: StoreKey;
  readonly #form: Form<T>;
  #latest: Versioned<T> | undefined;

  constructor(
    values: Pick<RecordValues, "read" | "update">,
    key: StoreKey,
    form: Form<T>,
  ) {
    this.#values = values;
    this.#key = key;
    this.#form = form;
  }

  /** As it was read or written last. */
  get value(): T {
    return this.#latest?.value ?? this.#form.none;
  }

  /** Undefined as well while nothing is stored. */
  get version(): string | undefined {
    return this.#latest?.version;
  }

  /** Reads it; false if that is not possible: it stays what it was then. */
  async look(): Promise<boolean> {
    const before = this.#latest;
    const read = await this.#values.read(this.#key, this.#form, before);
    if (read === "unreadable") return false;
    // If it was changed meanwhile, what was read may be from before that.
    if (this.#latest === before) this.#latest = read;
    return true;
  }

  /** As {@linkcode RecordValues.update}, of what was read here if it cannot be read now; it is known here once it is stored. */
  async update(change: (value: T) => Change<T>): Promise<T> {
    let before = this.#latest;
    const updated = await this.#values.update(
      this.#key,
      this.#form,
      (value) => {
        before = this.#latest;
        return change(value);
      },
      before,
    );
    // What was read meanwhile may be what others have made of it since.
    if (this.#latest !== before) await this.look();
    else this.#latest = updated ?? before;
    return this.value;
  }
}
