/**
 * The one who watches, in a thread of its own, so that an attack does not slow its clock: it serves the innocent app,
 * sends the innocent visitors, and watches the gateway's memory.
 */
import { parseMemory } from "../bench/machine.ts";
import type { Endpoint } from "../../support/dial.ts";
import { takeCalls } from "../harness/thread.ts";
import { Bystanders, type Losses } from "./bystanders.ts";
import { type Sights, startVisitors } from "./visitors.ts";

/** A gateway to observe. */
export interface Observed extends Endpoint {
  readonly pid: number;
  /** Killed above this resident memory; undefined if the kernel does that. */
  readonly limitBytes: number | undefined;
  /** As long as a visitor waits for an answer, ms. */
  readonly patienceMs: number;
}

/** What was observed for a while. */
export interface Observation {
  readonly sights: Sights;
  /** The most resident memory since the start, bytes. */
  readonly peakBytes: number;
  /** True if it was killed because of its memory. */
  readonly isKilled: boolean;
}

/** The calls that the observer takes. */
export interface ObserverCalls {
  /** Starts the innocent app, and returns its port. */
  serve(): number;
  /** Starts to observe. */
  observe(gateway: Observed): void;
  /** Returns what was observed since the last call. */
  take(): Promise<Observation>;
  /** The attack begins: what bystanders lose counts from now on. */
  begin(): void;
  /** Sends the visitors home, and returns what bystanders have lost. */
  end(): Promise<Losses | undefined>;
}

/** No attack is observed for longer than this: if the suite hangs, both it and the gateway are killed, ms. */
const DEADLINE_MS = 120_000;

/** Between two looks at the memory, ms. */
const LOOK_EVERY_MS = 20;

const KIB = 1024;

const PAGE = "a".repeat(KIB);

let visitors: ReturnType<typeof startVisitors> | undefined;
let bystanders: Bystanders | undefined;
let deadline: ReturnType<typeof setTimeout> | undefined;
let looking: ReturnType<typeof setInterval> | undefined;
let peakBytes = 0;
let isKilled = false;

/** Where the kernel kills, the process may just be gone. */
function look({ pid, limitBytes }: Observed): void {
  try {
    const { now, peak } = parseMemory(
      Deno.readTextFileSync(`/proc/${pid}/status`),
    );
    if (Number.isNaN(now)) return; // a zombie has none
    peakBytes = Math.max(peakBytes, peak * KIB);
    if (limitBytes !== undefined && now * KIB > limitBytes && !isKilled) {
      isKilled = true;
      Deno.kill(pid, "SIGKILL");
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

const CALLS: ObserverCalls = {
  serve() {
    const { addr } = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => {
        if (request.headers.get("upgrade") !== "websocket") {
          return new Response(PAGE, {
            headers: { "content-type": "text/html" },
          });
        }
        const { socket, response } = Deno.upgradeWebSocket(request);
        socket.onmessage = ({ data }) => socket.send(data);
        return response;
      },
    );
    return addr.port;
  },
  observe(gateway) {
    peakBytes = 0;
    isKilled = false;
    visitors = startVisitors(gateway, gateway.patienceMs);
    bystanders = new Bystanders(gateway, gateway.patienceMs);
    bystanders.start();
    looking = setInterval(() => look(gateway), LOOK_EVERY_MS);
    deadline = setTimeout(() => {
      Deno.kill(gateway.pid, "SIGKILL");
      Deno.kill(Deno.pid, "SIGKILL");
    }, DEADLINE_MS);
  },
  async take() {
    if (visitors === undefined) throw new Error("Nothing is observed");
    return { sights: await visitors.take(), peakBytes, isKilled };
  },
  begin() {
    bystanders?.forget();
  },
  async end() {
    clearInterval(looking);
    clearTimeout(deadline);
    const losses = await bystanders?.stop();
    await visitors?.stop();
    return losses;
  },
};

takeCalls(CALLS);
