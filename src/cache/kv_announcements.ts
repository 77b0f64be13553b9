/** Short messages to every process that shares a KV database: the latest ones are in one value, which each watches. */
import { z } from "zod";
import { backoffMs, type Sleep, sleep as realSleep } from "../lib/backoff.ts";
import { fulfilsWithin } from "../lib/fulfils_within.ts";
import { parseJson } from "../lib/parse_json.ts";
import type { KvDatabase, KvValue } from "./kv_database.ts";
import { untilWritten } from "./until_written.ts";

const KEY = ["porthole", "announcements"];

/** Time for which a message is kept, ms: a watcher may be late, or just be starting. */
const KEPT_MS = 60_000;

/** Their value must stay below 64 KiB. */
const MAX_KEPT = 100;

/** Time after which nobody waits for a write any more, ms: a call of a remote database can hang forever. */
const HUNG_MS = 1_000;

/** Pauses before the value is watched again after that has failed: a service may not support it. */
const BACKOFF = { baseMs: 1_000, maxMs: 120_000 };

const announcement = z.object({
  id: z.string(),
  /** Milliseconds since the epoch. */
  at: z.number(),
  message: z.string(),
});

type Announcement = z.output<typeof announcement>;

interface KvAnnouncementsOptions {
  /** Rejects if it cannot be opened. */
  readonly database: () => Promise<Omit<KvDatabase, "getMany" | "close">>;
  readonly now: () => number;
  readonly sleep?: Sleep;
}

export class KvAnnouncements {
  readonly #options: KvAnnouncementsOptions;
  readonly #closing = new AbortController();
  /** The ids of the messages in the value as it was seen last. */
  #seen: ReadonlySet<string> = new Set();
  /** What waits for the write that is under way. */
  #next: { added: Announcement[]; written: Promise<void> } | undefined;
  /** The end of the last write that was prepared; never rejects. */
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(options: KvAnnouncementsOptions) {
    this.#options = options;
  }

  /** Adds a message, with the others that come until it is written; rejects as the database does. */
  announce(message: string): Promise<void> {
    const next = this.#next ??= this.#prepareWrite();
    const at = this.#options.now();
    next.added.push({ id: crypto.randomUUID(), at, message });
    return next.written;
  }

  /** One write at a time, unless it hangs: each would have all others tried again. */
  #prepareWrite() {
    const added: Announcement[] = [];
    const turn = fulfilsWithin(this.#lastWrite, HUNG_MS);
    const written = turn.then(() => {
      this.#next = undefined;
      return this.#write(added);
    });
    this.#lastWrite = written.catch(() => {});
    return { added, written };
  }

  async #write(added: readonly Announcement[]): Promise<void> {
    const { database, now } = this.#options;
    const kv = await database();
    await untilWritten(async () => {
      const { value, versionstamp } = await kv.get(KEY);
      const kept = [...announcementsIn(value), ...added]
        .filter(({ at }) => at > now() - KEPT_MS)
        .slice(-MAX_KEPT);
      const json = new TextEncoder().encode(JSON.stringify(kept));
      const { ok } = await kv.atomic()
        .check({ key: KEY, versionstamp })
        .set(KEY, json, { expireIn: KEPT_MS })
        .commit();
      return ok || undefined;
    });
  }

  /** Calls back with each message, those of the last minute included, until it is closed; never rejects. */
  async listen(onMessage: (message: string) => void): Promise<void> {
    const { signal } = this.#closing;
    const { sleep = realSleep } = this.#options;
    let failed = 0;
    while (!signal.aborted) {
      try {
        await this.#watch((news) => {
          failed = 0;
          for (const message of news) onMessage(message);
        });
      } catch {
        // Announcements are hints, and the operations of the store report what is wrong with it.
      }
      await sleep(backoffMs(++failed, BACKOFF), signal).catch(() => {});
    }
  }

  close(): void {
    this.#closing.abort();
  }

  /** Calls back with what is new in the value, at first and whenever it has changed, until the watch ends. */
  async #watch(onValue: (news: readonly string[]) => void): Promise<void> {
    const kv = await this.#options.database();
    const { signal } = this.#closing;
    if (signal.aborted) return;
    const values = new WritableStream<KvValue[]>({
      write: ([changed]) => {
        const latest = announcementsIn(changed?.value);
        const news = latest.filter(({ id }) => !this.#seen.has(id));
        this.#seen = new Set(latest.map(({ id }) => id));
        onValue(news.map(({ message }) => message));
      },
    });
    await kv.watch([KEY]).pipeTo(values, { signal });
  }
}

/** What a stored value holds; nothing if it is none of ours. */
function announcementsIn(value: unknown): readonly Announcement[] {
  if (!(value instanceof Uint8Array)) return [];
  const parsed = parseJson(new TextDecoder().decode(value));
  return Array.isArray(parsed)
    ? parsed.flatMap((each) => announcement.safeParse(each).data ?? [])
    : [];
}
