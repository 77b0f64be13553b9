/** Where a member of a roster is. */
export class Place<T> {
  readonly member: T;
  /** The places beside it, and whether it is taken, which only the roster changes. */
  previous: Place<T> | undefined;
  next: Place<T> | undefined;
  isTaken = true;

  constructor(member: T, previous: Place<T> | undefined) {
    this.member = member;
    this.previous = previous;
  }
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

  /** Adds a member, and returns where it is. */
  add(member: T): Place<T> {
    const place = new Place(member, this.#last);
    if (this.#last === undefined) this.#first = place;
    else this.#last.next = place;
    this.#last = place;
    this.#size++;
    return place;
  }

  /** Removes who is at a place of this roster; a second call does nothing. */
  remove(place: Place<T>): void {
    if (!place.isTaken) return;
    const { previous, next } = place;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    place.previous = place.next = undefined; // who has left keeps nobody alive
    place.isTaken = false;
    this.#size--;
  }

  /** All members, the first one first. The one that was seen last may leave meanwhile; for others to leave, copy it. */
  *[Symbol.iterator](): Generator<T, void> {
    for (const { member } of this.places()) yield member;
  }

  /** The same, by their places. */
  *places(): Generator<Place<T>, void> {
    let place = this.#first;
    while (place !== undefined) {
      const { next } = place;
      yield place;
      place = next;
    }
  }
}
