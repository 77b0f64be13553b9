/** Resolves to whether `promise` fulfils within `ms` milliseconds and before `signal` aborts; rejects if `promise` rejects first. */
export async function fulfilsWithin(
  promise: Promise<unknown>,
  ms: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const giveUp = () => late.resolve(false);
  if (signal?.aborted) giveUp();
  signal?.addEventListener("abort", giveUp);
  // Two timers: what has arrived while this thread was too busy to look is processed before the second one.
  let timer = setTimeout(() => timer = setTimeout(giveUp, ms / 2), ms / 2);
  try {
    return await Promise.race([promise.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}
