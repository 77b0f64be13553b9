/**
 * Finds out what a visitor of a preview would be told now, on nobody's behalf: that is no use of the sandbox, and starts
 * nothing.
 */
import type { PortPolicy } from "../auth/port_policy.ts";
import { isClientGone } from "../downstream/ends.ts";
import { type ErrorCode, ERRORS } from "../error_codes.ts";
import { GatewayError } from "../errors.ts";
import type { AdmittedRequest, Forwarder } from "../proxy/forward.ts";
import type { Destinations } from "../resolver/destination.ts";
import { isAlive, type ProbeClient } from "../resolver/refusals/probe.ts";
import { discardBody } from "../stream/response_body.ts";
import { type SandboxStateParts, withSandboxState } from "./sandbox_state.ts";

/** How long an app may take to answer, ms: what takes longer has reached one, as on a page that waits. */
const PATIENCE_MS = 5000;

const NO_USE = new Headers({ "x-daytona-skip-last-activity-update": "true" });

/** A port of a sandbox, by its id. */
export interface PreviewPort {
  readonly sandboxId: string;
  readonly port: number;
}

/** What a visitor would see. */
export interface PreviewSight {
  /** The sandbox's state in Daytona's words; null if that is not known. */
  readonly state: string | null;
  /** The error code that comes in place of the app's answer; null if the app answers. */
  readonly code: ErrorCode | null;
  readonly retryAfterSec: number | undefined;
}

interface ProbeParts extends SandboxStateParts {
  readonly ports: Pick<PortPolicy, "isOff">;
  readonly forwarder: Pick<Forwarder, "forward">;
  readonly upstream: ProbeClient;
  readonly destinations: Pick<
    Destinations,
    "destinationOf" | "renewDestination"
  >;
}

/** Looks at previews. */
export class PreviewProbe {
  readonly #parts: ProbeParts;

  constructor(parts: ProbeParts) {
    this.#parts = parts;
  }

  /** Asks the app for the head of its start page; of a failure, the sandbox's state may say more. */
  async look({ sandboxId, port }: PreviewPort): Promise<PreviewSight> {
    try {
      if (await this.#parts.ports.isOff(sandboxId, port)) {
        throw new GatewayError("port_off", "For every visitor");
      }
      await this.#ask(sandboxId, port);
      return { state: "started", code: null, retryAfterSec: undefined };
    } catch (error) {
      const failure = await withSandboxState(
        error,
        { sandboxId, sandboxPort: port, isAnonymous: false },
        () => Promise.resolve(false), // nobody reads the reason
        this.#parts,
      );
      if (!(failure instanceof GatewayError)) throw failure;
      const { code, advice: { sandbox } } = failure;
      const { stage, retryAfterSec: usually } = ERRORS[code];
      const told = stage === "booting"
        ? { state: "started" }
        : sandbox ?? await this.#parts.states.stateOf(sandboxId);
      const retryAfterSec = failure.retryAfterSec ?? usually;
      return { state: told?.state ?? null, code, retryAfterSec };
    }
  }

  /** @throws {GatewayError} what comes in place of the app's answer */
  async #ask(sandboxId: string, port: number): Promise<void> {
    const { forwarder, destinations, upstream } = this.#parts;
    const patience = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    // As the app would get it from its own machine.
    const request: AdmittedRequest = {
      id: crypto.randomUUID(),
      method: "HEAD",
      headers: NO_USE,
      body: null,
      contentLength: null,
      appTarget: "/",
      sandboxId,
      sandboxPort: port,
      isAnonymous: false,
      clientAddress: "127.0.0.1",
      dropsAuthorization: true,
      appAddress: undefined,
      forwarded: { host: `localhost:${port}`, proto: "http", for: "127.0.0.1" },
      reply: {
        signal: () => patience.signal,
        mayRead: () => true,
        mayGather: () => true,
      },
      onResolved() {
        timer = setTimeout(() => patience.abort(), PATIENCE_MS);
      },
      progress: { onMiss() {}, onUpload() {} },
    };
    try {
      discardBody((await forwarder.forward(request)).body);
    } catch (error) {
      if (!isClientGone(error)) throw error;
      const destination = await destinations
        .destinationOf(sandboxId, port, () => {}, false);
      if (destination?.livenessTarget === undefined) return;
      if (await isAlive(upstream, destination)) return;
      throw new GatewayError("runner_timeout", "It answers nobody");
    } finally {
      clearTimeout(timer);
    }
  }
}
