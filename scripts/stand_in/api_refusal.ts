/** What the API answers instead of what it was asked for. */

/** An HTTP error of the API. */
export interface Refusal {
  readonly refused: number;
  readonly message: string;
  /** Newer APIs name some errors. */
  readonly code?: string;
}

/** True if an answer is an error. */
export function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === "object" && answer !== null && "refused" in answer;
}
