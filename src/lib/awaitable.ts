/** A value that is there, or on its way: who has it at once need not wait for a turn of the event loop. */
export type Awaitable<V> = V | Promise<V>;

/** What comes of a value, at once if it is there; throws, or rejects, as `next` does. */
export function then<V, R>(
  value: Awaitable<V>,
  next: (value: V) => Awaitable<R>,
): Awaitable<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
