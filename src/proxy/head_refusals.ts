/**
 * Finds out whether the response to a HEAD is a runner's refusal. It has no body to tell by, so the runner is asked once
 * more, for something that has one: what it refuses, it refuses for every path.
 */
import { LRUCache } from "lru-cache";
import type { Destination } from "../resolver/destination.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import { askUpstream } from "./question.ts";
import type { REFUSALS } from "./refusals.ts";

/** The code of a refusal; undefined if the response is no refusal. */
type Code = keyof typeof REFUSALS | undefined;

/** Reads the response to a question, and is done with its body. */
type Read = (
  response: UpstreamResponse,
  sandboxId: string,
  destination: Destination,
) => Promise<Code>;

/** The time that an answer is reused, ms. */
const ANSWER_TTL_MS = 2000;

/** The time that a runner may take to answer, ms. */
const TIMEOUT_MS = 2000;

/** Most sandboxes whose answer is kept. */
const MAX_ANSWERS = 1000;

/** A resource of every daemon; without a daemon's prefix, the app is asked for its start page. */
const VERSION = "/version";

/** Asks runners; it remembers their answers for a moment. */
export class HeadRefusals {
  readonly #upstream: Pick<UpstreamClient, "request">;
  readonly #read: Read;
  readonly #answers: LRUCache<string, { readonly code: Promise<Code> }>;

  constructor(upstream: Pick<UpstreamClient, "request">, read: Read) {
    this.#upstream = upstream;
    this.#read = read;
    this.#answers = new LRUCache({
      max: MAX_ANSWERS,
      ttl: ANSWER_TTL_MS,
      ttlResolution: 0, // holds no timer
    });
  }

  /** The code of the refusal; undefined if the sandbox is not refused, or if that cannot be determined. */
  codeFor(sandboxId: string, destination: Destination): Promise<Code> {
    const known = this.#answers.get(sandboxId);
    if (known !== undefined) return known.code;
    const code = this.#ask(sandboxId, destination);
    this.#answers.set(sandboxId, { code });
    return code;
  }

  async #ask(sandboxId: string, destination: Destination): Promise<Code> {
    const { toolboxPrefix, pathPrefix } = destination;
    const target = toolboxPrefix === undefined
      ? `${pathPrefix}/`
      : toolboxPrefix + VERSION;
    try {
      const response = await askUpstream(this.#upstream, destination, {
        method: "GET",
        target,
        timeoutMs: TIMEOUT_MS,
      });
      return await this.#read(response, sandboxId, destination);
    } catch {
      return undefined;
    }
  }
}
