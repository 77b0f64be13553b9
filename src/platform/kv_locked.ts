/**
 * Deno 2.9.6: a KV file is for one process. Another that has it open makes operations fail after up to 5 s with a
 * `TypeError` that says "database is locked", SQLite's own words, and has no code (denoland/deno#20116 was about a
 * panic in that case).
 *
 * Instead, the text is recognised, so that the operator is told what to do about it.
 */

/** True if an operation on a KV database failed because another process uses its file. */
export function isLocked(error: unknown): boolean {
  return /database is locked/.test(String(error));
}
