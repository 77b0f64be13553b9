/** What the operator has blocked: one value in the store of records, and whole in the memory of each gateway. */
import { z } from "zod";
import { splitAuthority } from "../../address/preview_host.ts";
import type { StoreKey } from "../../cache/store.ts";
import type { Served } from "../../proxy/stream_handle.ts";
import type { Form } from "../../records/form.ts";
import { type RecordValues, unreadable } from "../../records/record_values.ts";
import { WatchedValue } from "../../records/watched_value.ts";

/** What can be blocked: sandboxes and organizations by their ids, and names by their hosts. */
export const BLOCK_KINDS = ["sandboxes", "names", "organizations"] as const;

/** What is blocked. @example `sandboxes/0b9f1c5e-…` */
export type Block = `${typeof BLOCK_KINDS[number]}/${string}`;

const KEY: StoreKey = ["blocks"];

/** What no gateway of this version knows blocks nothing, and stays. */
const FORM: Form<readonly string[]> = { schema: z.array(z.string()), none: [] };

/** Longest value, bytes: Deno KV takes 64 KiB, some 1,300 blocks. */
const MAX_BYTES = 64_000;

/** What was read stays known as long as the gateway runs, whatever becomes of the store. */
export class BlockList {
  readonly #list: WatchedValue<readonly string[]>;
  #blocks: ReadonlySet<string> = new Set();

  constructor(values: Pick<RecordValues, "read" | "update">) {
    this.#list = new WatchedValue(values, KEY, FORM);
  }

  get all(): ReadonlySet<string> {
    return this.#blocks;
  }

  /** True if a sandbox is on it, by itself or with its organization, or the name that was asked for. */
  blocks({ sandboxId, organizationId, name = "" }: Served): boolean {
    const known = this.#blocks;
    return known.size > 0 &&
      (known.has(`sandboxes/${sandboxId}`) ||
        known.has(`organizations/${organizationId}`) ||
        known.has(`names/${splitAuthority(name).name}`));
  }

  /** Reads it; throws `records_unavailable` if the store does not answer, or with what cannot be read. */
  async look(): Promise<void> {
    if (!await this.#list.look()) throw unreadable(KEY);
    this.#blocks = new Set(this.#list.value);
  }

  /**
   * Adds or takes out one; resolves once it is stored.
   * @throws {GatewayError} `records_full`, or `records_unavailable` if the store does not answer
   */
  async change(block: Block, isBlocked: boolean): Promise<void> {
    const stored = await this.#list.update((list) => {
      const others = list.filter((each) => each !== block);
      return isBlocked
        ? { value: [...others, block], maxBytes: MAX_BYTES }
        : { value: others };
    });
    this.#blocks = new Set(stored);
  }
}
