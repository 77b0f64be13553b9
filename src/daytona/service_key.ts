/** The API's verdict on the gateway's own key. */
import type { paths } from "../../gen/daytona.ts";
import { isPending } from "../lib/cooldown.ts";

/** The path of what probes a key: only a proxy may ask, and the status tells an unknown key from one of another role. */
export const KEY_PROBE_PATH =
  "/preview/{sandboxId}/public" satisfies keyof paths;

/** The path of what probes an organization's key: a proxy may not ask, and the statuses are the same. */
export const ORGANIZATION_KEY_PROBE_PATH =
  "/sandbox/{sandboxIdOrName}/ports/{port}/preview-url" satisfies keyof paths;

/** `other_role` if the API knows the key, but not as its proxy's. */
export type KeyVerdict = "accepted" | "unknown" | "other_role";

/** The verdict on the key that a status of {@linkcode KEY_PROBE_PATH} gives; undefined if it gives none. */
export function keyVerdictOf(status: number): KeyVerdict | undefined {
  if (status === 200 || status === 201 || status === 404) return "accepted";
  if (status === 401) return "unknown";
  return status === 403 ? "other_role" : undefined;
}

export class KeyWatch {
  readonly #now: () => number;
  readonly #onChange: (verdict: KeyVerdict) => void;
  verdict: KeyVerdict | undefined;
  wasAccepted = false;
  #checkedAt = -Infinity;

  /** `onChange` is called when the API begins to refuse the key, and when it accepts it after that; `now` is in ms. */
  constructor(now: () => number, onChange: (verdict: KeyVerdict) => void) {
    this.#now = now;
    this.#onChange = onChange;
  }

  /** True if there was a verdict within the last `ms` milliseconds. */
  checkedWithin(ms: number): boolean {
    const now = this.#now();
    return isPending(this.#checkedAt + ms, { now, withinMs: ms });
  }

  record(verdict: KeyVerdict): void {
    const wasRefused = (this.verdict ?? "accepted") !== "accepted";
    this.verdict = verdict;
    this.#checkedAt = this.#now();
    this.wasAccepted ||= verdict === "accepted";
    if (wasRefused === (verdict === "accepted")) this.#onChange(verdict);
  }
}
