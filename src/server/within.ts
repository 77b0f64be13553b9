/** Resolves when `work` does, but no later than after `ms` milliseconds. */
export async function within(ms: number, work: Promise<void>): Promise<void> {
  const { promise: overdue, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, overdue]);
  clearTimeout(timer);
}
