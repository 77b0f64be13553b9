/** What the operator has blocked: one value in the store of records, and whole in the memory of each gateway. */
import { splitAuthority } from "../../address/preview_host.ts";
import type { StoreKey } from "../../cache/store.ts";
import { GatewayError } from "../../errors.ts";
import type { Served } from "../../proxy/stream_handle.ts";
import type { RecordValues } from "../../records/record_values.ts";
import { storedJson } from "../../records/stored_json.ts";

/** What can be blocked: sandboxes and organizations by their ids, and names by their hosts. */
export const BLOCK_KINDS = ["sandboxes", "names", "organizations"] as const;

/** What is blocked. @example `sandboxes/0b9f1c5e-…` */
export type Block = `${typeof BLOCK_KINDS[number]}/${string}`;

const KEY: StoreKey = ["blocks"];

/** Longest value, bytes, all of ASCII: Deno KV takes 64 KiB, some 1,300 blocks. */
const MAX_BYTES = 64_000;

/** What was read stays known as long as the gateway runs, whatever becomes of the store. */
export class BlockList {
  readonly #values: Pick<RecordValues, "read" | "write">;
  #blocks: ReadonlySet<Block> = new Set();

  constructor(values: Pick<RecordValues, "read" | "write">) {
    this.#values = values;
  }

  get all(): ReadonlySet<Block> {
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

  /** Reads it; throws `records_unavailable` if the store does not answer. */
  async look(): Promise<void> {
    const before = this.#blocks;
    const { blocks } = await this.#read();
    // If it was changed meanwhile, what was read may be from before that.
    if (this.#blocks === before) this.#blocks = blocks;
  }

  /**
   * Adds or takes out one; resolves once it is stored.
   * @throws {GatewayError} `records_full`, or `records_unavailable` if the store does not answer
   */
  async change(block: Block, isBlocked: boolean): Promise<void> {
    for (;;) {
      const { version, blocks } = await this.#read();
      if (isBlocked) blocks.add(block);
      else blocks.delete(block);
      const text = JSON.stringify([...blocks]);
      if (isBlocked && text.length > MAX_BYTES) {
        throw new GatewayError("records_full", "No room in the block list");
      }
      const write = { key: KEY, version, text, ttlMs: Infinity };
      if (await this.#values.write(write) === undefined) continue; // somebody else was faster
      this.#blocks = blocks;
      return;
    }
  }

  async #read() {
    const found = await this.#values.read(KEY);
    const blocks = new Set(storedJson<readonly Block[]>(KEY, found, []));
    return { version: found?.version, blocks };
  }
}
