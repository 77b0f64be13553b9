/** Who was admitted to what by one exchange, and whether they still are. */
import { GatewayError, toGatewayError } from "../errors.ts";
import type { Served, StreamHandle } from "../proxy/stream_handle.ts";
import type { Destination } from "../resolver/destination.ts";
import type { ExchangeServices } from "./exchange_services.ts";
import type { Guest, Progress } from "./progress.ts";
import type { Route } from "./route.ts";

/** True if who was admitted would be admitted now; rejects with a `GatewayError` if nobody can tell. */
export type Recheck = () => Promise<boolean>;

interface AdmittanceOptions extends Pick<ExchangeServices, "guard"> {
  readonly route: Route;
  readonly progress: Progress;
  /** Told of what is wrong with the check itself. */
  readonly onBug: (error: GatewayError) => void;
}

export class Admittance {
  readonly #options: AdmittanceOptions;
  #guest: Guest | undefined;
  #recheck: Recheck | undefined;
  #isGuardAsked = false;

  constructor(options: AdmittanceOptions) {
    this.#options = options;
  }

  /** Undefined before {@linkcode Admittance.admit}. */
  get guest(): Guest | undefined {
    return this.#guest;
  }

  /** Throws `TypeError` before {@linkcode Admittance.admit}. */
  get granted(): Guest {
    if (this.#guest === undefined) throw new TypeError("Nobody was admitted");
    return this.#guest;
  }

  /** Notes who is admitted. */
  admit(guest: Guest, recheck: Recheck): void {
    this.#guest = guest;
    this.#recheck = recheck;
  }

  /** Notes where the request goes; throws the failure of a guard. */
  goesTo({ sandboxId, organizationId }: Destination): void {
    if (sandboxId !== undefined) this.#guest = { ...this.granted, sandboxId };
    this.#options.progress.organizationId = organizationId;
    this.#askGuard();
  }

  /** For what goes nowhere: throws the failure of a guard, unless it has been asked. */
  checkServed(): void {
    if (!this.#isGuardAsked) this.#askGuard();
  }

  /** A handle of what lasts while they have access. */
  handleOf(
    lasting: Pick<StreamHandle, "abort" | "stalledSince" | "move">,
  ): StreamHandle {
    const { by, sandboxId } = this.#guest ?? {};
    return {
      abort: (reason) => lasting.abort(reason),
      stalledSince: () => lasting.stalledSince?.(),
      recheck: () => this.#stillHasAccess(),
      served: () => this.#served,
      publicSandbox: by === "public" ? sandboxId : undefined,
      name: this.#options.route.name,
      move: lasting.move,
    };
  }

  /** What of a sandbox it is; undefined if nothing that its app or daemon serves. */
  get #served(): Served | undefined {
    const { route: { name, servesSandbox }, progress } = this.#options;
    if (!servesSandbox) return undefined;
    const { sandboxId } = this.granted;
    return { sandboxId, name, organizationId: progress.organizationId };
  }

  #askGuard(): void {
    this.#isGuardAsked = true;
    const { guard } = this.#options;
    const served = guard && this.#served;
    const failure = served && guard?.(served);
    if (failure !== undefined) throw failure;
  }

  async #stillHasAccess(): Promise<boolean> {
    try {
      return await this.#recheck?.() ?? true;
    } catch (error) {
      // An outage must not revoke access; a bug must not preserve it.
      if (error instanceof GatewayError) return true;
      this.#options.onBug(toGatewayError(error));
      return false;
    }
  }
}
