/** The API's verdict on the gateway's own key. */
import type { paths } from "../../gen/daytona.ts";
import { isPending } from "../lib/cooldown.ts";

/**
 * The path of the operation that probes a key: only a proxy may call it, it changes nothing, and its status tells an
 * unknown key from one of another role.
 */
export const KEY_PROBE_PATH =
  "/preview/{sandboxId}/public" satisfies keyof paths;

/** The path of the operation that probes an organization's key: a proxy may not call it, and its statuses are the same. */
export const ORGANIZATION_KEY_PROBE_PATH =
  "/sandbox/{sandboxIdOrName}/ports/{port}/preview-url" satisfies keyof paths;

/** The API's verdict on a key: `other_role` if it knows the key, but not as its proxy's. */
export type KeyVerdict = "accepted" | "unknown" | "other_role";

/**
 * The verdict on the key that a status of {@linkcode KEY_PROBE_PATH} gives; undefined if it gives none.
 *
 * @example
 * ```ts
 * keyVerdictOf(404); // "accepted": the key is good, and the sandbox unknown
 * keyVerdictOf(502); // undefined
 * ```
 */
export function keyVerdictOf(status: number): KeyVerdict | undefined {
  switch (status) {
    case 200:
    case 201:
    case 404:
      return "accepted";
    case 401:
      return "unknown";
    case 403:
      return "other_role";
    default:
      return undefined;
  }
}

/** Keeps the latest verdict on the gateway's own key. */
export class KeyWatch {
  readonly #now: () => number;
  readonly #onChange: (verdict: KeyVerdict) => void;
  #verdict: KeyVerdict | undefined;
  #wasAccepted = false;
  #checkedAt = -Infinity;

  /** `onChange` is called when the API begins to refuse the key, and when it accepts it after that; `now` is in ms. */
  constructor(now: () => number, onChange: (verdict: KeyVerdict) => void) {
    this.#now = now;
    this.#onChange = onChange;
  }

  /** The latest verdict; undefined if there was none yet. */
  get verdict(): KeyVerdict | undefined {
    return this.#verdict;
  }

  /** True if the key was ever accepted. */
  get wasAccepted(): boolean {
    return this.#wasAccepted;
  }

  /** True if there was a verdict within the last `ms` milliseconds. */
  checkedWithin(ms: number): boolean {
    const until = this.#checkedAt + ms;
    return isPending(until, { now: this.#now(), withinMs: ms });
  }

  /** Records the API's latest verdict. */
  record(verdict: KeyVerdict): void {
    const wasRefused = this.#verdict !== undefined &&
      this.#verdict !== "accepted";
    this.#verdict = verdict;
    this.#checkedAt = this.#now();
    this.#wasAccepted ||= verdict === "accepted";
    if (wasRefused === (verdict === "accepted")) this.#onChange(verdict);
  }
}
