import { setImmediate as immediate } from "node:timers/promises";
import { takeTurn, UNPACED_READS } from "../../lib/fair_turn.ts";
import { takeBuffer } from "../../stream/buffer_pool.ts";
import type { ResponseBody } from "../../stream/response_body.ts";
import { LengthDecoder } from "./body_decoder.ts";
import type { Connection } from "./connection.ts";
import { ConnectionReader } from "./receive_body.ts";

/** A body that does not arrive within this time of its head is passed on part by part, ms. */
const GATHER_MS = 2;

/** While so few are gathered, one is also passed on after so many turns in which nothing came, which takes 0.1 ms. */
const FEW = 2;
const QUIET_TURNS = 8;

/** Room for what must not follow a body: it is noticed, and the connection not used again. Bytes. */
const EXCESS_BYTES = 1;

/** The longest body that is gathered, bytes. */
export const MAX_GATHERED_BYTES = 256 * 1024;

/** A shorter one is gathered without asking its receiver, bytes. */
export const MIN_ASKED_BYTES = 16 * 1024;

/** The bodies that a client gathers. They share a timer: one for each would cost a microsecond. */
export class Gatherings {
  /** The oldest first. Not a Set: V8 would keep exchanges that are over alive in the tables that it has outgrown. */
  #underWay: Gathering[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * A response's body of `length` bytes, at most {@linkcode MAX_GATHERED_BYTES}, of which less has arrived: in one
   * piece, which costs less time than a stream, if the rest comes within {@linkcode GATHER_MS} or twice that, and of a
   * few without a pause; otherwise a reader, as by `receiveBody()`. `onEnd` is called once the body is complete.
   */
  gather(
    connection: Connection,
    length: number,
    onEnd: () => void,
  ): Promise<ResponseBody> {
    connection.input.gatherIn(takeBuffer(length + EXCESS_BYTES));
    return new Promise((resolve) => {
      const gathering = new Gathering(connection, length, onEnd, resolve);
      this.#underWay.push(gathering);
      this.#timer ??= setTimeout(this.#giveUpLate, GATHER_MS);
      gathering.fill();
      if (this.#underWay.length <= FEW) void this.#giveUpQuiet(gathering);
    });
  }

  async #giveUpQuiet(gathering: Gathering): Promise<void> {
    await immediate(); // costs less than a turn: most has come by then
    if (gathering.isOver) return;
    let quietTurns = 0;
    while (quietTurns < QUIET_TURNS) {
      const { fills } = gathering;
      await takeTurn();
      if (gathering.isOver || this.#underWay.length > FEW) return;
      quietTurns = gathering.fills === fills ? quietTurns + 1 : 0;
    }
    gathering.giveUp();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #giveUpLate = (): void => {
    this.#timer = undefined;
    const startedBefore = performance.now() - GATHER_MS;
    for (const gathering of this.#underWay) {
      if (gathering.startedAt > startedBefore) break;
      gathering.giveUp();
    }
    this.#underWay = this.#underWay.filter(({ isOver }) => !isOver);
    if (this.#underWay.length === 0) return;
    this.#timer = setTimeout(this.#giveUpLate, GATHER_MS);
  };
}

class Gathering {
  readonly startedAt = performance.now();
  readonly #connection: Connection;
  readonly #length: number;
  readonly #onEnd: () => void;
  readonly #resolve: (body: ResponseBody) => void;
  #filling: Promise<boolean> | undefined;
  fills = 0;
  isOver = false;

  constructor(
    connection: Connection,
    length: number,
    onEnd: () => void,
    resolve: (body: ResponseBody) => void,
  ) {
    this.#connection = connection;
    this.#length = length;
    this.#onEnd = onEnd;
    this.#resolve = resolve;
  }

  fill(): void {
    this.#filling = ++this.fills <= UNPACED_READS
      ? this.#connection.fillNow()
      : this.#connection.fill();
    this.#filling.then(this.#onFill, this.giveUp);
  }

  readonly #onFill = (isOpen: boolean): void => {
    if (this.isOver) return;
    const { input } = this.#connection;
    if (input.length >= this.#length) {
      this.isOver = true;
      const body = input.takeGathered(this.#length);
      this.#onEnd();
      this.#resolve(body);
    } else if (isOpen) this.fill();
    else this.giveUp();
  };

  /** Passes on what has come, and then what comes. */
  readonly giveUp = (): void => {
    if (this.isOver) return;
    this.isOver = true;
    const { input } = this.#connection;
    input.keepGathered();
    const decoder = new LengthDecoder(this.#length);
    const received = { filling: this.#filling };
    this.#resolve(
      new ConnectionReader(this.#connection, decoder, this.#onEnd, received),
    );
  };
}
