/** Tells the gateways that share a cache which records one of them has written; who does not hear sees it by time. */
import { z } from "zod";
import type { DurableStore } from "../cache/store.ts";
import { parseJson } from "../lib/parse_json.ts";

const announcement = z.object({
  /** Which one it is, by its key in the database. */
  record: z.string(),
  isEnd: z.boolean(),
  /** The gateway that has written it. */
  by: z.string(),
});

/** Where gateways hear of each other. */
export type ChangeStore = Pick<DurableStore, "announce" | "listen">;

export class RecordChanges {
  readonly #store: ChangeStore;
  readonly #self = crypto.randomUUID();

  /** Calls back with each change by another gateway. */
  constructor(
    store: ChangeStore,
    onChange: (record: string, isEnd: boolean) => void,
  ) {
    this.#store = store;
    store.listen((message) => {
      const { data } = announcement.safeParse(parseJson(message));
      if (data === undefined || data.by === this.#self) return;
      onChange(data.record, data.isEnd);
    });
  }

  /** Resolves once the others were told, as far as they can be. */
  async announce(record: string, isEnd: boolean): Promise<void> {
    const message = { record, isEnd, by: this.#self };
    await this.#store.announce(JSON.stringify(message));
  }
}
