/** The tickets in the forms of Start buttons: each is for one sandbox, one visitor and ten minutes. */
import { ownFormField } from "../../downstream/http/form.ts";
import { GatewayError } from "../../errors.ts";
import type { PreviewExchange } from "../../gateway/sandbox_exchange.ts";
import type { Sealer } from "../../lib/seal.ts";
import { TICKET_FIELD } from "./start_form.ts";
import type { StartMeans } from "./starts.ts";

/** The time for which a button works, ms. */
const TTL_MS = 10 * 60 * 1000;

/** Longest target that a ticket leads back to, characters; others lead to `/`. */
const MAX_TARGET_LENGTH = 2000;

/** What a ticket is good for. */
interface Ticket {
  /** Where the button was, and its visitor is led back to. */
  readonly target: string;
  readonly means: StartMeans;
}

/** Seals tickets, and opens what is presented as one. */
export class StartTickets {
  readonly #sealer: Sealer;
  readonly #now: () => number;

  /** The sealer must be for this purpose only. */
  constructor(sealer: Sealer, now: () => number) {
    this.#sealer = sealer;
    this.#now = now;
  }

  /** A ticket for the page that answers a request of that visitor. */
  async seal(
    { sandboxId, appTarget }: Pick<PreviewExchange, "sandboxId" | "appTarget">,
    visitor: string,
    means: StartMeans,
  ): Promise<string> {
    const target = appTarget.length > MAX_TARGET_LENGTH ? "/" : appTarget;
    const ticket = { sandboxId, visitor, target, means };
    return await this.#sealer.seal(ticket, this.#now() + TTL_MS);
  }

  /**
   * The ticket in the form of a request by that visitor.
   *
   * @throws {GatewayError} `start_expired` if it is not good for this, and as {@linkcode ownFormField} does
   */
  async open(
    x: Pick<PreviewExchange, "sandboxId" | "request" | "headers">,
    visitor: string,
  ): Promise<Ticket> {
    const ticket = await this.#sealer.open(
      await ownFormField(x, TICKET_FIELD),
    );
    if (
      ticket === undefined || ticket["sandboxId"] !== x.sandboxId ||
      ticket["visitor"] !== visitor
    ) throw new GatewayError("start_expired", "No ticket for this");
    // Sealed, so that it is what seal() made.
    return {
      target: String(ticket["target"]),
      means: ticket["means"] === "recover" ? "recover" : "start",
    };
  }
}
