/** Request ids: short, unique, and cheap enough for every request to get one. */

/** Creates a generator of ids: a random prefix, then a counter in base 36. */
export function createRequestIds(
  random: () => string = () => crypto.randomUUID().slice(0, 8),
): () => string {
  const prefix = random();
  let count = 0;
  return () => `${prefix}-${(++count).toString(36)}`;
}
