/** The visitors of a gateway: kinds that come at their own pace, and what each of them sees. */
import { dial, type Endpoint } from "../../support/dial.ts";
import { LoadClient } from "../../support/load_client.ts";
import { EchoVisitor, type Sight, Visits } from "../../support/visits.ts";

/** What visitors saw, by kind. */
export type SightsOf<Kind extends string> = Readonly<Record<Kind, Sight>>;

/** How a kind comes: each so many ms, and with what outcome, of which "200" is right. */
export type Coming = readonly [paceMs: number, come: () => Promise<string>];

/** How visitors wait. */
interface Patience {
  /** As long as anybody waits for a byte, ms. */
  readonly patienceMs: number;
  /** Most of a kind who may be without an answer; nobody else of it comes until there is one. */
  readonly maxWaiting: number;
}

/** All visitors of a gateway. */
export class Crowd<Kind extends string> {
  readonly #endpoint: Endpoint;
  readonly #patience: Patience;
  /** Ends when they have gone. */
  readonly #connections = new AsyncDisposableStack();
  #visits: Visits<Kind> | undefined;

  constructor(endpoint: Endpoint, patience: Patience) {
    this.#endpoint = endpoint;
    this.#patience = patience;
  }

  /** A client of the gateway, or of another one, whose connections are kept until all go. */
  client(endpoint: Endpoint = this.#endpoint): LoadClient {
    return this.#connections.use(this.newcomer(endpoint));
  }

  /** A client with connections of its own, which whoever asks for it closes. */
  newcomer(
    endpoint: Endpoint = this.#endpoint,
    patienceMs = this.#patience.patienceMs,
  ): LoadClient {
    return new LoadClient(endpoint.port, () => dial(endpoint), patienceMs);
  }

  /** Somebody who speaks through a WebSocket, until all go. */
  speaker(handshake: string): EchoVisitor {
    const { patienceMs } = this.#patience;
    const speaker = new EchoVisitor(this.#endpoint, handshake, patienceMs);
    this.#connections.defer(() => speaker.leave());
    return speaker;
  }

  /** Has them begin to come. */
  start(kinds: Readonly<Record<Kind, Coming>>): void {
    const { maxWaiting } = this.#patience;
    const visits = Object.entries<Coming>(kinds).map(([kind, coming]) => {
      const [paceMs, come] = coming;
      return [kind, { paceMs, maxWaiting, come }];
    });
    this.#visits = new Visits<Kind>(Object.fromEntries(visits));
    this.#visits.start();
  }

  /**
   * What was seen since the start or the last call, once everything asked until now is answered or given up.
   *
   * @throws {Error} if nobody comes yet.
   */
  take(): Promise<SightsOf<Kind>> {
    if (this.#visits === undefined) throw new Error("Nobody comes");
    return this.#visits.take();
  }

  /** Has them go once the last answers are there; resolves to what was seen since the last call of `take()`. */
  async stop(): Promise<SightsOf<Kind>> {
    await this.#visits?.stop();
    const seen = await this.take();
    await this.#connections.disposeAsync();
    return seen;
  }
}
