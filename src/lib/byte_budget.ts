/**
 * One budget of bytes for everything that is buffered for somebody. Each holder says how much it keeps; over the limit,
 * the largest one has to go, at once. So memory has one bound, not a product of bounds, and whoever keeps little is
 * not hurt by whoever keeps much.
 */

interface Ledger {
  readonly limitBytes: number;
  readonly onEvicted: (kind: string, bytes: number) => void;
  readonly holdings: Set<Holding>;
  usedBytes: number;
}

/** A budget, shared by its holders. */
export class ByteBudget<Kind extends string = string> {
  readonly #ledger: Ledger;

  /** @param onEvicted Called for each holder that had to go, with the bytes that it kept */
  constructor(
    limitBytes: number,
    onEvicted: (kind: Kind, bytes: number) => void = () => {},
  ) {
    this.#ledger = {
      limitBytes,
      onEvicted: (kind, bytes) => onEvicted(kind as Kind, bytes),
      holdings: new Set(),
      usedBytes: 0,
    };
  }

  /** The bytes that may be kept at once. */
  get limitBytes(): number {
    return this.#ledger.limitBytes;
  }

  /** The bytes that are kept: above the limit only as long as holders that had to go cannot let go. */
  get usedBytes(): number {
    return this.#ledger.usedBytes;
  }

  /** True if so many bytes more can be kept, and nobody has to go for them. */
  canTake(bytes: number): boolean {
    return this.#ledger.usedBytes + bytes <= this.#ledger.limitBytes;
  }

  /**
   * Opens the account of a holder that keeps nothing yet.
   *
   * @param evict Lets go of what the holder keeps; called once at most, within the call that exceeded the budget, which
   * may be the holder's own; must not throw
   */
  open(kind: Kind, evict: () => void): Holding {
    return new Holding(this.#ledger, kind, evict);
  }
}

/** The account of one holder. */
export class Holding {
  readonly kind: string;
  readonly #ledger: Ledger;
  readonly #evict: () => void;
  #bytes = 0;
  #isOver = false;

  constructor(ledger: Ledger, kind: string, evict: () => void) {
    this.kind = kind;
    this.#ledger = ledger;
    this.#evict = evict;
    ledger.holdings.add(this);
  }

  /** The bytes that the holder keeps. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps so many bytes in all; returns as {@linkcode Holding.add} does. */
  set(bytes: number): boolean {
    return this.add(bytes - this.#bytes);
  }

  /**
   * Keeps so many bytes more, or fewer if negative. False if the holder may keep no more, since it was evicted, maybe by
   * this call, or has closed: it must drop what it asked for, which is not counted.
   */
  add(bytes: number): boolean {
    const ledger = this.#ledger;
    if (bytes > 0 && this.#isOver) return false;
    this.#bytes += bytes;
    ledger.usedBytes += bytes;
    if (ledger.usedBytes <= ledger.limitBytes || bytes <= 0) return true;
    const asked = this.#bytes;
    makeRoom(ledger, this);
    if (this.#isOver && this.#bytes === asked) this.add(-bytes);
    return !this.#isOver;
  }

  /** Has the holder let go of what it keeps, unless that was called for before. */
  evict(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const bytes = this.#bytes;
    this.#ledger.holdings.delete(this);
    this.#evict();
    this.#ledger.onEvicted(this.kind, bytes);
  }

  /** Keeps nothing any more. */
  close(): void {
    this.#isOver = true;
    this.#ledger.holdings.delete(this);
    this.#ledger.usedBytes -= this.#bytes;
    this.#bytes = 0;
  }
}

/**
 * Evicts the largest holders until the budget is kept. If one cannot let go of anything, the holder that asks has to go
 * instead of the next: nobody is evicted for bytes that stay.
 */
function makeRoom(ledger: Ledger, asking: Holding): void {
  while (ledger.usedBytes > ledger.limitBytes) {
    const holder = largest(ledger);
    if (holder === undefined) return;
    const { bytes } = holder;
    holder.evict();
    if (holder === asking) return;
    if (holder.bytes === bytes) return asking.evict();
  }
}

/** Looks at every holder, which is acceptable because it happens only if one has to go. */
function largest({ holdings }: Ledger): Holding | undefined {
  let found: Holding | undefined;
  for (const holding of holdings) {
    if (found === undefined || holding.bytes > found.bytes) found = holding;
  }
  return found;
}
