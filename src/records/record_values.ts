import { CircuitBreaker } from "../cache/circuit_breaker.ts";
import type { StoreKey, StoreOptions } from "../cache/store.ts";
import { Overtaken, untilWritten } from "../cache/until_written.ts";
import { GatewayError } from "../errors.ts";
import type { Sleep } from "../lib/backoff.ts";
import { ExpiringLru } from "../lib/lru.ts";
import { parseJson } from "../lib/parse_json.ts";
import { Turns } from "../lib/turns.ts";
import { loggerFor } from "../observability/log.ts";
import type { Form } from "./form.ts";
import type { VersionedValue, VersionedValues } from "./versioned_values.ts";

export interface RecordValuesOptions extends StoreOptions {
  /** Opens the database: for the first operation, and anew after that has failed. Null if nothing is kept. */
  readonly open: (() => Promise<VersionedValues>) | null;
  /** On the real clock by default. */
  readonly sleep?: Sleep;
}

/** A value, and what it is known by until it is written again; undefined while nothing is stored. */
export interface Versioned<T> {
  readonly value: T;
  readonly version: string | undefined;
}

/** What becomes of a value. */
export interface Change<T> {
  /** Undefined deletes it. */
  readonly value: T | undefined;
  /** After so many ms it may be forgotten. @default {Infinity} */
  readonly ttlMs?: number;
  /** Longest JSON, bytes. @default {Infinity} */
  readonly maxBytes?: number;
}

/** A value as it was written, and as it was before. */
interface Updated<T> extends Versioned<T> {
  readonly before: T;
}

/** How long a value counts as unreadable that nobody has read since, ms, and how many are remembered. */
const UNREADABLE = { ttlMs: 600_000, max: 1_000 };

const logger = loggerFor("records");

/**
 * The store of what must not be lost: its database, which is opened when it is used, and what is read and changed there.
 * @throws {GatewayError} `records_unavailable` if it does not answer in time, or there is none
 */
export class RecordValues {
  readonly #options: RecordValuesOptions;
  readonly #breaker: CircuitBreaker;
  readonly #turns = new Turns();
  /** The values that could not be read lately, by their keys. */
  readonly #unreadable: ExpiringLru<string, true>;
  #opening: Promise<VersionedValues> | undefined;

  constructor(options: RecordValuesOptions) {
    this.#options = options;
    this.#breaker = new CircuitBreaker("records", options);
    this.#unreadable = new ExpiringLru({ ...UNREADABLE, now: options.now });
  }

  /** False if nothing is kept: whatever needs records is off then. */
  get isOn(): boolean {
    return this.#options.open !== null;
  }

  /**
   * A value; `unreadable` if there is one of another form, of which the log tells once. Whoever has it in a version
   * already, as `known`, gets just that back as long as it is in that one.
   */
  async read<T>(
    key: StoreKey,
    form: Form<T>,
    known?: Versioned<T>,
  ): Promise<Versioned<T> | "unreadable"> {
    const found = await this.#find(key);
    const isKnown = known !== undefined && found?.version === known.version;
    return isKnown ? known : this.#parse(key, form, found);
  }

  /**
   * Changes a value as it is by then, as often as somebody else is faster; undefined if `change` has it stay. What
   * `change` throws is thrown, and nothing written. One that cannot be read is not written over, unless it is `known`
   * what it was: `change` gets that then, and what is there is set aside.
   * @throws {GatewayError} `records_full` if it becomes too long
   */
  async update<T>(
    key: StoreKey,
    form: Form<T>,
    change: (value: T, version: string | undefined) => Change<T> | undefined,
    known?: { readonly value: T },
  ): Promise<Updated<T> | undefined> {
    const attempt = async () => {
      const found = await this.#find(key);
      const read = this.#parse(key, form, found);
      const now = read === "unreadable" ? known : read;
      if (now === undefined) throw unreadable(key);
      const { value: before } = now;
      const version = found?.version;
      const changed = change(before, version);
      if (changed === undefined) return { updated: undefined };
      const { value = form.none, ttlMs = Infinity } = changed;
      const text = textOf(key, changed);
      if (found && read === "unreadable") await this.#setAside(key, found);
      const written = await this.#run((values) =>
        values.write({ key, version, text, ttlMs })
      );
      if (written === undefined) return undefined;
      this.#unreadable.delete(key.join("/"));
      const next = text === undefined ? undefined : written;
      return { updated: { before, value, version: next } };
    };
    // In this process, nobody gets ahead of anybody else.
    const { updated } = await this.#turns.take(String(key), async () => {
      try {
        return await untilWritten(attempt, this.#options.sleep);
      } catch (cause) {
        if (!(cause instanceof Overtaken)) throw cause;
        const { message: reason } = cause;
        logger.error("a value was not written", { key: key.join("/"), reason });
        throw new GatewayError("records_unavailable", reason, { cause });
      }
    });
    return updated;
  }

  /** How many values could not be read lately. */
  get unreadable(): number {
    return [...this.#unreadable.keys()].length;
  }

  /** Why records may be lost, or are not seen, in words for operators. */
  async doubts(): Promise<readonly string[]> {
    if (!this.isOn) return ["RECORDS_URL keeps nothing: what needs it is off"];
    const doubts = await this.#run((values) => values.doubts?.() ?? []);
    const unreadable = [...this.#unreadable.keys()];
    return unreadable.length === 0
      ? doubts
      : [...doubts, `${unreadable.length} unreadable: ${unreadable[0]}`];
  }

  close(): void {
    this.#breaker.close();
    this.#opening?.then((values) => values.close()).catch(() => {});
  }

  /** @throws {GatewayError} `records_unavailable`, also where the store is not the one that had it */
  async #find(key: StoreKey): Promise<VersionedValue | undefined> {
    const found = await this.#run(async (values) => {
      const found = await values.read(key);
      return await values.isLost?.(found) ? "lost" : found;
    });
    if (found !== "lost") return found;
    const reason = `The store is not the one that had ${key.join("/")}`;
    throw new GatewayError("records_unavailable", reason);
  }

  /** Keeps what cannot be read under another key, which has its version, for good: it is there already if that fails. */
  async #setAside(
    key: StoreKey,
    { version, text }: VersionedValue,
  ): Promise<void> {
    const aside: StoreKey = ["set-aside", ...key, version];
    const write = { key: aside, version: undefined, text, ttlMs: Infinity };
    await this.#run((values) => values.write(write));
    logger.warn("an unreadable value was set aside", { key: key.join("/") });
  }

  #parse<T>(
    key: StoreKey,
    { schema, none }: Form<T>,
    found: VersionedValue | undefined,
  ): Versioned<T> | "unreadable" {
    const name = key.join("/");
    const parsed = found && schema.safeParse(parseJson(found.text));
    if (parsed?.success !== false) {
      this.#unreadable.delete(name);
      return { value: parsed ? parsed.data : none, version: found?.version };
    }
    if (!this.#unreadable.has(name)) {
      const [problem] = parsed.error.issues;
      const at = problem?.path.join("/");
      logger.error("a value cannot be read", { key: name, at });
    }
    this.#unreadable.set(name, true);
    return "unreadable";
  }

  async #run<T>(
    operation: (values: VersionedValues) => T | Promise<T>,
  ): Promise<T> {
    const { open } = this.#options;
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

/** The refusal of what takes a value that cannot be read. */
export function unreadable(key: StoreKey): GatewayError {
  const reason = `No value that can be read: ${key.join("/")}`;
  return new GatewayError("records_unavailable", reason);
}

/** The JSON of a value; throws `records_full` if it is too long. */
function textOf(
  key: StoreKey,
  { value, maxBytes = Infinity }: Change<unknown>,
): string | undefined {
  if (value === undefined) return undefined;
  const text = JSON.stringify(value);
  if (new TextEncoder().encode(text).length <= maxBytes) return text;
  throw new GatewayError("records_full", `No room in ${key.join("/")}`);
}
