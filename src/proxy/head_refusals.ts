/**
 * Finds out whether the response to a HEAD is a runner's refusal. It has no body to tell by, so the runner is asked once
 * more, for something that has one: what it refuses, it refuses for every path.
 */
import type { Destination } from "../resolver/destination.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import { askUpstream } from "./question.ts";
import { RecentAnswers } from "./recent_answers.ts";
import type { REFUSALS } from "./refusals.ts";

/** The code of a refusal; undefined if the response is no refusal. */
type Code = keyof typeof REFUSALS | undefined;

/** Reads the response to a question, and is done with its body. */
type Read = (
  response: UpstreamResponse,
  sandboxId: string,
  destination: Destination,
) => Promise<Code>;

/** The time that a runner may take to answer, ms. */
const TIMEOUT_MS = 2000;

/** A resource of every daemon; without a daemon's prefix, the app is asked for its start page. */
const VERSION = "/version";

/** Asks runners; it remembers their answers for a moment. */
export class HeadRefusals {
  readonly #upstream: Pick<UpstreamClient, "request">;
  readonly #read: Read;
  readonly #answers = new RecentAnswers<Code>();

  constructor(upstream: Pick<UpstreamClient, "request">, read: Read) {
    this.#upstream = upstream;
    this.#read = read;
  }

  /** The code of the refusal; undefined if the sandbox is not refused, or if that cannot be determined. */
  codeFor(sandboxId: string, destination: Destination): Promise<Code> {
    const ask = () => this.#ask(sandboxId, destination);
    return this.#answers.once(sandboxId, ask);
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
