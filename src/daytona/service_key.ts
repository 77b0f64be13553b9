/** What the API makes of the gateway's own key. */
import type { paths } from "../../gen/daytona.ts";
import { isPending } from "../lib/is_pending.ts";

/**
 * The operation to try a key with: only a proxy may call it, it changes nothing, and its status tells an unknown key
 * from one of another role.
 */
export const KEY_QUESTION = "/preview/{sandboxId}/public" satisfies keyof paths;

/** What the API makes of a key: `other_role` if it knows the key, but not as its proxy's. */
export type KeyVerdict = "accepted" | "unknown" | "other_role";

/** What the status of {@linkcode KEY_QUESTION} says of the key; undefined if it says nothing. */
export function keyVerdictOn(status: number): KeyVerdict | undefined {
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

/** What is known of the gateway's own key. */
export interface KeyWatch {
  /** Takes the API's latest verdict. */
  note(verdict: KeyVerdict): void;
  /** The latest verdict; undefined if there was none yet. */
  readonly verdict: KeyVerdict | undefined;
  /** Whether the key was ever accepted. */
  readonly wasAccepted: boolean;
  /** Whether there was a verdict within the last `ms` milliseconds. */
  heardWithin(ms: number): boolean;
}

/** Creates a watch; `onChange` is told when the API begins to refuse the key, and when it accepts it after that. */
export function createKeyWatch(options: {
  readonly now: () => number;
  readonly onChange: (verdict: KeyVerdict) => void;
}): KeyWatch {
  const { now, onChange } = options;
  let latest: KeyVerdict | undefined;
  let heardAt = -Infinity;
  let wasAccepted = false;
  return {
    note(verdict) {
      const wasRefused = latest !== undefined && latest !== "accepted";
      latest = verdict;
      heardAt = now();
      wasAccepted ||= verdict === "accepted";
      if (wasRefused === (verdict === "accepted")) onChange(verdict);
    },
    get verdict() {
      return latest;
    },
    get wasAccepted() {
      return wasAccepted;
    },
    heardWithin: (ms) => isPending(heardAt + ms, { now: now(), withinMs: ms }),
  };
}
