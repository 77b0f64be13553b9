/** A queue in which nobody waits for all that somebody else has in it. */
import { Count } from "./counts.ts";

/** Who waits: a client, for something of a sandbox. */
export interface Waiting {
  readonly sandboxId: string;
  readonly client: string;
}

/** Who waits for a sandbox, by client. */
class OfSandbox<W> {
  size = 0;
  readonly clients = new Map<string, W[]>();
}

/**
 * A queue: sandboxes have their turns, and in that of a sandbox its clients have theirs. Both maps are in the order of
 * turns.
 */
export class FairQueue<W extends Waiting> {
  readonly #sandboxes = new Map<string, OfSandbox<W>>();
  readonly #countOfAll: Count;
  #size = 0;

  /** `countOfAll` counts those in it, and those in other queues that have the same. */
  constructor(countOfAll = new Count()) {
    this.#countOfAll = countOfAll;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds one. If there are more than `limit` then, returns who had to leave, as by {@linkcode removeLast}. */
  add(waiting: W, limit: number): W | undefined {
    const { sandboxId, client } = waiting;
    const ofSandbox = this.#sandboxes.get(sandboxId) ?? new OfSandbox<W>();
    this.#sandboxes.set(sandboxId, ofSandbox);
    const ofClient = ofSandbox.clients.get(client) ?? [];
    ofSandbox.clients.set(client, ofClient);
    ofClient.push(waiting);
    ofSandbox.size++;
    this.#size++;
    this.#countOfAll.increment();
    return this.#size > limit ? this.removeLast(waiting) : undefined;
  }

  /**
   * Takes out, of the sandbox that has most in it, and there of the client that has most, the last one; undefined if
   * nobody is in it. Where others have as many as `newest`, that is its sandbox and client.
   */
  removeLast(newest?: Waiting): W | undefined {
    const { sandboxId = "", client = "" } = newest ?? {};
    const ofSandbox = this.#sandboxes.get(sandboxId) ?? new OfSandbox<W>();
    const sandboxes = this.#sandboxes.values();
    const { clients } = largest(sandboxes, ofSandbox, ({ size }) => size);
    const ofClient = clients.get(client) ?? [];
    const each = clients.values();
    const last = largest(each, ofClient, ({ length }) => length).at(-1);
    if (last !== undefined) this.remove(last);
    return last;
  }

  /** Takes one out of it, if that is in it. */
  remove(waiting: W): void {
    const { sandboxId, client } = waiting;
    const ofSandbox = this.#sandboxes.get(sandboxId);
    const ofClient = ofSandbox?.clients.get(client);
    const at = ofClient?.indexOf(waiting) ?? -1;
    if (ofSandbox === undefined || ofClient === undefined || at < 0) return;
    ofClient.splice(at, 1);
    if (ofClient.length === 0) ofSandbox.clients.delete(client);
    ofSandbox.size--;
    if (ofSandbox.size === 0) this.#sandboxes.delete(sandboxId);
    this.#size--;
    this.#countOfAll.decrement();
  }

  /** Takes out the first one whose turn it is, among the sandboxes that may have one; undefined if there is none. */
  next(mayHave: (sandboxId: string) => boolean): W | undefined {
    for (const [sandboxId, ofSandbox] of this.#sandboxes) {
      if (!mayHave(sandboxId)) continue;
      for (const [client, [first]] of ofSandbox.clients) {
        if (first === undefined) continue; // none is empty
        this.remove(first);
        toEnd(ofSandbox.clients, client);
        toEnd(this.#sandboxes, sandboxId);
        return first;
      }
    }
    return undefined;
  }

  /** Takes out everybody. */
  *drain(): Generator<W, void> {
    for (let next; (next = this.next(() => true)) !== undefined;) yield next;
  }
}

/** The largest; `one` of them, unless another is larger. */
export function largest<V>(
  all: Iterable<V>,
  one: V,
  sizeOf: (it: V) => number,
): V {
  let found = one;
  for (const it of all) if (sizeOf(it) > sizeOf(found)) found = it;
  return found;
}

/** Has a key that is still there be the last one to have its turn. */
function toEnd<V>(map: Map<string, V>, key: string): void {
  const value = map.get(key);
  if (value === undefined) return;
  map.delete(key);
  map.set(key, value);
}
