/** The places that one exchange takes of what is limited, from its beginning to its end. */
import { GatewayError } from "../errors.ts";
import type { InFlight } from "../proxy/in_flight.ts";
import type { InFlightEntry } from "../proxy/in_flight_entry.ts";
import type { StreamHandle } from "../proxy/stream_handle.ts";
import type { Guest } from "./progress.ts";
import type { ReceivedRequest } from "./received_request.ts";

/** The longest body that may wait with its request, bytes: some of it is in memory meanwhile. */
const MAX_WAITING_BODY = 16 * 1024;

export class Places {
  readonly #inFlight: Pick<InFlight, "begin">;
  /** Undefined before {@linkcode Places.begin}, and if there are too many exchanges already. */
  #entry: InFlightEntry | undefined;

  constructor(inFlight: Pick<InFlight, "begin">) {
    this.#inFlight = inFlight;
  }

  /**
   * Counts an exchange as in flight; false if it has to wait for a place of its client's.
   * @throws {GatewayError} `overloaded`, or `client_overloaded` if it may not wait
   */
  begin(received: ReceivedRequest): boolean {
    this.#entry = this.#inFlight.begin();
    if (this.#entry === undefined) {
      throw new GatewayError("overloaded", "Too many exchanges");
    }
    const { clientAddress } = received.client;
    if (this.#entry.reserveForClient(clientAddress)) return true;
    if (!mayWait(received)) throw tooManyOfClient();
    return false;
  }

  /**
   * Waits for a place of its client's.
   * @throws {GatewayError} `client_overloaded`, `draining`
   * @throws {StreamError} if the client has left
   */
  async wait({ request: { signal } }: ReceivedRequest): Promise<void> {
    await this.#entry?.waitForClient({ signal, refusal: tooManyOfClient });
  }

  /** @throws {GatewayError} `sandbox_overloaded`, or `overloaded` where the limit is another's */
  reserveFor({ sandboxId, countsAgainst }: Guest): void {
    if (this.#entry?.reserveFor(countsAgainst ?? sandboxId)) return;
    if (countsAgainst === undefined) {
      throw new GatewayError("sandbox_overloaded", "Limit of one sandbox");
    }
    // What follows may be a client's address, which is not for the log.
    const [what] = countsAgainst.split(":");
    throw new GatewayError("overloaded", `Limit of one: ${what}`);
  }

  /** @throws {GatewayError} `organization_overloaded` */
  reserveForOrganization(organizationId: string | undefined): void {
    const isFull = organizationId !== undefined &&
      this.#entry?.reserveForOrganization(organizationId) === false;
    if (isFull) {
      throw new GatewayError("organization_overloaded", organizationId);
    }
  }

  /**
   * Takes a place for an upload of unknown length.
   * @param most Most of one client; the usual number unless given.
   * @throws {GatewayError} `client_overloaded`
   */
  reserveUpload(most: number | undefined): void {
    if (this.#entry?.reserveUploadForClient(most)) return;
    const reason = "Too many uploads of unknown length";
    throw new GatewayError("client_overloaded", reason);
  }

  /** Takes a place for a WebSocket; the failure to report if all together, the client or the sandbox have too many. */
  reserveTunnel(most: number | undefined): GatewayError | undefined {
    switch (this.#entry?.reserveTunnel(most)) {
      case "all":
        return new GatewayError("too_many_tunnels", "Too many tunnels");
      case "client":
        return new GatewayError("client_overloaded", "Too many of one client");
      case "sandbox":
        return new GatewayError(
          "sandbox_overloaded",
          "Too many of one sandbox",
        );
      default:
        return undefined;
    }
  }

  /** Counts the WebSocket as open from now on. */
  openTunnel(): void {
    this.#entry?.openTunnel();
  }

  /** Has the exchange end by a handle. */
  setHandle(handle: StreamHandle): void {
    this.#entry?.setHandle(handle);
  }

  /** Gives all of them back, once the client has taken what is kept for it. */
  end(delivered?: Promise<void>): void {
    this.#entry?.end(delivered);
  }
}

/** True if little would be in memory while a request waits. Over HTTP/2, a body may come without any length. */
function mayWait({ method, headers, isHttp2 }: ReceivedRequest): boolean {
  const length = headers.get("content-length");
  if (length !== null) return Number(length) <= MAX_WAITING_BODY;
  return isHttp2
    ? method === "GET" || method === "HEAD"
    : !headers.has("transfer-encoding");
}

function tooManyOfClient(): GatewayError {
  const reason = "Too many exchanges of one client";
  return new GatewayError("client_overloaded", reason);
}
