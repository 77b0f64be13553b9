/** Notices that an upstream answers nobody, by those who wait for it and by probes. */
import { UpstreamError } from "../upstream/upstream_error.ts";

/** An upstream is suspected if it has answered nobody for so long, ms, while so many wait for nothing else. */
const SILENCE_MS = 10_000;
const MIN_UNANSWERED = 8;

/** How long after the last exchange for it an unresponsive upstream is still probed, ms. */
const FORGET_MS = 60_000;

interface LivenessOptions {
  /** Milliseconds; a clock that somebody sets costs a probe. */
  readonly now: () => number;
  /** True if the upstream answers, with whatever. It must not reject, and resolve within 5 s. */
  readonly probe: () => Promise<boolean>;
  /** Called when the upstream becomes unresponsive, and when it answers again. */
  readonly onChange: () => void;
}

/** What is known of one upstream. */
export class Liveness {
  readonly #options: LivenessOptions;
  /** The exchanges that wait for a response, and need no more of their client's body. */
  #unanswered = 0;
  /** Since when these have waited without anybody being answered. */
  #silentSince = 0;
  #isUnresponsive = false;
  /** When an exchange was last refused for that. */
  #wantedAt = 0;
  /** Pending while it is probed, unless somebody is answered first. */
  #verdict: PromiseWithResolvers<void> | undefined;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  /** True from a failed probe until it answers anybody. */
  get isUnresponsive(): boolean {
    return this.#isUnresponsive;
  }

  get isSuspected(): boolean {
    return !this.#isUnresponsive && this.#unanswered >= MIN_UNANSWERED &&
      this.silentMs >= SILENCE_MS;
  }

  get isProbed(): boolean {
    return this.#verdict !== undefined;
  }

  /** True if somebody wanted it lately, though it is unresponsive. */
  get isWanted(): boolean {
    return this.#wantedAt > this.#options.now() - FORGET_MS;
  }

  /** For how long it has answered nobody, though somebody waits, ms. */
  get silentMs(): number {
    return this.#unanswered === 0 ? 0 : this.#options.now() - this.#silentSince;
  }

  /** Notes that one more waits for nothing but an answer. */
  await(): void {
    if (this.#unanswered++ === 0) this.#silentSince = this.#options.now();
  }

  /** Notes that one of these waits no longer. */
  end(): void {
    this.#unanswered--;
  }

  /** Notes that it has answered somebody. */
  hear(): void {
    this.#silentSince = this.#options.now();
    this.#verdict?.resolve();
    if (!this.#isUnresponsive) return;
    this.#isUnresponsive = false;
    this.#options.onChange();
  }

  /** What whoever wants it is told while it is unresponsive. */
  refusal(): UpstreamError {
    this.#wantedAt = this.#options.now();
    return new UpstreamError("unresponsive", "it answers nobody, nor a probe");
  }

  /** Resolves once it is known whether it answers; one probe at a time. */
  probe(): Promise<void> {
    if (this.#verdict === undefined) {
      this.#verdict = Promise.withResolvers();
      this.#judge(this.#verdict);
    }
    return this.#verdict.promise;
  }

  async #judge(verdict: PromiseWithResolvers<void>): Promise<void> {
    const silentSince = this.#silentSince;
    if (await this.#options.probe()) this.hear();
    else if (!this.#isUnresponsive && this.#silentSince === silentSince) {
      this.#isUnresponsive = true;
      this.#wantedAt = this.#options.now();
      this.#options.onChange();
    }
    this.#verdict = undefined;
    verdict.resolve();
  }
}
