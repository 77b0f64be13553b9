/** Calls back after so many ms, unless what it returns is called before. */
export type After = (ms: number, callback: () => void) => () => void;

/** An {@linkcode After} by a timer of the process. */
export function afterTimer(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
