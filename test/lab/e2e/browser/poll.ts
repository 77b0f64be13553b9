/** Looks again and again, since browsers do not tell of everything. */

/** The time that a page may take to do what is waited for, ms. */
export const PATIENCE_MS = 20_000;

/** Time between two looks, ms. */
const POLL_MS = 30;

/** What a look results in once that is true in some form; its last result after 20 s. */
export async function poll<Result>(
  look: () => Promise<Result>,
): Promise<Result> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const result = await look();
    if (result || performance.now() > deadline) return result;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * The outcome of a promise.
 *
 * @throws {Error} if it takes longer than `ms`.
 */
export async function within<Result>(
  ms: number,
  promise: Promise<Result>,
): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("no answer")), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
