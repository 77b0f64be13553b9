/** Tells the refusals of a runner, and of the hops behind it, from what an app answers. */
import { discardBody, type ResponseBody } from "../../stream/response_body.ts";
import type { UpstreamResponse } from "../../upstream/http1/message.ts";
import { wholeBody } from "../../upstream/http1/whole_body.ts";
import type {
  App,
  AppRequest,
  Destination,
  Refusals,
  ResponseHead,
} from "../destination.ts";
import { DaemonProbe } from "./daemon_probe.ts";
import { DAEMON_VERSION, type ProbeClient, sendProbe } from "./probe.ts";
import { RecentAnswers } from "./recent_answers.ts";
import { type Refusal, refusalWith } from "./refusal.ts";
import {
  isEmptyBadGateway,
  isRefusalStatus,
  mayBeRefusal,
  type RefusalCode,
  refusalOf,
  REFUSALS,
} from "./runner_messages.ts";

/** Longest wait for the end of a body that may be a runner's refusal, ms; a slower one is the app's. */
const REFUSAL_TIMEOUT_MS = 1000;

const PROBE_TIMEOUT_MS = 2000;

/** What was read of a response: the code of a refusal, and the body from the beginning. */
interface Read {
  readonly code?: RefusalCode | undefined;
  readonly body?: ResponseBody;
}

/** Judges responses; where they do not tell, it probes the runner, or the sandbox's daemon behind it. */
export class RunnerRefusals implements Refusals {
  readonly #upstream: ProbeClient;
  readonly #codeOf: typeof refusalOf;
  readonly #isStatus: typeof isRefusalStatus;
  readonly #daemons: DaemonProbe;
  /** By sandbox: how it was refused to a probe. */
  readonly #probed = new RecentAnswers<RefusalCode | undefined>();

  /** @param codeOf Reads the code of a refusal, of such a status, from its body; a runner's own unless given. */
  constructor(
    upstream: ProbeClient,
    codeOf = refusalOf,
    isStatus = isRefusalStatus,
  ) {
    this.#upstream = upstream;
    this.#codeOf = codeOf;
    this.#isStatus = isStatus;
    this.#daemons = new DaemonProbe(upstream);
  }

  mayRefuse({ status }: ResponseHead): boolean {
    return this.#isStatus(status);
  }

  async judge(
    response: UpstreamResponse,
    { method, sandboxId, sandboxPort }: AppRequest,
    destination: Destination,
  ): Promise<UpstreamResponse | Refusal> {
    if (isEmptyBadGateway(response)) {
      const isUp = sandboxPort !== "toolbox" &&
        await this.#daemons.isUp(sandboxId, destination);
      const code = isUp ? "port_closed" : "toolbox_unreachable";
      return refusalWith(code, REFUSALS[code]);
    }
    if (!mayBeRefusal(response, this.#isStatus)) return response;
    const { code, body = response.body }: Read = method === "HEAD"
      ? { code: await this.#codeByProbe(sandboxId, destination) }
      : await this.#read(response, sandboxId);
    // Not its own message, which contains the request's path, and which an app could imitate.
    return code === undefined
      ? { ...response, body }
      : refusalWith(code, REFUSALS[code]);
  }

  async judgeHandshake(
    refusal: Refusal,
    { sandboxId, sandboxPort }: App,
    destination: Destination,
  ): Promise<Refusal> {
    if (sandboxPort === "toolbox" || refusal.error.code !== "port_closed") {
      return refusal;
    }
    const app = { sandboxId, sandboxPort };
    if (!await this.#daemons.isListening(app, destination)) return refusal;
    return refusalWith("app_refused_websocket", REFUSALS.app_refused_websocket);
  }

  async #read(
    { status, body: unread }: UpstreamResponse,
    sandboxId: string,
  ): Promise<Read> {
    const body = await wholeBody(unread, REFUSAL_TIMEOUT_MS);
    // A runner writes its refusals in one go.
    if (!(body instanceof Uint8Array)) return { body };
    const text = new TextDecoder().decode(body);
    return { code: this.#codeOf(status, text, sandboxId), body };
  }

  /**
   * The code of a refusal without a body to tell it by, as to a HEAD: what a runner refuses, it refuses for every path, so
   * it is asked for something that has one. Undefined if the sandbox is not refused, or if that cannot be determined.
   */
  #codeByProbe(sandboxId: string, destination: Destination) {
    return this.#probed.once(sandboxId, async () => {
      const { toolboxPrefix, pathPrefix } = destination;
      try {
        const response = await sendProbe(this.#upstream, destination, {
          method: "GET",
          // Without a daemon's prefix, the app is asked for its start page.
          target: toolboxPrefix === undefined
            ? `${pathPrefix}/`
            : toolboxPrefix + DAEMON_VERSION,
          headers: [["x-daytona-skip-last-activity-update", "true"]],
          timeoutMs: PROBE_TIMEOUT_MS,
        });
        const isRead = mayBeRefusal(response, this.#isStatus);
        const { code, body = response.body }: Read = isRead
          ? await this.#read(response, sandboxId)
          : {};
        discardBody(body);
        return code;
      } catch {
        return undefined;
      }
    });
  }
}
