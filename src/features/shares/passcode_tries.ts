/**
 * How often a share's passcode may be tried. Tries are counted before they are judged, in the database of records, by
 * compare-and-write: so those that are made at once, or at several gateways, are no more either. Where many clients fail,
 * only those wait who have never opened the share: nobody locks out the others.
 */
import { z } from "zod";
import type { StoreKey } from "../../cache/store.ts";
import { clientKey } from "../../lib/client_key.ts";
import type { SecretHashes } from "../../lib/secret_hashes.ts";
import { type Form, storedObject } from "../../records/form.ts";
import type { RecordValues } from "../../records/record_values.ts";
import type { StoredRecord } from "../../records/stored_record.ts";
import { bytesOf } from "./share_kind.ts";

/** The time for which a try counts, ms. */
const WINDOW_MS = 15 * 60_000;

/** Most that fail in that time, of one client's network, and of all for one share. */
const PER_CLIENT = 10;
const PER_SHARE = 50;

/** Most that fail in a share's life. */
const IN_ALL = 500;

/** Most clients of a share that are remembered to have opened it: the latest. */
const MAX_KNOWN = 100;

/** Of one share, the oldest first: clients by keyed hashes, and when each tried, ms since the epoch. */
const counted = storedObject({
  tries: z.array(z.tuple([z.string(), z.number()])),
  known: z.array(z.string()),
  /** How many have failed in its life. */
  total: z.number().default(0),
});

type Counted = z.output<typeof counted>;

const COUNTED: Form<Counted> = {
  schema: counted,
  none: { tries: [], known: [], total: 0 },
};

type Share = Pick<StoredRecord, "id" | "expiresAt">;

interface PasscodeTriesOptions {
  readonly values: Pick<RecordValues, "update">;
  readonly hashes: Pick<SecretHashes, "of">;
  readonly now: () => number;
}

/** Counts tries. Its methods throw `records_unavailable`. */
export class PasscodeTries {
  readonly #options: PasscodeTriesOptions;

  constructor(options: PasscodeTriesOptions) {
    this.#options = options;
  }

  /** Counts a try; the time until there can be another one, in ms, if none is left, and `shut` if there can be none. */
  async take(
    share: Share,
    address: string,
  ): Promise<number | "shut" | undefined> {
    const now = this.#options.now();
    let waits: number | "shut" | undefined;
    await this.#change(share, address, (counted, client) => {
      const { tries, total } = counted;
      const since = lastOfTooMany(counted, client);
      waits = since && since + WINDOW_MS - now;
      if (total >= IN_ALL) waits = "shut";
      if (waits !== undefined) return undefined;
      return { ...counted, tries: [...tries, [client, now]], total: total + 1 };
    });
    return waits;
  }

  /** Takes a try back that was right. */
  async giveBack(share: Share, address: string): Promise<void> {
    await this.#change(share, address, ({ tries, known, total }, client) => {
      const own = tries.findLastIndex(([by]) => by === client);
      const others = known.filter((each) => each !== client);
      return {
        tries: tries.filter((_, i) => i !== own),
        known: [...others, client].slice(-MAX_KNOWN),
        total: Math.max(0, total - 1),
      };
    });
  }

  async #change(
    { id, expiresAt }: Share,
    address: string,
    change: (counted: Counted, client: string) => Counted | undefined,
  ): Promise<void> {
    const { values, hashes, now } = this.#options;
    const client = hashes.of(bytesOf("client", id, clientKey(address)));
    const key: StoreKey = ["share-tries", id];
    await values.update(key, COUNTED, ({ tries, ...counted }) => {
      const late = tries.filter(([, at]) => at > now() - WINDOW_MS);
      const value = change({ ...counted, tries: late }, client.slice(0, 16));
      const ttlMs = Math.max(1, (expiresAt ?? Infinity) - now());
      return value && { value, ttlMs };
    });
  }
}

/** When the try was made that has to be forgotten before a client may try again; undefined if it may now. */
function lastOfTooMany(
  { tries, known }: Counted,
  client: string,
): number | undefined {
  const own = tries.filter(([by]) => by === client);
  const [, ofClient] = own.at(-PER_CLIENT) ?? [];
  if (ofClient !== undefined || known.includes(client)) return ofClient;
  return tries.at(-PER_SHARE)?.[1];
}
