/**
 * Apps that answer 403 to the host by which visitors know them, as the host authorization of Rails and Sinatra does by
 * X-Forwarded-Host. They are told of localhost alone (see app_origin.ts), which a read that was refused finds out.
 */
import type { AppOriginMode } from "../config/config.ts";
import { ExpiringLru } from "../lib/lru.ts";
import type { App } from "../resolver/destination.ts";
import { Refusal } from "../resolver/refusals/refusal.ts";
import {
  discardBody,
  type UpstreamResponse,
} from "../upstream/http1/message.ts";
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

/** Sends requests, and remembers which of the latest `maxApps` apps refuse their public host. */
export class HostRefusals {
  readonly #refusing: ExpiringLru<string, true>;
  readonly #settled: ExpiringLru<string, true>;

  constructor(
    { maxApps: max, now }: {
      readonly maxApps: number;
      readonly now: () => number;
    },
  ) {
    this.#refusing = new ExpiringLru({ max, ttlMs: MEMORY_MS, now });
    this.#settled = new ExpiringLru({ max, ttlMs: SETTLED_MS, now });
  }

  /** Sends a request by `send`; in `auto`, a read that is answered with 403 goes once more, naming localhost alone. */
  async exchange(
    request: AddressedRequest & App & { readonly body: unknown },
    mode: AppOriginMode,
    send: (form: AddressForm) => Promise<UpstreamResponse | Refusal>,
  ): Promise<UpstreamResponse | Refusal> {
    const form = requestForm(mode, request);
    if (mode !== "auto") return await send(form);
    const { method, body, sandboxId, sandboxPort } = request;
    const key = `${sandboxId}:${sandboxPort}`;
    const isRefusing = this.#refusing.has(key);
    const isSettled = () => this.#settled.has(key);
    const isRead = (method === "GET" || method === "HEAD") && body === null;
    if (isRefusing && (!isRead || isSettled()) && mayBeLocal(request)) {
      return await send("local");
    }
    const answer = await send(form);
    if (answer instanceof Refusal || !isRead) return answer;
    if (answer.status !== 403) {
      if (isRefusing) this.#refusing.delete(key);
      return answer;
    }
    if (isSettled() || !mayBeLocal(request)) return answer;
    const other = await send("local");
    const isMended = !(other instanceof Refusal) && other.status !== 403;
    this.#settled.set(key, true, { ttl: isMended ? SETTLED_MS : IN_VAIN_MS });
    if (isMended) this.#refusing.set(key, true);
    else this.#refusing.delete(key);
    const [given, dropped] = isMended ? [other, answer] : [answer, other];
    if (!(dropped instanceof Refusal)) discardBody(dropped.body);
    return given;
  }
}

/** True unless a page of another origin asks. */
function mayBeLocal(request: AddressedRequest): boolean {
  return requestForm("local", request) === "local";
}
