/** Where a member of a list is; only the list changes it. */
export class ListNode<T> {
  readonly member: T;
  previous: ListNode<T> | undefined;
  next: ListNode<T> | undefined;
  isTaken = true;

  constructor(member: T, previous: ListNode<T> | undefined) {
    this.member = member;
    this.previous = previous;
  }
}

/**
 * A collection that thousands of short-lived members enter and leave each second, in their order. A Set needs new tables
 * again and again, and outgrown ones, which only a full collection of V8's heap frees, keep their members alive.
 */
export class LinkedList<T> {
  #first: ListNode<T> | undefined;
  #last: ListNode<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(member: T): ListNode<T> {
    const node = new ListNode(member, this.#last);
    if (this.#last === undefined) this.#first = node;
    else this.#last.next = node;
    this.#last = node;
    this.#size++;
    return node;
  }

  /** Removes who is at a node of this list; a second call does nothing. */
  remove(node: ListNode<T>): void {
    if (!node.isTaken) return;
    const { previous, next } = node;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    node.previous = node.next = undefined; // who has left keeps nobody alive
    node.isTaken = false;
    this.#size--;
  }

  /** All members, the first one first. The one that was seen last may leave meanwhile; for others to leave, copy it. */
  *[Symbol.iterator](): Generator<T, void> {
    for (const { member } of this.nodes()) yield member;
  }

  /** The nodes of all members, the first one first. */
  *nodes(): Generator<ListNode<T>, void> {
    let node = this.#first;
    while (node !== undefined) {
      const { next } = node;
      yield node;
      node = next;
    }
  }
}
