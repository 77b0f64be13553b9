/** Sends admitted requests to the upstreams of their sandboxes, and tells an upstream's refusals from the app's answers. */
import { appTarget } from "../address/app_target.ts";
import type { Reply } from "../downstream/http/reply.ts";
import { GatewayError } from "../errors.ts";
import type { RequestTrace } from "../observability/traces.ts";
import {
  type App,
  type Destination,
  type Destinations,
  isSameDestination,
} from "../resolver/destination.ts";
import { failedExchange, Refusal } from "../resolver/refusals/refusal.ts";
import type { BodyReader } from "../stream/body_reader.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import type {
  UpstreamRequest,
  UpstreamResponse,
} from "../upstream/http1/message.ts";
import {
  type OpenResult,
  openWebSocket,
} from "../upstream/websocket/handshake.ts";
import {
  type AddressedRequest,
  type AddressForm,
  handshakeForm,
  withPublicLocation,
} from "./app_origin.ts";
import type { Bulkheads, Place } from "./bulkheads.ts";
import type { HandshakeForms } from "./handshake_forms.ts";
import type { HostRefusals } from "./host_refusals.ts";
import { type HeadersSource, requestHeaders } from "./request_headers.ts";

/** A request that the gate admitted, and that learns how far it has come. */
export interface AdmittedRequest extends AddressedRequest, App, HeadersSource {
  readonly body: BodyReader | null;
  /** Bytes; null if the client did not announce it. */
  readonly contentLength: number | null;
  /** The request-target for the app, without a preview token. */
  readonly appTarget: string;
  /** True if no credential was needed: then none of ours may open anything for it. */
  readonly isAnonymous: boolean;
  /** Who is held responsible for it, and served in turn with others. */
  readonly clientAddress: string;
  readonly trace?:
    | Pick<RequestTrace, "traceparent" | "beginLeg" | "endLeg">
    | undefined;
  /** What tells whether the client has left, and how much of the response there is memory for. */
  readonly reply: Pick<Reply, "signal" | "mayRead" | "mayGather">;
  /** Called once its destination is known; throws if it must not go there. */
  onResolved(destination: Destination): void;
  readonly progress: {
    /** Called before a lookup of the destination that goes beyond the process. */
    onMiss(): void;
    /** Called for each part of the body that was sent, with its length. */
    onUpload(bytes: number): void;
  };
}

export interface ForwarderParts {
  readonly upstream: Pick<UpstreamClient, "request" | "upgrade">;
  readonly sandboxes: Destinations;
  readonly handshakes: HandshakeForms;
  readonly hosts: HostRefusals;
  readonly bulkheads: Pick<Bulkheads, "enter" | "sent" | "leave">;
}

/**
 * Sends requests to wherever their sandboxes are. Both methods throw a {@linkcode GatewayError} if no app answered, and
 * a {@linkcode StreamError} if the client has disconnected.
 */
export class Forwarder {
  readonly #parts: ForwarderParts;

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
  }

  forward(request: AdmittedRequest): Promise<UpstreamResponse> {
    return this.#deliver(request, (asked, at) => this.#exchange(asked, at));
  }

  /** The open WebSocket to the app, or the app's refusal of it. */
  openWebSocket(request: AdmittedRequest): Promise<OpenResult> {
    return this.#deliver(request, (asked, at) => this.#handshake(asked, at));
  }

  /** Sends a request in one form; if that seems to be why the app refuses it, once more in the other. */
  async #exchange(
    request: AdmittedRequest,
    destination: Destination,
    form = this.#parts.hosts.formFor(request, destination.appOrigin),
  ): Promise<UpstreamResponse | Refusal> {
    const { upstream, bulkheads, hosts } = this.#parts;
    let place: Place | undefined;
    let answer: UpstreamResponse | Refusal;
    try {
      const entering = bulkheads.enter(destination, request);
      place = entering instanceof Promise ? await entering : entering;
      const response = await upstream.request( // 6 upstream
        this.#prepare(request, destination, form, place),
      );
      bulkheads.leave(place, true);
      place = undefined;
      answer = destination.refusals.mayRefuse(response)
        ? await judged(response, request, destination)
        : seenFromOutside(response, request, destination);
    } catch (error) {
      bulkheads.leave(place, false);
      return failedExchange(error);
    }
    const { appOrigin } = destination;
    return hosts.mayBeRefused(answer, request, { mode: appOrigin, form })
      ? await hosts.tryLocal(
        answer,
        request,
        () => this.#exchange(request, destination, "local"),
      )
      : answer;
  }

  async #handshake(
    request: AdmittedRequest,
    destination: Destination,
  ): Promise<OpenResult | Refusal> {
    const opened = await this.#parts.handshakes.open(
      request,
      handshakeForm(destination.appOrigin, request),
      (form) => this.#offer(request, destination, form),
    );
    return opened instanceof Refusal
      ? await destination.refusals.judgeHandshake(opened, request, destination)
      : opened;
  }

  /** Makes the opening handshake in one form, once. */
  async #offer(
    request: AdmittedRequest,
    destination: Destination,
    form: AddressForm,
  ): Promise<OpenResult | Refusal> {
    const { upstream, bulkheads } = this.#parts;
    let place: Place | undefined;
    try {
      place = await bulkheads.enter(destination, request);
      const opened = await openWebSocket( // 6 upstream
        upstream,
        this.#prepare(request, destination, form, place),
      );
      bulkheads.leave(place, true);
      place = undefined;
      if (opened.kind === "open") return opened;
      const response = await judged(opened.response, request, destination);
      return response instanceof Refusal
        ? response
        : { kind: "refused", response };
    } catch (error) {
      bulkheads.leave(place, false);
      return failedExchange(error);
    }
  }

  /** The request to send, which tells its place what is sent; throws `bad_target` if the path leaves the sandbox. */
  #prepare(
    request: AdmittedRequest,
    destination: Destination,
    form: AddressForm,
    place: Place | undefined,
  ): UpstreamRequest {
    const target = appTarget(destination.pathPrefix, request.appTarget);
    if (target === undefined) {
      const message = "Dot segments that cannot be resolved";
      throw new GatewayError("bad_target", message);
    }
    const { reply } = request;
    return {
      origin: destination.origin,
      method: request.method,
      target,
      headers: requestHeaders(request, destination, form), // 5 headers
      body: request.body,
      contentLength: request.contentLength,
      lateSignal: () => reply.signal(),
      onUpload: (bytes) => {
        request.progress.onUpload(bytes);
        if (place !== undefined) this.#parts.bulkheads.sent(place, bytes);
      },
      mayRead: (size) => reply.mayRead(size),
      mayGather: (size) => reply.mayGather(size),
    };
  }

  /** Sends a request to the sandbox's destination or, if the sandbox has moved from there, to its new one. */
  async #deliver<T extends object>(
    request: AdmittedRequest,
    send: (
      asked: AdmittedRequest,
      destination: Destination,
    ) => Promise<T | Refusal>,
  ): Promise<T> {
    const { sandboxId, sandboxPort: port, isAnonymous, progress } = request;
    const sandboxes = this.#parts.sandboxes; // 4 resolver
    const onMiss = () => progress.onMiss();
    const found = sandboxes.destinationOf(sandboxId, port, onMiss, isAnonymous);
    const known = found instanceof Promise ? await found : found;
    if (known === null) {
      throw new GatewayError("sandbox_not_found", "No destination");
    }
    request.onResolved(known);
    // What a name leads to may have turned out to be another one.
    const { sandboxId: id = sandboxId } = known;
    const asked = id === sandboxId ? request : { ...request, sandboxId: id };
    request.trace?.beginLeg(request);
    try {
      const first = await send(asked, known);
      if (!(first instanceof Refusal)) return first;
      // An upload that cannot be sent again has the next one go to the right place.
      const renewed = mayHaveMoved(first)
        ? await this.#newDestination(asked, known, first)
        : undefined;
      if (renewed === undefined || !canBeSentAgain(request, first)) {
        throw first.error;
      }
      const second = await send(asked, renewed);
      if (second instanceof Refusal) throw second.error;
      return second;
    } finally {
      request.trace?.endLeg();
    }
  }

  /**
   * Where the sandbox is now; undefined if it has not moved, or if that cannot be found out: then the refusal by the
   * known destination is the one to report.
   * @throws {GatewayError} `sandbox_not_found`
   */
  async #newDestination(
    { sandboxId, sandboxPort, isAnonymous }: AdmittedRequest,
    known: Destination,
    { kind }: Refusal,
  ): Promise<Destination | undefined> {
    let renewed: Destination | null;
    try {
      renewed = await this.#parts.sandboxes.renewDestination(
        sandboxId,
        sandboxPort,
        isAnonymous,
        { at: known, kind },
      );
    } catch (error) {
      if (error instanceof GatewayError) return undefined;
      throw error;
    }
    if (renewed === null) {
      throw new GatewayError("sandbox_not_found", "No destination any more");
    }
    return isSameDestination(renewed, known) ? undefined : renewed;
  }
}

/** The app's response, or the refusal that came in its place. */
async function judged(
  response: UpstreamResponse,
  request: AdmittedRequest,
  destination: Destination,
): Promise<UpstreamResponse | Refusal> {
  const { refusals } = destination;
  const answer = await refusals.judge(response, request, destination);
  return answer instanceof Refusal
    ? answer
    : seenFromOutside(answer, request, destination);
}

/** The app's response, with redirects to where it believes to be leading to where it is. */
function seenFromOutside(
  response: UpstreamResponse,
  request: AdmittedRequest,
  destination: Destination,
): UpstreamResponse {
  const { appOrigin, publicOrigin } = destination;
  if (appOrigin === "pass" && publicOrigin === undefined) return response;
  const headers = withPublicLocation(response.headers, request, destination);
  return headers === response.headers ? response : { ...response, headers };
}

/** True if the sandbox may be elsewhere, or is known there by something else. */
function mayHaveMoved({ kind }: Refusal): boolean {
  return kind === "not_reached" || kind === "not_there" ||
    kind === "not_accepted";
}

/** True if nothing of the request was sent, or if it has no body that is gone. */
function canBeSentAgain({ body }: AdmittedRequest, { kind }: Refusal): boolean {
  return body === null || kind === "not_reached";
}
