/** Freezes a tree of plain objects and arrays in place, and returns it. */
export function deepFreeze<T extends object>(tree: T): T {
  for (const value of Object.values(tree)) {
    if (typeof value === "object" && value !== null) deepFreeze(value);
  }
  return Object.freeze(tree);
}
