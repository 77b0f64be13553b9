/** What the operator has blocked: one value in the store of records, with a copy, and whole in the memory of each gateway. */
import { z } from "zod";
import { splitAuthority } from "../../address/preview_host.ts";
import type { StoreKey } from "../../cache/store.ts";
import { GatewayError } from "../../errors.ts";
import { loggerFor } from "../../observability/log.ts";
import type { Served } from "../../proxy/stream_handle.ts";
import type { Form } from "../../records/form.ts";
import {
  type Change,
  type RecordValues,
  unreadable,
  type Versioned,
} from "../../records/record_values.ts";

/** What can be blocked: sandboxes and organizations by their ids, and names by their hosts. */
export const BLOCK_KINDS = ["sandboxes", "names", "organizations"] as const;

/** What is blocked. @example `sandboxes/0b9f1c5e-…` */
export type Block = `${typeof BLOCK_KINDS[number]}/${string}`;

/** What tells what is blocked: the list, its copy while the list is gone or cannot be read, or else what was read before. */
export const BLOCK_SOURCES = ["list", "copy", "memory"] as const;

type Blocks = readonly string[];

interface Known {
  readonly list: Versioned<Blocks>;
  readonly source: typeof BLOCK_SOURCES[number];
}

export const KEY: StoreKey = ["blocks"];
const COPY: StoreKey = ["blocks", "copy"];

/** What no gateway of this version knows blocks nothing, and stays. */
const FORM: Form<Blocks> = { schema: z.array(z.string()), none: [] };

/** Longest value, bytes: Deno KV takes 64 KiB, some 1,300 blocks. */
export const MAX_BYTES = 64_000;

const logger = loggerFor("blocks");

/** What was read stays known as long as the gateway runs, whatever becomes of the store: only a list that is stored unblocks. */
export class BlockList {
  readonly #values: Pick<RecordValues, "read" | "update">;
  #known: Known | undefined;
  #blocks: ReadonlySet<string> = new Set();
  /** True if a list is there, and nobody knows what is on it. */
  #isLost = false;
  /** The version of the list that the copy is of. */
  #copied: string | undefined;
  #changes = 0;

  constructor(values: Pick<RecordValues, "read" | "update">) {
    this.#values = values;
  }

  get all(): ReadonlySet<string> {
    return this.#blocks;
  }

  /** What tells them; undefined as long as nothing does. */
  get source(): Known["source"] | undefined {
    return this.#known?.source;
  }

  /** True if something may be refused. */
  get isInForce(): boolean {
    return this.#isLost || this.#blocks.size > 0;
  }

  /**
   * Why nobody gets something: it is on the list, a sandbox by itself or with its organization, or the name that was
   * asked for; or nobody knows what is.
   */
  refusalOf(
    { sandboxId, organizationId, name = "" }: Served,
  ): GatewayError | undefined {
    if (!this.isInForce) return undefined;
    if (this.#isLost) return unreadable(KEY);
    const known = this.#blocks;
    const isBlocked = known.has(`sandboxes/${sandboxId}`) ||
      known.has(`organizations/${organizationId}`) ||
      known.has(`names/${splitAuthority(name).name}`);
    return isBlocked
      ? new GatewayError("preview_blocked", "On the block list")
      : undefined;
  }

  /** Reads it; throws `records_unavailable` if the store does not answer. */
  async look(): Promise<void> {
    const before = this.#changes;
    const found = await this.#find();
    // If it was changed meanwhile, what was read may be from before that.
    if (before !== this.#changes) return;
    this.#learn(found);
    await this.#copy();
  }

  /**
   * Adds or takes out one; resolves once it is stored. A list that cannot be read is set aside.
   * @throws {GatewayError} `records_full`, or `records_unavailable` if the store does not answer, or nobody knows what is blocked
   */
  async change(block: Block, isBlocked: boolean): Promise<void> {
    await this.look();
    if (this.#known === undefined) throw unreadable(KEY);
    await this.#write(this.#known.list.value, (list) => {
      const others = list.filter((each) => each !== block);
      return isBlocked
        ? { value: [...others, block], maxBytes: MAX_BYTES }
        : { value: others };
    });
  }

  /** Blocks these and nothing else, as {@linkcode change} does, also if nobody knows what is blocked. */
  async replace(blocks: readonly Block[]): Promise<void> {
    const value = [...new Set(blocks)];
    await this.#write([], () => ({ value, maxBytes: MAX_BYTES }));
  }

  /** Changes the list; one that is gone, or cannot be read, is `kept`. */
  async #write(
    kept: Blocks,
    change: (list: Blocks) => Change<Blocks>,
  ): Promise<void> {
    const stored = await this.#values.update(
      KEY,
      FORM,
      (list, version) => change(version === undefined ? kept : list),
      { value: kept },
    );
    if (stored === undefined) return;
    this.#changes++;
    this.#learn({ list: stored, source: "list" });
    await this.#copy();
  }

  async #find(): Promise<Known | undefined> {
    const list = await this.#values.read(KEY, FORM, this.#known?.list);
    if (list !== "unreadable" && list.version !== undefined) {
      return { list, source: "list" };
    }
    const copy = await this.#values.read(COPY, FORM).catch((error) => {
      if (list === "unreadable") return list;
      throw error;
    });
    if (copy !== "unreadable" && copy.version !== undefined) {
      return { list: copy, source: "copy" };
    }
    const isEmpty = (this.#known?.list.value.length ?? 0) === 0;
    return list !== "unreadable" && copy !== "unreadable" && isEmpty
      ? { list, source: "list" } // nothing was ever blocked
      : this.#known && { ...this.#known, source: "memory" };
  }

  /** Copies the list as it is stored; if that fails, the next look does. */
  async #copy(): Promise<void> {
    if (this.#known?.source !== "list") return;
    const { value, version } = this.#known.list;
    if (version === this.#copied) return;
    try {
      await this.#values.update(
        COPY,
        FORM,
        (copy, copied) =>
          copied !== undefined && String(copy) === String(value)
            ? undefined
            : { value },
        { value: ["?"] }, // no list
      );
      this.#copied = version;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
  }

  #learn(known: Known | undefined): void {
    const source = known?.source ?? "none";
    const before = this.#isLost ? "none" : this.source ?? "list";
    if (source !== before && source !== "list") {
      logger.error("the block list is gone, or cannot be read", { source });
    }
    this.#known = known;
    this.#isLost = known === undefined;
    this.#blocks = new Set(known?.list.value);
  }
}
