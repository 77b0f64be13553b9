/**
 * Functions that wait only where they have to: what an async function does, but where all that it needs is at hand, it
 * is over when it returns. An `await` costs a turn of the microtask queue even for what is there already.
 */

/** Such a function under way: yields what it waits for. */
export type Eager<T> = Generator<Promise<unknown>, T, unknown>;

/** The value, waited for if it is a promise; throws what that is rejected with. */
export function* settled<T>(value: T | Promise<T>): Eager<T> {
  return value instanceof Promise ? (yield value) as T : value;
}

/** Runs it to its end: at once where it waits for nothing, in a promise otherwise. Throws, or rejects, as it does. */
export function run<T>(work: Eager<T>): T | Promise<T> {
  const step = work.next();
  return step.done ? step.value : finish(work, step);
}

async function finish<T>(
  work: Eager<T>,
  step: IteratorResult<Promise<unknown>, T>,
): Promise<T> {
  while (!step.done) {
    let resume: () => typeof step;
    try {
      const value = await step.value;
      resume = () => work.next(value);
    } catch (error) {
      resume = () => work.throw(error);
    }
    step = resume();
  }
  return step.value;
}
