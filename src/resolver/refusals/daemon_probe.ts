/**
 * Finds out, by the sandbox's daemon, what a runner's empty 502 means. From outside, a port on which nothing listens
 * looks like a daemon that is down, and like an app that drops the connection; each calls for a different remedy.
 */
import { discardBody, type ResponseBody } from "../../stream/response_body.ts";
import type { UpstreamResponse } from "../../upstream/http1/message.ts";
import { wholeBody } from "../../upstream/http1/whole_body.ts";
import type { App, Destination } from "../destination.ts";
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
      const target = toolboxPrefix + DAEMON_VERSION;
      return await this.#answers(destination, "GET", target) ?? true;
    });
  }

  /** True if something listens on a port of the sandbox; false if that cannot be determined. */
  isListening(
    { sandboxId, sandboxPort: port }: App & { readonly sandboxPort: number },
    destination: Destination,
  ): Promise<boolean> {
    return this.#recent.once(`${sandboxId}:${port}`, async () => {
      const isInUse = await this.#isInUse(port, destination);
      if (isInUse !== undefined) return isInUse;
      // A HEAD asks the app for nothing.
      const target = `${destination.pathPrefix}/`;
      return await this.#answers(destination, "HEAD", target) ?? false;
    });
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
      discardBody(response?.body ?? null);
      return undefined;
    }
    try {
      const { isInUse } = membersOf(await textOf(response.body));
      return typeof isInUse === "boolean" ? isInUse : undefined;
    } catch {
      return undefined;
    }
  }

  /** False if a hop answers for it; undefined if nobody does. */
  async #answers(
    destination: Destination,
    method: "GET" | "HEAD",
    target: string,
  ): Promise<boolean | undefined> {
    const response = await this.#send(destination, method, target);
    if (response === undefined) return undefined;
    discardBody(response.body);
    return !isEmptyBadGateway(response);
  }

  async #send(
    destination: Destination,
    method: "GET" | "HEAD",
    target: string,
  ): Promise<UpstreamResponse | undefined> {
    const probe = { method, target, timeoutMs: TIMEOUT_MS };
    return await sendProbe(this.#upstream, destination, probe)
      .catch(() => undefined);
  }
}

const BODY_TIMEOUT_MS = 1000;

/** The longest answer of a daemon: whoever owns the sandbox may have put anything in the daemon's place. */
const MAX_BODY_BYTES = 4096;

/** The text of a daemon's answer; empty if it is slow or long. */
async function textOf(body: ResponseBody): Promise<string> {
  const whole = await wholeBody(body, BODY_TIMEOUT_MS, MAX_BODY_BYTES);
  if (whole instanceof Uint8Array) return new TextDecoder().decode(whole);
  discardBody(whole);
  return "";
}
