/** The gateway's own pages, and its refusals of what is for nobody: within limits of their own, and recorded. */
import type { Config } from "../config/config.ts";
import type { Control } from "../control/app.ts";
import type { ControlContext } from "../control/route.ts";
import { ownForm } from "../downstream/http/form.ts";
import {
  checkControlHead,
  checkControlTarget,
} from "../downstream/http/head_limits.ts";
import {
  type AnsweredRequest,
  ownAnswer,
  refusalOfTooMany,
} from "../downstream/http/own_answer.ts";
import { Reply } from "../downstream/http/reply.ts";
import { createResponse } from "../downstream/http/response.ts";
import {
  finishUnread,
  type UnreadRequest,
} from "../downstream/http/unread_body.ts";
import { type ErrorCode, GatewayError } from "../errors.ts";
import { wantsDocument } from "../http/fetch_metadata.ts";
import { afterTimer } from "../lib/after.ts";
import { then } from "../lib/awaitable.ts";
import { clientKey } from "../lib/client_key.ts";
import {
  CLIENT_CLOSED_REQUEST,
  type ExchangeFacts,
} from "../observability/metrics/facts.ts";
import { dressed, givenText } from "../pages/brand.ts";
import { problem, type ProblemOptions } from "../pages/problem.ts";
import type { InFlight } from "../proxy/in_flight.ts";
import type { InFlightEntry } from "../proxy/in_flight_entry.ts";
import { StreamError } from "../stream/stream_error.ts";
import type { ExchangeServices } from "./exchange_services.ts";
import { OwnPageShare } from "./own_page_share.ts";
import type { ReceivedRequest } from "./received_request.ts";

export interface OwnPagesParts extends ExchangeServices {
  readonly limits:
    & ExchangeServices["limits"]
    & Pick<Config["limits"], "concurrentExchanges">;
  readonly control: Control;
  /** Where requests for our own pages are registered. */
  readonly ownRequests: Pick<InFlight, "begin">;
  /** Called for every response that does not come from the data plane. */
  readonly onOwnAnswer: (facts: ExchangeFacts) => void;
}

/** What is known of an address that leads nowhere. */
export interface RefusedAddress
  extends Pick<ProblemOptions, "domain" | "name"> {
  readonly retryUrl?: string | undefined;
}

/** A balancer's probe, under whatever name it has for us: `10-0-0-7.gateway.pod.cluster.local` looks like a preview. */
const PROBE = /^\/(?:health|ready)(?:\?|$)/;

/** The share of all exchanges that may be forms for our own pages. */
const FORMS_SHARE = 1 / 4;

export function isProbe(target: string): boolean {
  return PROBE.test(target);
}

export class OwnPages {
  readonly #parts: OwnPagesParts;
  readonly #share = new OwnPageShare({
    now: () => performance.now(),
    after: afterTimer,
  });
  /** The forms that are being read. */
  #forms = 0;

  constructor(parts: OwnPagesParts) {
    this.#parts = parts;
  }

  /** Answers a request for a page of the gateway's own, `base` being the base domain that was asked. */
  async serve(
    incoming: ReceivedRequest & Pick<ControlContext, "namesHost">,
    base: string | undefined,
  ): Promise<Response> {
    const { control, ownRequests, limits, clientLeg } = this.#parts;
    try {
      checkControlHead(incoming, limits);
      checkControlTarget(incoming);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      return this.refuse(incoming, error.code);
    }
    const { id, request, authority, target, startedAt } = incoming;
    const { clientAddress } = incoming.client;
    const entry = ownRequests.begin();
    const isWithinLimits = entry?.reserveForClient(clientAddress) ?? false;
    // A gateway whose pages are busy is still healthy.
    const isHeadEnough = isProbe(target);
    if (!isWithinLimits && !isHeadEnough) {
      entry?.end();
      // In its turn, too: a refusal takes time as well, and its connection has the next request ready.
      return await this.#inTurn(
        incoming,
        () => this.refuse(incoming, "pages_overloaded"),
      );
    }
    const reply = new Reply({ ...incoming, isHeadEnough }, clientLeg);
    try {
      const context: ControlContext = {
        requestId: id,
        authority,
        namesHost: incoming.namesHost,
        base,
        clientAddress,
        readForm: (maxBytes) => this.#readForm(reply, entry, maxBytes),
      };
      const answer = (refusal?: Response) => {
        const made = refusal ?? control(request, context);
        const recorded = then(made, (it) => this.#recorded(startedAt, it));
        return then(recorded, (it) => reply.answer(it));
      };
      if (isHeadEnough) return await answer();
      return await this.#inTurn(
        incoming,
        () => answer(refusalOfTooMany(incoming, clientLeg.untaken)),
      );
    } finally {
      reply.close();
      entry?.end();
    }
  }

  /** What is made in its client's turn; a refusal if that does not come. */
  async #inTurn(
    incoming: ReceivedRequest,
    make: () => Response | Promise<Response>,
  ): Promise<Response> {
    const client = clientKey(incoming.client.clientAddress);
    try {
      return await this.#share.make(
        client,
        () => incoming.request.signal,
        make,
      );
    } catch (error) {
      if (error instanceof StreamError) {
        return createResponse(null, CLIENT_CLOSED_REQUEST, []); // nobody gets it
      }
      if (!(error instanceof GatewayError)) throw error;
      return await this.refuse(incoming, error.code);
    }
  }

  async #readForm(
    reply: Reply,
    entry: InFlightEntry | undefined,
    maxBytes: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const max = this.#parts.limits.concurrentExchanges * FORMS_SHARE;
    if (this.#forms >= max) {
      throw new GatewayError("pages_overloaded", "Too many forms");
    }
    if (!entry?.reserveUploadForClient()) {
      throw new GatewayError("client_overloaded", "Too many forms of a client");
    }
    this.#forms++;
    try {
      return await ownForm(reply, maxBytes);
    } finally {
      this.#forms--;
    }
  }

  /** The answer to what no exchange begins for. */
  refuse(
    refused:
      & UnreadRequest
      & AnsweredRequest
      & Pick<ReceivedRequest, "id" | "headers" | "startedAt">
      /** Undefined unless our own pages are served there. */
      & Partial<Pick<ReceivedRequest, "authority">>,
    code: ErrorCode,
    { retryUrl, ...address }: RefusedAddress = {},
  ): Response | Promise<Response> {
    const { id, headers, startedAt, authority } = refused;
    const { scheme, brand, clientLeg } = this.#parts;
    const asPage = wantsDocument(headers);
    const docsUrl = authority === undefined
      ? undefined
      : `${scheme}://${authority.toLowerCase()}/docs`;
    const advice = { retryUrl };
    const given = givenText(brand, code, headers);
    const options = { code, requestId: id, asPage, docsUrl, advice };
    const response = refusalOfTooMany(refused, clientLeg.untaken) ??
      problem({ ...options, ...address, given });
    const recorded = this.#recorded(startedAt, response);
    function finish(it: Response): Response {
      const { untaken, readSizes } = clientLeg;
      return finishUnread(refused, readSizes, ownAnswer(it, refused, untaken));
    }
    return recorded instanceof Promise
      ? recorded.then(finish)
      : finish(recorded);
  }

  #recorded(
    startedAt: number,
    response: Response,
  ): Response | Promise<Response> {
    const endedAt = this.#parts.now();
    this.#parts.onOwnAnswer({
      route: "control",
      status: response.status,
      end: "complete",
      isFromApp: false,
      error: response.headers.get("x-porthole-error") ?? undefined,
      tunnel: undefined,
      receivedBytes: 0,
      sentBytes: 0,
      startedAt,
      resolvedAt: undefined,
      answeredAt: endedAt,
      endedAt,
    });
    return dressed(response, this.#parts.brand);
  }
}
