/**
 * Makes opening handshakes in a form that the app accepts (see app_origin.ts), and remembers that form, so that the app
 * sees one handshake from then on.
 */
import { LRUCache } from "lru-cache";
import { GatewayError } from "../errors.ts";
import type { SandboxPort } from "../resolver/destination.ts";
import { discardBody } from "../upstream/http1/message.ts";
import { UpstreamError } from "../upstream/upstream_error.ts";
import type { OpenResult } from "../upstream/websocket/handshake.ts";
import type { AddressForm, HandshakeForm } from "./app_origin.ts";

/** The time that a form is remembered, ms: for a day's work on an app. */
const MEMORY_MS = 24 * 60 * 60 * 1000;

/** What listens on a port of a sandbox. */
export interface App {
  readonly sandboxId: string;
  readonly sandboxPort: SandboxPort;
}

/** Options of {@linkcode HandshakeForms}. */
export interface HandshakeFormsOptions {
  /** Most apps of which the form is remembered: the latest ones. */
  readonly maxApps: number;
  /** Milliseconds. */
  readonly now: () => number;
}

/** Makes handshakes, and remembers which form an app accepted last. */
export class HandshakeForms {
  readonly #accepted: LRUCache<string, AddressForm>;

  constructor({ maxApps, now }: HandshakeFormsOptions) {
    this.#accepted = new LRUCache({
      max: maxApps,
      ttl: MEMORY_MS,
      ttlResolution: 0, // holds no timer
      perf: { now },
    });
  }

  /**
   * Makes a handshake by `offer`. If either form will do, the one that the app accepted last comes first, local unless
   * known. If it is refused in a way that may be about origins, the other one follows; also if the app has accepted the
   * first before: another app may listen on the port by now, or the same may judge by path. Of two refusals, that of
   * what the client sent counts.
   *
   * @throws what `offer` throws in the form that counts
   */
  async open(
    app: App,
    form: HandshakeForm,
    offer: (form: AddressForm) => Promise<OpenResult>,
  ): Promise<OpenResult> {
    if (form !== "either") return await offer(form);
    const key = `${app.sandboxId}:${app.sandboxPort}`;
    const first = this.#accepted.get(key) ?? "local";
    const earlier = await outcomeOf(offer(first));
    if (earlier.kind === "open") this.#accepted.set(key, first);
    if (!mayDislikeOrigin(earlier)) return resultOf(earlier);
    const second = first === "local" ? "public" : "local";
    const later = await outcomeOf(offer(second));
    if (later.kind === "open") this.#accepted.set(key, second);
    const isLaterAnswer = later.kind === "open" || second === "public";
    const [answer, other] = isLaterAnswer ? [later, earlier] : [earlier, later];
    if (other.kind === "refused") discardBody(other.response.body);
    return resultOf(answer);
  }
}

/** The result of one handshake, or its failure. */
type Outcome = OpenResult | {
  readonly kind: "failed";
  readonly error: unknown;
};

async function outcomeOf(offered: Promise<OpenResult>): Promise<Outcome> {
  try {
    return await offered;
  } catch (error) {
    return { kind: "failed", error };
  }
}

function resultOf(outcome: Outcome): OpenResult {
  if (outcome.kind === "failed") throw outcome.error;
  return outcome;
}

/**
 * True if the app may have refused a handshake for its origin. A 401 may mean that too, as package `ws` answers a false
 * `verifyClient` with it; 429 and 5xx do not, and to repeat those would add to the app's load.
 */
function mayDislikeOrigin(outcome: Outcome): boolean {
  if (outcome.kind === "failed") return isDropped(outcome.error);
  if (outcome.kind === "open") return false;
  const { status } = outcome.response;
  return status !== 429 && status < 500;
}

/** True if a handshake ended without an answer of the app's, which a runner reports like a closed port. */
function isDropped(error: unknown): boolean {
  return error instanceof UpstreamError
    ? error.code === "connection_lost" || error.code === "protocol_error"
    : error instanceof GatewayError && error.code === "port_closed";
}
