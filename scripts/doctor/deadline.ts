/** Settles as `promise` does, unless `signal` is aborted first: then rejects with its reason. */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  return Promise.race([promise, aborted])
    .finally(() => signal.removeEventListener("abort", abort));
}
