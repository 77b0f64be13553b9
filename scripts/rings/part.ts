/** A part of a check: a task, and why there is one. */
export interface Part {
  /** What is passed to `deno task`: a task, and its arguments. */
  readonly task: readonly string[];
  /** What no other part finds. */
  readonly finds: string;
}

/** The name of a part. */
export function nameOf({ task }: Part): string {
  return task.join(" ");
}

/** Parts that run side by side. */
export type Stage = readonly Part[];
