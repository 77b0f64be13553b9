/** What `promise` settles with, unless `signal` is aborted before; then rejects with its reason. */
export function within<T>(
  signal: AbortSignal,
  promise: Promise<T>,
): Promise<T> {
  const { promise: overdue, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  return Promise.race([promise, overdue])
    .finally(() => signal.removeEventListener("abort", abort));
}
