/**
 * Finds out, by the sandbox's daemon, what a runner's empty 502 means. From outside, a port on which nothing listens
 * looks like a daemon that is down, and like an app that drops the connection; each calls for a different remedy.
 */
import {
  discardBody,
  type ResponseBody,
  type UpstreamResponse,
} from "../../upstream/http1/message.ts";
import { wholeBody } from "../../upstream/http1/whole_body.ts";
import type { Destination } from "../destination.ts";
import { DAEMON_VERSION, type ProbeClient, sendProbe } from "./probe.ts";
import { RecentAnswers } from "./recent_answers.ts";
import { isEmptyBadGateway, membersOf } from "./runner_messages.ts";

/** The time that a daemon or an app may take to answer, ms. */
const TIMEOUT_MS = 2000;

/** Probes daemons and, about ports that a daemon does not watch, apps; it remembers the answers for a moment. */
export class DaemonProbe {
  readonly #upstream: ProbeClient;
  /** By sandbox, and by port of a sandbox. */
  readonly #recent = new RecentAnswers<boolean>();

  constructor(upstream: ProbeClient) {
    this.#upstream = upstream;
  }

  /** True if the daemon answers, or if that cannot be determined. */
  isUp(sandboxId: string, destination: Destination): Promise<boolean> {
    return this.#recent.once(sandboxId, async () => {
      const { toolboxPrefix } = destination;
      if (toolboxPrefix === undefined) return true;
      const response = await this.#send(
        destination,
        "GET",
        toolboxPrefix + DAEMON_VERSION,
      );
      if (response === undefined) return true;
      discardBody(response.body);
      return !isEmptyBadGateway(response);
    });
  }

  /** True if something listens on a port of the sandbox; false if that cannot be determined. */
  isListening(
    { sandboxId, sandboxPort }: {
      readonly sandboxId: string;
      readonly sandboxPort: number;
    },
    destination: Destination,
  ): Promise<boolean> {
    return this.#recent.once(
      `${sandboxId}:${sandboxPort}`,
      async () =>
        await this.#isInUse(sandboxPort, destination) ??
          await this.#answers(destination),
    );
  }

  /** Whether a port is in use, according to the daemon; undefined if it does not say so: it watches some ports only. */
  async #isInUse(
    port: number,
    destination: Destination,
  ): Promise<boolean | undefined> {
    const { toolboxPrefix } = destination;
    if (toolboxPrefix === undefined) return undefined;
    const target = `${toolboxPrefix}/port/${port}/in-use`;
    const response = await this.#send(destination, "GET", target);
    if (response?.status !== 200) {
      if (response !== undefined) discardBody(response.body);
      return undefined;
    }
    try {
      const { isInUse } = membersOf(await textOf(response.body));
      return typeof isInUse === "boolean" ? isInUse : undefined;
    } catch {
      return undefined;
    }
  }

  /** True if the app answers a request without content, which asks it for nothing. */
  async #answers(destination: Destination): Promise<boolean> {
    const target = `${destination.pathPrefix}/`;
    const response = await this.#send(destination, "HEAD", target);
    if (response === undefined) return false;
    discardBody(response.body);
    return !isEmptyBadGateway(response);
  }

  /** The response to a probe; undefined if there is none. */
  async #send(
    destination: Destination,
    method: "GET" | "HEAD",
    target: string,
  ): Promise<UpstreamResponse | undefined> {
    const probe = { method, target, timeoutMs: TIMEOUT_MS };
    try {
      return await sendProbe(this.#upstream, destination, probe);
    } catch {
      return undefined;
    }
  }
}

/** Longest wait for the end of a daemon's answer, ms. */
const BODY_TIMEOUT_MS = 1000;

/** The longest answer of a daemon: whoever owns the sandbox may have put anything in the daemon's place. */
const MAX_BODY_BYTES = 4096;

/** The text of a daemon's answer; empty if it is slow or long. */
async function textOf(body: ResponseBody): Promise<string> {
  if (body === null) return "";
  const bytes = body instanceof Uint8Array
    ? body
    : await wholeBody(body, BODY_TIMEOUT_MS, MAX_BODY_BYTES);
  if (bytes instanceof Uint8Array) return new TextDecoder().decode(bytes);
  bytes.cancel();
  return "";
}
