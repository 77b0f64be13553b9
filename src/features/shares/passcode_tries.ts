/**
 * How often a share's passcode may be tried. Tries are counted before they are judged, in the database of records, by
 * compare-and-write: so those that are made at once, or at several gateways, are no more either. Where many clients fail,
 * only who has never opened the share has to wait: nobody can lock out those who have.
 */
import type { StoreKey } from "../../cache/store.ts";
import { clientKey } from "../../lib/client_key.ts";
import type { RecordValues } from "../../records/record_values.ts";
import type { StoredRecord } from "../../records/stored_record.ts";
import type { ShareSecrets } from "./share_secrets.ts";

/** The time for which a try counts, ms. */
const WINDOW_MS = 15 * 60_000;

/** Most that fail in that time, of one client's network, and of all for one share. */
const PER_CLIENT = 10;
const PER_SHARE = 50;

/** Most clients of a share that are remembered to have opened it: the latest. */
const MAX_KNOWN = 100;

/** Of one share; clients by keyed hashes. */
interface Counted {
  /** The oldest first; `at` is in ms since the epoch. */
  readonly tries: readonly (readonly [client: string, at: number])[];
  readonly known: readonly string[];
}

const NOTHING: Counted = { tries: [], known: [] };

type Share = Pick<StoredRecord, "id" | "expiresAt">;

interface PasscodeTriesOptions {
  readonly values: Pick<RecordValues, "read" | "write">;
  readonly secrets: Pick<ShareSecrets, "hashOf">;
  readonly now: () => number;
}

/** Counts tries. Its methods throw `records_unavailable`. */
export class PasscodeTries {
  readonly #options: PasscodeTriesOptions;

  constructor(options: PasscodeTriesOptions) {
    this.#options = options;
  }

  /** Counts a try; the time until there can be another one, in ms, if none is left. */
  async take(share: Share, clientAddress: string): Promise<number | undefined> {
    const client = this.#nameOf(share, clientAddress);
    const now = this.#options.now();
    let waitMs: number | undefined;
    await this.#change(share, (counted) => {
      const since = lastOfTooMany(counted, client);
      waitMs = since && since + WINDOW_MS - now;
      if (waitMs !== undefined) return undefined;
      return { ...counted, tries: [...counted.tries, [client, now]] };
    });
    return waitMs;
  }

  /** Takes a try back that was right. */
  async giveBack(share: Share, clientAddress: string): Promise<void> {
    const client = this.#nameOf(share, clientAddress);
    await this.#change(share, ({ tries, known }) => {
      const own = tries.findLastIndex(([by]) => by === client);
      const others = known.filter((each) => each !== client);
      return {
        tries: tries.filter((_, i) => i !== own),
        known: [...others, client].slice(-MAX_KNOWN),
      };
    });
  }

  async #change(
    { id, expiresAt }: Share,
    change: (counted: Counted) => Counted | undefined,
  ): Promise<void> {
    const { values, now } = this.#options;
    const key: StoreKey = ["share-tries", id];
    for (;;) {
      const { text, version } = await values.read(key) ?? {};
      const stored: Counted = text === undefined ? NOTHING : JSON.parse(text);
      const tries = stored.tries.filter(([, at]) => at > now() - WINDOW_MS);
      const next = change({ ...stored, tries });
      if (next === undefined) return;
      const ttlMs = Math.max(1, (expiresAt ?? Infinity) - now());
      const write = { key, version, text: JSON.stringify(next), ttlMs };
      if (await values.write(write) !== undefined) return;
    }
  }

  #nameOf({ id }: Share, clientAddress: string): string {
    const { secrets } = this.#options;
    return secrets.hashOf("client", id, clientKey(clientAddress)).slice(0, 16);
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
  const [, ofShare] = tries.at(-PER_SHARE) ?? [];
  return ofShare;
}
