/**
 * Makes opening handshakes in a form that the app accepts (see app_origin.ts), and remembers that form, so that the app
 * sees one handshake from then on.
 */
import { ExpiringLru } from "../lib/lru.ts";
import type { App } from "../resolver/destination.ts";
import { Refusal } from "../resolver/refusals/refusal.ts";
import { discardBody } from "../stream/response_body.ts";
import type { OpenResult } from "../upstream/websocket/handshake.ts";
import type { AddressForm, HandshakeForm } from "./app_origin.ts";

/** The time that a form is remembered, ms: for a day's work on an app. */
const MEMORY_MS = 24 * 60 * 60 * 1000;

/** Makes handshakes, and remembers which form an app accepted last: that of the latest `maxApps` ones. */
export class HandshakeForms {
  readonly #accepted: ExpiringLru<string, AddressForm>;

  constructor(maxApps: number, now: () => number) {
    this.#accepted = new ExpiringLru({ max: maxApps, ttlMs: MEMORY_MS, now });
  }

  /**
   * Makes a handshake by `offer`. If either form will do, the one that the app accepted last comes first, local unless
   * known. If it is refused in a way that may be about origins, the other one follows; also if the app has accepted the
   * first before: another app may listen on the port by now, or the same may judge by path. Of two refusals, that of
   * what the client sent counts.
   */
  async open(
    app: App,
    form: HandshakeForm,
    offer: (form: AddressForm) => Promise<OpenResult | Refusal>,
  ): Promise<OpenResult | Refusal> {
    if (form !== "either") return await offer(form);
    const key = `${app.sandboxId}:${app.sandboxPort}`;
    const first = this.#accepted.get(key) ?? "local";
    const earlier = await offer(first);
    if (isOpen(earlier)) this.#accepted.set(key, first);
    if (!mayDislikeOrigin(earlier)) return earlier;
    const second = first === "local" ? "public" : "local";
    const later = await offer(second);
    if (isOpen(later)) this.#accepted.set(key, second);
    const isLaterAnswer = isOpen(later) || second === "public";
    const [answer, other] = isLaterAnswer ? [later, earlier] : [earlier, later];
    if (!(other instanceof Refusal) && other.kind === "refused") {
      discardBody(other.response.body);
    }
    return answer;
  }
}

function isOpen({ kind }: OpenResult | Refusal): boolean {
  return kind === "open";
}

/**
 * True if the app may have refused a handshake for its origin. A 401 may mean that too, as package `ws` answers a false
 * `verifyClient` with it; 429 and 5xx do not, and to repeat those would add to the app's load.
 */
function mayDislikeOrigin(outcome: OpenResult | Refusal): boolean {
  if (outcome instanceof Refusal) return outcome.kind === "dropped";
  if (outcome.kind === "open") return false;
  const { status } = outcome.response;
  return status !== 429 && status < 500;
}
