/**
 * Bounds the memory that nothing but the size of the process shows: Deno reads each message of a client to its end, up
 * to 64 MiB, before anybody sees any of it, and the trailers of a chunked upload, or any upload beside its response,
 * without a limit, and can neither be asked how much that is nor be told to stop. Where the process grows beyond what
 * can be accounted for, such uploads are dropped, and WebSockets if that was in vain: of the client that has most,
 * those that were silent for the shortest time, since a message that fills memory has only just begun; first one, or
 * half of them if memory grows fast, and, if that frees memory, half of them at a time. It is the last resort before
 * the system ends the process.
 */
import { setImmediate } from "node:timers/promises";
import type { Background } from "../../lib/background.ts";
import { LinkedList, type ListNode } from "../../lib/linked_list.ts";

/** A WebSocket whose client may be sending a message, or an upload of which Deno may read more than is used. */
export interface Watched {
  readonly client: string;
  /** Of a WebSocket, what {@linkcode hear} returned when something was heard last. */
  readonly heardAt: number;
  drop(): void;
}

let heard = 0;

/** Numbers what is heard of all WebSockets, in its order: cheaper than a clock. */
export function hear(): number {
  return ++heard;
}

interface MemoryGuardOptions {
  /** What the process takes, except for the memory that JavaScript sees, bytes. */
  readonly nativeBytes: () => number;
  /** How much of that is to be expected now, bytes. */
  readonly expectedBytes: () => number;
  /** Called for each of them that is dropped. */
  readonly onDropped: () => void;
  /** Told of each look, which may fail: the next one follows all the same. */
  readonly background: Pick<Background, "add">;
}

/** Time between two looks, ms: in a tenth of a second, a client nearby sends 100 MB. */
const LOOK_MS = 20;

/** A tunnel that was heard within so many looks has sent too little since to be dropped for it. */
const HEARD_LOOKS = 3;

/** Growth between two looks that leaves no time for dropping one after the other, bytes. */
const FAST_BYTES = 8 * 1024 * 1024;

/** Each growth by as much beyond what is expected costs one, bytes; twice as much, up to a limit, if that freed nothing. */
const STEP_BYTES = 4 * 1024 * 1024;
const MAX_STEP_BYTES = 64 * 1024 * 1024;

/** The least that a WebSocket frees whose client was sending a long message, bytes. */
const FREED_BYTES = 1024 * 1024;

/** From the first drop of uploads on, no WebSocket is dropped for so many looks: what is read of the uploads yet is freed. */
const SPARED_LOOKS = 10;

/** The turns of the event loop within which a dropped WebSocket frees its memory; each may take long amid a flood. */
const TURNS = 5;

/** Watches over the WebSockets and uploads of a process; it must have that process to itself. */
export class MemoryGuard {
  readonly #options: MemoryGuardOptions;
  readonly #tunnels = new LinkedList<Watched>();
  readonly #uploads = new LinkedList<Watched>();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The lowest size since the last look that dropped something, or then, bytes. */
  #seenBytes = Infinity;
  #stepBytes = STEP_BYTES;
  #isLooking = false;
  /** The looks for which WebSockets are spared still. */
  #sparedLooks = 0;
  #lastBytes = Infinity;
  /** What was heard last at each of the last looks, the latest first. */
  #heardAts: number[] = [];

  constructor(options: MemoryGuardOptions) {
    this.#options = options;
  }

  /** Watches a tunnel until the function that is returned is called. */
  watch(tunnel: Watched): () => void {
    return this.#watch(this.#tunnels, tunnel);
  }

  watchUpload(upload: Watched): () => void {
    return this.#watch(this.#uploads, upload);
  }

  #watch(all: LinkedList<Watched>, watched: Watched): () => void {
    const place = all.add(watched);
    const { background } = this.#options;
    const look = () => background.add("watch memory", this.look());
    this.#timer ??= setInterval(look, LOOK_MS);
    return () => {
      all.remove(place);
      if (this.#tunnels.size + this.#uploads.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** Drops what must be dropped now; a timer calls it while anything is watched. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    // To ask thousands of WebSockets instead takes a tenth of a core.
    const lastHeardAt = heard;
    try {
      const bytes = this.#options.nativeBytes();
      this.#seenBytes = Math.min(this.#seenBytes, bytes);
      if (this.#isOver(bytes) && bytes >= this.#seenBytes + this.#stepBytes) {
        const isFast = bytes >= this.#lastBytes + FAST_BYTES;
        this.#seenBytes = await this.#dropSome(bytes, isFast ? 1 / 2 : 0);
      }
      this.#lastBytes = bytes;
      // What is left of the uploads costs no WebSocket either: only further growth does.
      if (this.#sparedLooks > 0 && --this.#sparedLooks === 0) {
        this.#seenBytes = bytes;
      }
    } finally {
      this.#heardAts = [lastHeardAt, ...this.#heardAts].slice(0, HEARD_LOOKS);
      this.#isLooking = false;
    }
  }

  /** The tunnels that have been silent for some looks: whatever another one is sending has only just begun. */
  #silent(): ListNode<Watched>[] {
    const since = this.#heardAts.at(HEARD_LOOKS - 1) ?? -Infinity;
    return [...this.#tunnels.nodes()]
      .filter(({ member }) => member.heardAt <= since);
  }

  #isOver(bytes: number): boolean {
    return bytes > this.#options.expectedBytes();
  }

  /**
   * Drops what is watched as long as that frees memory, and there is too little: at first this share of those of a
   * client, then half of them. Uploads go alone: they free their memory some time later, as their connections close.
   * Returns the size that remains, or the least so far if nothing could be dropped: the next look tries again.
   */
  async #dropSome(before: number, firstShare: number): Promise<number> {
    let bytes = before;
    const hasUploads = this.#uploads.size > 0;
    if (hasUploads && this.#sparedLooks === 0) this.#sparedLooks = SPARED_LOOKS;
    if (!hasUploads && this.#sparedLooks > 0) return this.#seenBytes;
    for (let share = firstShare; this.#isOver(bytes); share = 1 / 2) {
      const chosen = hasUploads
        ? chooseOf([...this.#uploads.nodes()], share)
        : chooseOf(this.#silent(), share);
      // Tunnels may be silent at the next look.
      if (chosen.length === 0) return hasUploads ? bytes : this.#seenBytes;
      for (const place of chosen) {
        (hasUploads ? this.#uploads : this.#tunnels).remove(place);
        place.member.drop();
        this.#options.onDropped();
      }
      for (let turn = 0; turn < TURNS; turn++) await setImmediate();
      const after = this.#options.nativeBytes();
      if (after > bytes - FREED_BYTES) {
        this.#stepBytes = Math.min(2 * this.#stepBytes, MAX_STEP_BYTES);
        return after;
      }
      this.#stepBytes = STEP_BYTES;
      bytes = after;
    }
    return bytes;
  }
}

/** That share of those of the client that has most, at least one: the ones silent for the shortest time. */
function chooseOf(
  all: readonly ListNode<Watched>[],
  share: number,
): ListNode<Watched>[] {
  const byClient = Map.groupBy(all, ({ member }) => member.client);
  const [largest = []] = [...byClient.values()]
    .sort((one, other) => other.length - one.length);
  return largest
    .sort((one, other) => other.member.heardAt - one.member.heardAt)
    .slice(0, Math.max(1, share * largest.length));
}
