/** How much of the limit of all exchanges one sandbox, client or runner may have, unless settings say. */

/** What a page may ask for at once: a browser sends 100 to 128 requests by HTTP/2, and another tab as many. */
const ONE_VISITOR = 200;

/** A part of a limit, for one of those who share it. */
export function partOf(
  limit: number,
  divisor: number,
  most = Infinity,
): number {
  return Math.max(1, Math.min(most, Math.floor(limit / divisor)));
}

/** For a sandbox or a client: an eighth, but enough for one visitor, as far as three of them cannot take all then. */
export function shareOf(total: number): number {
  const visitor = Math.min(ONE_VISITOR, Math.floor((total - 1) / 3));
  return Math.max(visitor, partOf(total, 8, 1000));
}

/** For those who wait to be among the `waiting` of a runner: at most half of what that leaves to others. */
export function queueBeside(waiting: number, total: number): number {
  const most = Math.max(0, Math.floor((total - waiting) / 2));
  return Math.min(most, Math.max(ONE_VISITOR, Math.floor(waiting / 2)));
}
