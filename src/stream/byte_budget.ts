/**
 * One budget of bytes for all that is buffered for somebody. Each holder says how much it keeps; over the limit, the
 * largest of the client that keeps most has to go at once, and no client may keep more than three quarters: what
 * cannot let go must leave something. So memory has one bound, and whoever keeps little is not hurt by whoever keeps much.
 */
import { LinkedList, type ListNode } from "../lib/linked_list.ts";

/** How much of it one client may keep. */
export const CLIENT_SHARE = 3 / 4;

interface ByteBudgetOptions<Kind extends string> {
  /** The bytes that all holders may keep at once, beyond their allowances. */
  readonly limitBytes: number;
  /** The bytes that every holder may keep whatever the others do, and that are not charged; 0 unless given. */
  readonly allowanceBytes?: number;
  /** Called for each holder that had to go, with the bytes that it kept. */
  readonly onEvicted?: (kind: Kind, bytes: number) => void;
}

interface Ledger extends Required<ByteBudgetOptions<string>> {
  readonly holdings: LinkedList<Holding>;
  /** What is charged for holders of one client, bytes. */
  readonly byClient: Map<string, number>;
  usedBytes: number;
}

export class ByteBudget<Kind extends string = string> {
  readonly #ledger: Ledger;

  constructor(options: ByteBudgetOptions<Kind>) {
    const { limitBytes, allowanceBytes = 0, onEvicted } = options;
    this.#ledger = {
      limitBytes,
      allowanceBytes,
      onEvicted: (kind, bytes) => onEvicted?.(kind as Kind, bytes),
      holdings: new LinkedList(),
      byClient: new Map(),
      usedBytes: 0,
    };
  }

  /** The bytes that are charged: above the limit only as long as holders that had to go cannot let go. */
  get usedBytes(): number {
    return this.#ledger.usedBytes;
  }

  get inUse(): { readonly used: number; readonly limit: number } {
    return { used: this.#ledger.usedBytes, limit: this.#ledger.limitBytes };
  }

  get holders(): number {
    return this.#ledger.holdings.size;
  }

  /** True if half of the budget is free even if so many bytes more are charged: for what is useful, not necessary. */
  hasPlenty(bytes: number): boolean {
    return 2 * (this.#ledger.usedBytes + bytes) <= this.#ledger.limitBytes;
  }

  /**
   * Opens the account of a holder that keeps nothing yet. `evict` lets go of what it keeps, and says so by `add()`,
   * `set()` or `close()`; it is called once at most, within the call that exceeded the budget, and must not throw.
   * Without a client, the holder is one of its own.
   */
  open(kind: Kind, evict: () => void, client?: string): Holding {
    return new Holding(this.#ledger, kind, evict, client);
  }
}

/** The account of one holder. */
export class Holding {
  readonly #ledger: Ledger;
  readonly #kind: string;
  readonly #evict: () => void;
  readonly #client: string | undefined;
  readonly #place: ListNode<Holding>;
  #bytes = 0;
  #isOver = false;
  #isClosed = false;

  constructor(
    ledger: Ledger,
    kind: string,
    evict: () => void,
    client: string | undefined,
  ) {
    this.#client = client;
    this.#ledger = ledger;
    this.#kind = kind;
    this.#evict = evict;
    this.#place = ledger.holdings.add(this);
  }

  /** The bytes that the holder keeps, its allowance included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What is charged for it and all others of its client, bytes. */
  get clientBytes(): number {
    return this.#client === undefined
      ? this.#chargedBytes
      : this.#ledger.byClient.get(this.#client) ?? 0;
  }

  /** True if its client keeps more than anybody may. */
  get isGreedy(): boolean {
    return this.#client !== undefined &&
      this.clientBytes > CLIENT_SHARE * this.#ledger.limitBytes;
  }

  get #chargedBytes(): number {
    return Math.max(0, this.#bytes - this.#ledger.allowanceBytes);
  }

  /** Keeps so many bytes in all; returns as {@linkcode Holding.add} does. */
  set(bytes: number): boolean {
    return this.add(bytes - this.#bytes);
  }

  /**
   * Keeps so many bytes more, or fewer if negative. False if the holder may keep no more, since it was evicted, maybe
   * by this call, or has closed: it must drop what it asked for, which is not counted, nor to be subtracted.
   */
  add(bytes: number): boolean {
    if (this.#isClosed || bytes > 0 && this.#isOver) return false;
    const ledger = this.#ledger;
    this.#count(bytes);
    if (bytes <= 0 || this.#bytes <= ledger.allowanceBytes) return true;
    makeRoom(ledger, this);
    if (!this.#isOver) return true;
    if (!this.#isClosed) this.#count(-bytes);
    return false;
  }

  #count(bytes: number): void {
    const ledger = this.#ledger;
    const before = this.#chargedBytes;
    this.#bytes += bytes;
    const more = this.#chargedBytes - before;
    if (more === 0) return;
    ledger.usedBytes += more;
    if (this.#client === undefined) return;
    const total = this.clientBytes + more;
    if (total > 0) ledger.byClient.set(this.#client, total);
    else ledger.byClient.delete(this.#client);
  }

  /** Has the holder let go of what it keeps; only the first call has an effect, and none once it has closed. */
  evict(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const bytes = this.#bytes;
    this.#ledger.holdings.remove(this.#place);
    this.#evict();
    this.#ledger.onEvicted(this.#kind, bytes);
  }

  /** Keeps nothing any more, whatever is added or set later. */
  close(): void {
    this.#isOver = true;
    this.#isClosed = true;
    this.#ledger.holdings.remove(this.#place);
    this.#count(-this.#bytes);
  }
}

/**
 * Evicts the largest until the budget is kept; if one cannot let go, or has nothing that counts, whoever asks: nobody goes
 * for bytes that stay.
 */
function makeRoom(ledger: Ledger, asking: Holding): void {
  while (ledger.usedBytes > ledger.limitBytes || asking.isGreedy) {
    const holder = largest(ledger);
    if (holder === undefined) return;
    const { usedBytes } = ledger;
    if (holder.bytes > ledger.allowanceBytes) holder.evict();
    if (holder === asking) return;
    if (ledger.usedBytes >= usedBytes) return asking.evict();
  }
}

/** The largest holder of the client with most; of several, the latest. It looks at each, but only if one has to go. */
function largest({ holdings }: Ledger): Holding | undefined {
  let found: Holding | undefined;
  for (const holding of holdings) {
    const more = holding.clientBytes - (found?.clientBytes ?? 0) ||
      holding.bytes - (found?.bytes ?? 0);
    if (more >= 0) found = holding;
  }
  return found;
}
