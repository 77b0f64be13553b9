/**
 * Apps that answer 403 to the host by which visitors know them, as the host authorization of Rails and Sinatra does by
 * X-Forwarded-Host. They are told of localhost alone (see app_origin.ts), which a read that was refused finds out.
 */
import type { AppOriginMode } from "../config/config.ts";
import { ExpiringLru } from "../lib/lru.ts";
import type { App } from "../resolver/destination.ts";
import { Refusal } from "../resolver/refusals/refusal.ts";
import { discardBody } from "../stream/response_body.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import {
  type AddressedRequest,
  type AddressForm,
  requestForm,
} from "./app_origin.ts";

/** For a day's work on an app. */
const MEMORY_MS = 24 * 60 * 60 * 1000;

/** Then a read asks again as it came: another app may listen on the port by now. */
const SETTLED_MS = 10 * 60 * 1000;

/** An app that answers 403 for other reasons is not asked twice all the time. */
const IN_VAIN_MS = 10 * 1000;

type Asking = AddressedRequest & App & { readonly body: unknown };

/** Remembers which of the latest `max` apps refuse a public host of theirs. */
export class HostRefusals {
  readonly #refusing: ExpiringLru<string, true>;
  readonly #settled: ExpiringLru<string, true>;

  constructor(max: number, now: () => number) {
    this.#refusing = new ExpiringLru({ max, ttlMs: MEMORY_MS, now });
    this.#settled = new ExpiringLru({ max, ttlMs: SETTLED_MS, now });
  }

  /** What a request tells the app of its address: in `auto`, localhost alone where that is known to be needed. */
  formFor(request: Asking, mode: AppOriginMode): AddressForm {
    const form = requestForm(mode, request);
    if (mode !== "auto" || this.#refusing.size === 0) return form;
    const key = keyOf(request);
    return this.#refusing.has(key) &&
        (!isRead(request) || this.#settled.has(key)) && mayBeLocal(request)
      ? "local"
      : form;
  }

  /** True if the answer to a read may be about the host, or shows that its app refuses none any more. */
  mayBeRefused(
    answer: UpstreamResponse | Refusal,
    request: Asking,
    sent: { readonly mode: AppOriginMode; readonly form: AddressForm },
  ): answer is UpstreamResponse {
    if (answer instanceof Refusal || sent.mode !== "auto") return false;
    if (answer.status !== 403 && this.#refusing.size === 0) return false;
    return sent.form !== "local" && isRead(request);
  }

  /** The answer to a read, or what `send` is answered, naming localhost alone, if that is no 403. */
  async tryLocal(
    answer: UpstreamResponse,
    request: Asking,
    send: () => Promise<UpstreamResponse | Refusal>,
  ): Promise<UpstreamResponse | Refusal> {
    const key = keyOf(request);
    if (answer.status !== 403) {
      this.#refusing.delete(key);
      return answer;
    }
    if (this.#settled.has(key) || !mayBeLocal(request)) return answer;
    const other = await send();
    const isMended = !(other instanceof Refusal) && other.status !== 403;
    this.#settled.set(key, true, { ttl: isMended ? SETTLED_MS : IN_VAIN_MS });
    if (isMended) this.#refusing.set(key, true);
    else this.#refusing.delete(key);
    const [given, dropped] = isMended ? [other, answer] : [answer, other];
    if (!(dropped instanceof Refusal)) discardBody(dropped.body);
    return given;
  }
}

/** An app may refuse its preview host, and no name of its own. */
function keyOf({ sandboxId, sandboxPort, appAddress }: Asking): string {
  return `${sandboxId}:${sandboxPort} ${appAddress?.publicOrigin}`;
}

function isRead({ method, body }: Asking): boolean {
  return (method === "GET" || method === "HEAD") && body === null;
}

/** True unless a page of another origin asks. */
function mayBeLocal(request: AddressedRequest): boolean {
  return requestForm("local", request) === "local";
}
