/** How much of the limit of all exchanges one sandbox, client or runner may have, unless settings say. */

/** The part of a limit that three sandboxes, clients or runners leave to everybody else. */
export const LEFT_TO_OTHERS = 1 / 5;

/** What a page may ask for at once: a browser sends 100 to 128 requests by HTTP/2. */
const PAGE = 128;

/** A page, and what another tab asks for. */
const ONE_VISITOR = 200;

/** A part of a limit, for one of those who share it. */
export function partOf(
  limit: number,
  divisor: number,
  most = Infinity,
): number {
  return Math.max(1, Math.min(most, Math.floor(limit / divisor)));
}

/** For a sandbox or a client: an eighth, but enough for one visitor as far as three of them leave a fifth then. */
export function shareOf(total: number): number {
  const visitor = Math.min(
    ONE_VISITOR,
    Math.floor(total * (1 - LEFT_TO_OTHERS) / 3),
  );
  return Math.max(visitor, partOf(total, 8, 1000));
}

/**
 * How many may wait for a place at one runner where so many have one: all that waits for it is at most two fifths, but a
 * page fits in.
 */
export function queueOfOne(waiting: number, total: number): number {
  return Math.max(PAGE, Math.floor(total * 2 / 5) - waiting);
}

/** How many may wait for a place of their client's: a fifth, but a page fits in. */
export function queueOfClients(total: number): number {
  return Math.max(PAGE, Math.floor(total * LEFT_TO_OTHERS));
}

/** How many may wait for a place at all runners where so many have one: all that waits leaves a fifth to others. */
export function queueOfAll(waiting: number, total: number): number {
  return Math.max(0, Math.floor(total * (1 - LEFT_TO_OTHERS)) - waiting);
}
