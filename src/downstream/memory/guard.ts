/**
 * Bounds the memory that nothing but the size of the process shows: Deno reads each message of a client to its end, up
 * to 64 MiB, before anybody sees any of it, and the trailers and chunk extensions of an upload, or any upload beside its
 * response, without a limit, and can neither be asked how much that is nor be told to stop. Where the process grows
 * beyond what can be accounted for, all such uploads are dropped, of which few are sent at a time, and a share of the
 * WebSockets, as large as the part of the spare memory that is used up: of those silent for a second, and of the clients
 * that have most first. It is the last resort before the system ends the process.
 */
import type { Background } from "../../lib/background.ts";
import { LinkedList, type ListNode } from "../../lib/linked_list.ts";

/** A WebSocket whose client may be sending a message, or an upload of which Deno may read more than is used. */
export interface Watched {
  readonly isUpload: boolean;
  readonly client: string;
  /** What {@linkcode hear} returned when a message was heard last; 0 if none was, as always of an upload. */
  readonly heardAt: number;
  drop(): void;
}

let heard = 0;

/** Numbers what is heard of all WebSockets, in its order: cheaper than a clock. */
export function hear(): number {
  return ++heard;
}

interface MemoryGuardOptions {
  /** How much more the process takes than is to be expected, bytes; below 0 if less. */
  readonly overBytes: () => number;
  /** How much more it may take before it is in danger, bytes; below 0 if it is. */
  readonly spareBytes: () => number;
  /** Whether it takes all that there is. */
  readonly isFull: () => boolean;
  readonly onDropped: () => void;
  /** Told of a look that fails: the next one follows all the same. */
  readonly background: Pick<Background, "add">;
}

/** Time between two looks, ms: in a tenth of a second, a client nearby sends 100 MB. */
const LOOK_MS = 20;

/** A WebSocket heard within so many looks, a second, is not dropped; if memory is full, within so many. */
const HEARD_LOOKS = 50;
const HEARD_LOOKS_IF_FULL = 3;

/** Each growth by as much beyond what is expected costs some, bytes: what they had is freed a little later. */
const STEP_BYTES = 4 * 1024 * 1024;

/**
 * The least part that is dropped at a time of WebSockets that are not among the first few of their client. Of those that
 * are, it is the square of the share: innocent ones are among them, and there may be another reason.
 */
const MIN_SHARE_OF_MANY = 1 / 4;

/** For so many looks after a drop, ten seconds, a client may open none if it has more than a few. */
const SHORT_LOOKS = 500;
const FEW = 4;

/** Watches over the WebSockets and uploads of a process; it must have that process to itself. */
export class MemoryGuard {
  readonly #options: MemoryGuardOptions;
  readonly #all = new LinkedList<Watched>();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The lowest excess since the last look that dropped something, or then, bytes. */
  #lowestBytes = Infinity;
  #lastBytes = Infinity;
  #shortLooks = 0;
  /** What was heard last at each of the last looks, the latest first. */
  readonly #heardAts: number[] = [];

  constructor(options: MemoryGuardOptions) {
    this.#options = options;
  }

  /** Watches a WebSocket or an upload until the function that is returned is called. */
  watch(watched: Watched): () => void {
    const place = this.#all.add(watched);
    const { background } = this.#options;
    const look = () =>
      background.add("watch memory", Promise.try(() => this.look()));
    this.#timer ??= setInterval(look, LOOK_MS);
    return () => {
      this.#all.remove(place);
      if (this.#all.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** How many a client may have to open another one: if some were dropped a moment ago, few. */
  get mostPerClient(): number {
    return this.#shortLooks > 0 ? FEW : Infinity;
  }

  /** Drops what must be dropped now; a timer calls it while anything is watched. */
  look(): void {
    const over = this.#options.overBytes();
    const grown = Math.max(0, over - this.#lastBytes);
    this.#lastBytes = over;
    this.#shortLooks = Math.max(0, this.#shortLooks - 1);
    this.#lowestBytes = Math.min(this.#lowestBytes, over);
    if (over > 0 && over >= this.#lowestBytes + STEP_BYTES) {
      // The part of what could be taken beyond what is expected that will be at the next look.
      const spare = Math.max(0, this.#options.spareBytes() - grown);
      // Those that are heard all the time may be silent at the next look.
      if (this.#drop(over / (over + spare))) this.#lowestBytes = over;
    }
    // To ask thousands of WebSockets instead takes a tenth of a core.
    this.#heardAts.unshift(heard);
    this.#heardAts.length = Math.min(this.#heardAts.length, HEARD_LOOKS);
  }

  /** Drops this share of those that are silent; false if none is. */
  #drop(share: number): boolean {
    const looks = this.#options.isFull() ? HEARD_LOOKS_IF_FULL : HEARD_LOOKS;
    const since = this.#heardAts.at(looks - 1) ?? 0;
    const silent = [...this.#all.nodes()]
      .filter(({ member }) => member.heardAt <= since);
    const { uploads = [], many = [], tunnels = [] } = Object.groupBy(
      inTurn(silent),
      ({ rank, place: { member } }) =>
        member.isUpload ? "uploads" : rank > FEW ? "many" : "tunnels",
    );
    const ofMany = Math.max(share, MIN_SHARE_OF_MANY);
    const chosen = [
      ...uploads,
      ...many.slice(0, Math.ceil(ofMany * many.length)),
      ...tunnels.slice(0, Math.floor(share ** 2 * tunnels.length)),
    ];
    for (const { place } of chosen) {
      this.#shortLooks = SHORT_LOOKS;
      this.#all.remove(place);
      place.member.drop();
      this.#options.onDropped();
    }
    return chosen.length > 0;
  }
}

/**
 * The order in which whoever has most by then loses one. Which of its own is left to chance, as no order has those that
 * hold most; of several such clients, the one whose is the latest: innocent ones were there before.
 * Each has a rank: how many of its client come after it, and itself.
 */
function inTurn(all: readonly ListNode<Watched>[]) {
  const counts = new Map<string, number>();
  return all.map((place, at) => ({ place, at, chance: Math.random() }))
    .sort((a, b) => a.chance - b.chance)
    .map(({ place, at }) => {
      const { client } = place.member;
      const rank = (counts.get(client) ?? 0) + 1;
      counts.set(client, rank);
      return { place, at, rank };
    })
    .sort((a, b) => b.rank - a.rank || b.at - a.at);
}
