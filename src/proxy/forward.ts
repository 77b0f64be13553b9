/** Sends admitted requests to the upstreams of their sandboxes, and tells an upstream's refusals from the app's answers. */
import { appTarget } from "../address/app_target.ts";
import type { Forwarded } from "../downstream/http/forwarded.ts";
import { GatewayError } from "../errors.ts";
import {
  type Destination,
  type Destinations,
  isSameDestination,
  type SandboxPort,
} from "../resolver/destination.ts";
import type { BodyReader } from "../upstream/http1/body_reader.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import type {
  UpstreamRequest,
  UpstreamResponse,
} from "../upstream/http1/message.ts";
import { UpstreamError } from "../upstream/upstream_error.ts";
import {
  type OpenResult,
  openWebSocket,
} from "../upstream/websocket/handshake.ts";
import {
  type AddressedRequest,
  type AddressForm,
  handshakeForm,
  requestForm,
  withPublicLocation,
} from "./app_origin.ts";
import type { HandshakeForms } from "./handshake_forms.ts";
import { watchOriginRefusal } from "./origin_refusals.ts";
import { RefusalJudge } from "./refusal_judge.ts";
import { requestHeaders } from "./request_headers.ts";
import { upstreamFailure } from "./upstream_failure.ts";

/** A request that the gate admitted, and that learns how far it has come. */
export interface AdmittedRequest extends AddressedRequest {
  /** Identifies the request in the logs of the runner and the app. */
  readonly id: string;
  readonly body: BodyReader | null;
  /** Bytes; null if the client did not announce it. */
  readonly contentLength: number | null;
  /** The request-target for the app, without a preview token. */
  readonly appTarget: string;
  readonly sandboxId: string;
  readonly sandboxPort: SandboxPort;
  readonly forwarded: Forwarded;
  /** True if no credential was needed: then none of ours may open anything for it. */
  readonly isAnonymous: boolean;
  /** True if `Authorization` is not meant for the app. */
  readonly dropsAuthorization: boolean;
  /** Aborted when the client disconnects. */
  signal(): AbortSignal;
  /** Whether there is memory to read so many bytes of the response at once. */
  mayRead(size: number): boolean;
  /** Whether to answer a body of so many bytes in one piece, for which there is memory. */
  mayGather(size: number): boolean;
  readonly progress: {
    /** Called before a lookup of the destination that goes beyond the process. */
    onMiss(): void;
    /** Called when the destination is known. */
    onResolved(): void;
    /** Called for each part of the body that was sent, with its length. */
    onUpload(bytes: number): void;
  };
}

/** The parts of the gateway that a {@linkcode Forwarder} uses. */
export interface ForwarderParts {
  readonly upstream: Pick<UpstreamClient, "request" | "upgrade">;
  /** Where sandboxes are. */
  readonly sandboxes: Destinations;
  readonly handshakes: HandshakeForms;
  /** Called when an app says that it dislikes the address that it was told, or that of a page. */
  readonly onOriginRefusal: () => void;
}

/**
 * Sends requests to wherever their sandboxes are. Both methods throw a {@linkcode GatewayError} if no app answered, and
 * an {@linkcode UpstreamError} `aborted` or `body_failed` if the client has disconnected.
 */
export class Forwarder {
  readonly #upstream: Pick<UpstreamClient, "request" | "upgrade">;
  readonly #sandboxes: Destinations;
  readonly #judge: RefusalJudge;
  readonly #handshakes: HandshakeForms;
  readonly #onOriginRefusal: () => void;

  constructor(parts: ForwarderParts) {
    this.#upstream = parts.upstream;
    this.#sandboxes = parts.sandboxes;
    this.#judge = new RefusalJudge(parts.upstream);
    this.#handshakes = parts.handshakes;
    this.#onOriginRefusal = parts.onOriginRefusal;
  }

  /** The app's response. */
  forward(request: AdmittedRequest): Promise<UpstreamResponse> {
    return this.#deliver(request, async (destination) => {
      const form = requestForm(destination.appOrigin, request);
      const prepared = upstreamRequest(request, destination, form); // 5 headers
      const response = await this.#upstream.request(prepared); // 6 upstream
      const answer = this.#judge.mayJudge(response, destination)
        ? await this.#judge.appResponse(response, request, destination)
        : response;
      return this.#counted(seenFromOutside(answer, request, destination));
    });
  }

  /** The open WebSocket to the app, or the app's refusal of it. */
  openWebSocket(request: AdmittedRequest): Promise<OpenResult> {
    return this.#deliver(request, async (destination) => {
      const opened = await this.#handshakes.open(
        request,
        handshakeForm(destination.appOrigin, request),
        (form) => this.#offer(request, destination, form),
      ).catch(async (error) => {
        throw await this.#judge.handshakeFailure(error, request, destination);
      });
      return opened.kind === "open"
        ? opened
        : { ...opened, response: this.#counted(opened.response) };
    });
  }

  /** Makes the opening handshake in one form. */
  async #offer(
    request: AdmittedRequest,
    destination: Destination,
    form: AddressForm,
  ): Promise<OpenResult> {
    const prepared = upstreamRequest(request, destination, form); // 5 headers
    const opened = await openWebSocket(this.#upstream, prepared); // 6 upstream
    if (opened.kind === "open") return opened;
    const response = await this.#judge.appResponse(
      opened.response,
      request,
      destination,
    );
    return {
      kind: "refused",
      response: seenFromOutside(response, request, destination),
    };
  }

  /** The same response, counted if it is the app's refusal of an address. */
  #counted(response: UpstreamResponse): UpstreamResponse {
    return watchOriginRefusal(response, this.#onOriginRefusal);
  }

  /** Sends a request to the sandbox's destination or, if the sandbox has moved from there, to its new one. */
  async #deliver<T>(
    request: AdmittedRequest,
    send: (destination: Destination) => Promise<T>,
  ): Promise<T> {
    const { sandboxId, sandboxPort: port, isAnonymous, progress } = request;
    const sandboxes = this.#sandboxes; // 4 resolver
    let known = sandboxes.knownDestination(sandboxId, port, isAnonymous);
    if (known === undefined) {
      const onMiss = () => progress.onMiss();
      known = await sandboxes.destinationOf(
        sandboxId,
        port,
        onMiss,
        isAnonymous,
      );
    }
    if (known === null) {
      throw new GatewayError("sandbox_not_found", "No runner");
    }
    progress.onResolved();
    try {
      return await send(known);
    } catch (error) {
      // An upload that cannot be sent again has the next one go to the right place.
      const renewed = mayHaveMoved(error)
        ? await this.#newDestination(request, known, error)
        : undefined;
      if (renewed === undefined || !canBeSentAgain(error, request)) {
        throw upstreamFailure(error);
      }
      return await send(renewed).catch((error) => {
        throw upstreamFailure(error);
      });
    }
  }

  /**
   * Where the sandbox is now; undefined if it has not moved, or if the API does not answer: then the failure of the
   * known destination is the one to report.
   *
   * @throws {GatewayError} `sandbox_not_found`
   */
  async #newDestination(
    { sandboxId, sandboxPort, isAnonymous }: AdmittedRequest,
    known: Destination,
    error: unknown,
  ): Promise<Destination | undefined> {
    const isRefusal = error instanceof GatewayError &&
      error.code === "runner_refused";
    let renewed: Destination | null;
    try {
      renewed = await this.#sandboxes.renewDestination(
        sandboxId,
        sandboxPort,
        isAnonymous,
        { at: known, isRefusal },
      );
    } catch (error) {
      if (error instanceof GatewayError) return undefined;
      throw error;
    }
    if (renewed === null) {
      throw new GatewayError("sandbox_not_found", "No runner any more");
    }
    return isSameDestination(renewed, known) ? undefined : renewed;
  }
}

/**
 * The upstream request that sends `request` to `destination`.
 *
 * @throws {GatewayError} `bad_target` if the path would leave the sandbox
 */
function upstreamRequest(
  request: AdmittedRequest,
  destination: Destination,
  form: AddressForm,
): UpstreamRequest {
  const target = appTarget(destination.pathPrefix, request.appTarget);
  if (target === undefined) {
    throw new GatewayError(
      "bad_target",
      "Dot segments that cannot be resolved",
    );
  }
  return {
    origin: destination.origin,
    method: request.method,
    target,
    headers: requestHeaders(request, destination, form),
    body: request.body,
    contentLength: request.contentLength,
    lateSignal: () => request.signal(),
    onUpload: (bytes) => request.progress.onUpload(bytes),
    mayRead: (size) => request.mayRead(size),
    mayGather: (size) => request.mayGather(size),
  };
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

/** True if the sandbox may be elsewhere: the upstream was not reached, does not have it, or does not accept our key. */
function mayHaveMoved(error: unknown): boolean {
  if (error instanceof UpstreamError) return wasNotReached(error);
  return error instanceof GatewayError &&
    (error.code === "container_not_found" || error.code === "runner_refused");
}

/** True if nothing of the request was sent, or if it has no body that is gone. */
function canBeSentAgain(error: unknown, { body }: AdmittedRequest): boolean {
  return body === null ||
    error instanceof UpstreamError && wasNotReached(error);
}

function wasNotReached({ code }: UpstreamError): boolean {
  return code === "connect_failed" || code === "connect_timeout" ||
    code === "tls_failed";
}
