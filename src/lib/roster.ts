/** A place in a roster. */
interface Place<T> {
  readonly member: T;
  previous: Place<T> | undefined;
  next: Place<T> | undefined;
}

/**
 * A collection that thousands of short-lived members enter and leave each second, in the order in which they came. A Set
 * needs a new table again and again, and the outgrown ones, which only a full collection of V8's heap frees, keep all
 * members alive that were in them.
 */
export class Roster<T> {
  #first: Place<T> | undefined;
  #last: Place<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a member; the returned function, which is idempotent, removes it. */
  add(member: T): () => void {
    const place: Place<T> = { member, previous: this.#last, next: undefined };
    if (this.#last === undefined) this.#first = place;
    else this.#last.next = place;
    this.#last = place;
    this.#size++;
    let isIn = true;
    return () => {
      if (isIn) this.#remove(place);
      isIn = false;
    };
  }

  #remove(place: Place<T>): void {
    const { previous, next } = place;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    place.previous = place.next = undefined; // who has left keeps nobody alive
    this.#size--;
  }

  /** All members, the first one first. The one that was seen last may leave meanwhile; for others to leave, copy it. */
  *[Symbol.iterator](): Generator<T, void> {
    let place = this.#first;
    while (place !== undefined) {
      const { member, next } = place;
      yield member;
      place = next;
    }
  }
}
