/** What is noted about an exchange on its way, for whoever accounts for it at the end. */
export interface Trail {
  /** Whether anything was asked that was not at hand; undefined where there was nothing to ask. */
  asked: boolean | undefined;
  /** When it was known which runner to ask, ms since the epoch; undefined where none was. */
  resolvedAt: number | undefined;
  /** Octets of the request's content that went on. */
  receivedBytes: number;
}

/** Begins a trail. */
export function createTrail(): Trail {
  return { asked: undefined, resolvedAt: undefined, receivedBytes: 0 };
}
