import { CircuitBreaker } from "../cache/circuit_breaker.ts";
import type { StoreKey, StoreOptions } from "../cache/store.ts";
import { GatewayError } from "../errors.ts";
import type {
  VersionedValue,
  VersionedValues,
  VersionedWrite,
} from "./versioned_values.ts";

export interface RecordValuesOptions extends StoreOptions {
  /** Opens the database: for the first operation, and anew after that has failed. Null if nothing is kept. */
  readonly open: (() => Promise<VersionedValues>) | null;
}

/**
 * The database of records, which is opened when it is used.
 * @throws {GatewayError} `records_unavailable` if it does not answer in time, or there is none
 */
export class RecordValues {
  readonly #open: RecordValuesOptions["open"];
  readonly #breaker: CircuitBreaker;
  #opening: Promise<VersionedValues> | undefined;

  constructor(options: RecordValuesOptions) {
    this.#open = options.open;
    this.#breaker = new CircuitBreaker("records", options);
  }

  /** False if nothing is kept: whatever needs records is off then. */
  get isOn(): boolean {
    return this.#open !== null;
  }

  /** Undefined if there is none. */
  read(key: StoreKey): Promise<VersionedValue | undefined> {
    return this.#run((values) => values.read(key));
  }

  /** The new version; undefined if the value is in another one. */
  write(write: VersionedWrite): Promise<string | undefined> {
    return this.#run((values) => values.write(write));
  }

  /** Why records may be lost, in words for operators. */
  async doubts(): Promise<readonly string[]> {
    if (!this.isOn) return ["RECORDS_URL keeps nothing: what needs it is off"];
    return await this.#run(async (values) => await values.doubts?.() ?? []);
  }

  close(): void {
    this.#breaker.close();
    this.#opening?.then((values) => values.close()).catch(() => {});
  }

  async #run<T>(operation: (values: VersionedValues) => Promise<T>) {
    const open = this.#open;
    const done = open && await this.#breaker.run(async () => {
      this.#opening ??= open().catch((cause) => {
        this.#opening = undefined;
        throw cause;
      });
      return { result: await operation(await this.#opening) };
    }, undefined);
    if (done) return done.result;
    throw new GatewayError("records_unavailable", "The log has said why");
  }
}
