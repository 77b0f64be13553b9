/** Request ids: short, unique, and cheap enough to give one to every request. */

/** Returns ids that start with a random part of this process and count up. */
export function createRequestIds(
  random: () => string = () => crypto.randomUUID().slice(0, 8),
): () => string {
  const prefix = random();
  let count = 0;
  return () => `${prefix}-${(++count).toString(36)}`;
}
