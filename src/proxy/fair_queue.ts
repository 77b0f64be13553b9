/** A queue in which nobody waits for all that somebody else has in it. */
import { Count } from "./counts.ts";

/** Who waits, and with whom: as a client waits for something of a sandbox. */
export interface Waiting {
  readonly group: string;
  readonly member: string;
}

/** Who waits in a group, by member. */
class Group<W> {
  size = 0;
  readonly members = new Map<string, W[]>();
}

/** A queue: groups have their turns, and in that of a group its members have theirs. Both maps are in the order of turns. */
export class FairQueue<W extends Waiting> {
  readonly #groups = new Map<string, Group<W>>();
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
    const { group, member } = waiting;
    const ofGroup = this.#groups.get(group) ?? new Group<W>();
    this.#groups.set(group, ofGroup);
    const ofMember = ofGroup.members.get(member) ?? [];
    ofGroup.members.set(member, ofMember);
    ofMember.push(waiting);
    ofGroup.size++;
    this.#size++;
    this.#countOfAll.increment();
    return this.#size > limit ? this.removeLast(waiting) : undefined;
  }

  /**
   * Takes out, of the group that has most in it, and there of the member that has most, the last one; undefined if
   * nobody is in it. Where others have as many as `newest`, that is its group and member.
   */
  removeLast(newest?: Waiting): W | undefined {
    const { group = "", member = "" } = newest ?? {};
    const ofGroup = this.#groups.get(group) ?? new Group<W>();
    const groups = this.#groups.values();
    const { members } = largest(groups, ofGroup, ({ size }) => size);
    const ofMember = members.get(member) ?? [];
    const each = members.values();
    const last = largest(each, ofMember, ({ length }) => length).at(-1);
    if (last !== undefined) this.remove(last);
    return last;
  }

  /** Takes one out of it, if that is in it. */
  remove(waiting: W): void {
    const { group, member } = waiting;
    const ofGroup = this.#groups.get(group);
    const ofMember = ofGroup?.members.get(member);
    const at = ofMember?.indexOf(waiting) ?? -1;
    if (ofGroup === undefined || ofMember === undefined || at < 0) return;
    ofMember.splice(at, 1);
    if (ofMember.length === 0) ofGroup.members.delete(member);
    ofGroup.size--;
    if (ofGroup.size === 0) this.#groups.delete(group);
    this.#size--;
    this.#countOfAll.decrement();
  }

  /** Takes out the first one whose turn it is, among the groups that may have one; undefined if there is none. */
  next(mayHave: (group: string) => boolean): W | undefined {
    for (const group of this.#groups.keys()) {
      if (mayHave(group)) return this.nextOf(group); // none is empty
    }
    return undefined;
  }

  /** Takes out the first one of a group whose turn it is; undefined if nobody of that is in it. */
  nextOf(group: string): W | undefined {
    const { members } = this.#groups.get(group) ?? new Group<W>();
    for (const [member, [first]] of members) {
      if (first === undefined) continue; // none is empty
      this.remove(first);
      toEnd(members, member);
      toEnd(this.#groups, group);
      return first;
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
