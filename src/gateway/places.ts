/** The places that one exchange takes of what is limited, from its beginning to its end. */
import { GatewayError } from "../errors.ts";
import { isSafe } from "../http/safe_method.ts";
import type { InFlight } from "../proxy/in_flight.ts";
import type { InFlightEntry } from "../proxy/in_flight_entry.ts";
import type { StreamHandle } from "../proxy/stream_handle.ts";
import type { Guest } from "./progress.ts";
import type { ReceivedRequest } from "./received_request.ts";

export class Places {
  readonly #inFlight: Pick<InFlight, "begin">;
  /** Undefined before {@linkcode Places.begin}, and if there are too many exchanges already. */
  #entry: InFlightEntry | undefined;

  constructor(inFlight: Pick<InFlight, "begin">) {
    this.#inFlight = inFlight;
  }

  /**
   * Counts an exchange as in flight; once its client has a place, if it is a request that may wait.
   * @throws {GatewayError} `overloaded`, `client_overloaded`
   * @throws {StreamError} if the client has left
   */
  begin(
    { client, method, request }: ReceivedRequest,
  ): Promise<void> | undefined {
    this.#entry = this.#inFlight.begin();
    if (this.#entry === undefined) {
      throw new GatewayError("overloaded", "Too many exchanges");
    }
    if (this.#entry.reserveForClient(client.clientAddress)) return undefined;
    // What has a body would wait in memory with some of it.
    if (!isSafe(method)) throw tooManyOfClient();
    const { signal } = request;
    return this.#entry.waitForClient({ signal, refusal: tooManyOfClient });
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

function tooManyOfClient(): GatewayError {
  const reason = "Too many exchanges of one client";
  return new GatewayError("client_overloaded", reason);
}
