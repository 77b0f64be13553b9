/** WebSockets: some that exchange messages for a while, some that are refused, and some that misbehave. */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import { fulfilsWithin } from "../../../../../src/lib/fulfils_within.ts";
import { hostOf } from "../../attack.ts";
import { type Operation, PATIENCE_MS } from "../load.ts";
import { API_TROUBLE } from "../outcomes.ts";
import { ADDRESS, DEMO, LOCKED, PORTS, TOKEN_HEADER } from "../world.ts";

/** Between two messages, ms. */
const PAUSE_MS = 1000;

const MIN_DURATION_MS = 3_000;
const MAX_DURATION_MS = 60_000;

const FLOOD_MESSAGES = 128;
const FLOOD = new Uint8Array(16 * 1024);

/** The client's side of a WebSocket; disposing of it cuts it, unless it is closed. */
interface TunnelClient extends Disposable {
  readonly socket: WebSocket;
  /** `open`, or the outcome if it was refused. */
  readonly opened: Promise<string>;
  /** `closed` with the status code, once it is. */
  readonly closed: Promise<string>;
  /** The number of messages that have come back. */
  readonly echoes: () => number;
  /** Resolves with the next message. */
  echo(): Promise<unknown>;
}

/**
 * Waits for `work`.
 *
 * @throws {Error} if it takes longer than 15 s.
 */
async function deadline<T>(work: Promise<T>, what: string): Promise<T> {
  if (!await fulfilsWithin(work, PATIENCE_MS)) {
    throw new Error(`${what} took too long`);
  }
  return await work;
}

function connect(
  port: number,
  host: string,
  headers: Readonly<Record<string, string>> = {},
): TunnelClient {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, [], {
    headers: { host, ...ADDRESS, ...headers },
    perMessageDeflate: false,
  });
  const opened = Promise.withResolvers<string>();
  const closed = Promise.withResolvers<string>();
  let echoes = 0;
  socket.on("message", () => echoes++);
  socket.once("open", () => opened.resolve("open"));
  socket.once(
    "unexpected-response",
    (request: { destroy(): void }, response: {
      statusCode: number;
      headers: Record<string, string | undefined>;
    }) => {
      const code = response.headers["x-porthole-error"];
      opened.resolve(`${response.statusCode}${code ? ` ${code}` : ""}`);
      request.destroy();
    },
  );
  socket.on("error", (error: Error) => opened.resolve(`error: ${error}`));
  socket.once("close", (code: number) => closed.resolve(`closed ${code}`));
  return {
    socket,
    opened: deadline(opened.promise, "opening"),
    closed: closed.promise,
    echoes: () => echoes,
    echo: () => once(socket, "message"),
    [Symbol.dispose]: () => socket.terminate(),
  };
}

/** The operations; `port` is the gateway's. */
export function tunnels(port: number): Operation[] {
  const [publicly, privately] = [
    conversation(port, "tunnel, public", { host: DEMO }),
    conversation(port, "tunnel, private", {
      host: LOCKED,
      headers: TOKEN_HEADER,
    }),
  ];
  return [
    publicly,
    privately,
    {
      ...publicly,
      name: "tunnel, flooded",
      everyMs: 4000,
      atOnce: 2,
      run: () => flood(port, 0),
    },
    {
      ...publicly,
      name: "tunnel, flooded and not read",
      everyMs: 6000,
      atOnce: 2,
      run: () => flood(port, 2000),
    },
    {
      ...publicly,
      name: "tunnel, cut by its client",
      everyMs: 2000,
      atOnce: 4,
      expected: ["cut"],
      async run() {
        using tunnel = connect(port, DEMO);
        const { socket, opened, closed } = tunnel;
        const state = await opened;
        if (state !== "open") return state;
        for (let i = 0; i < 8; i++) socket.send(FLOOD);
        socket.terminate();
        await deadline(closed, "closing");
        return "cut";
      },
    },
    {
      ...publicly,
      name: "tunnel without a token",
      everyMs: 2000,
      atOnce: 2,
      expected: ["401 login_required"],
      during: API_TROUBLE,
      run: () => open(port, LOCKED),
    },
    {
      ...publicly,
      name: "tunnel to a closed port",
      everyMs: 2000,
      atOnce: 2,
      expected: ["502 port_closed"],
      run: () => open(port, hostOf("demo", PORTS.closed)),
    },
  ];
}

/** Opens a WebSocket that is to be refused. */
async function open(port: number, host: string): Promise<string> {
  using tunnel = connect(port, host);
  return await tunnel.opened;
}

/** Sends messages for a while, then closes; if the tunnel is closed before, that is the outcome. */
async function talk(
  { socket, closed, echoes }: TunnelClient,
  signal: AbortSignal,
): Promise<string> {
  const durationMs = MIN_DURATION_MS +
    Math.random() * (MAX_DURATION_MS - MIN_DURATION_MS);
  const endsAt = performance.now() + durationMs;
  let sent = 0;
  let echoDueAt = 0;
  let received = 0;
  let isWrong = false;
  socket.on("message", (data: Uint8Array) => {
    if (String(data) !== `message ${received++}`) isWrong = true;
  });
  while (performance.now() < endsAt && !signal.aborted) {
    if (socket.readyState !== socket.OPEN) break;
    if (echoes() === sent) echoDueAt = performance.now() + PATIENCE_MS;
    else if (performance.now() > echoDueAt) return "no echo";
    socket.send(`message ${sent++}`);
    await Promise.race([delay(PAUSE_MS), closed]);
  }
  socket.close(1000);
  const end = await deadline(closed, "closing");
  return isWrong ? "wrong echo" : end;
}

/** A WebSocket that exchanges messages for a while. */
function conversation(
  port: number,
  name: string,
  { host, headers }: { host: string; headers?: Record<string, string> },
): Operation {
  return {
    name,
    everyMs: 700,
    atOnce: 30,
    expected: ["closed 1000"],
    during: {
      runner_down: [
        "closed 1011",
        "502 runner_unreachable",
        "502 runner_protocol_error",
      ],
    },
    async run(signal) {
      using tunnel = connect(port, host, headers);
      const opened = await tunnel.opened;
      return opened === "open" ? await talk(tunnel, signal) : opened;
    },
  };
}

/** Sends many messages at once, and does not read for `pauseMs` milliseconds. */
async function flood(port: number, pauseMs: number): Promise<string> {
  using tunnel = connect(port, DEMO);
  const { socket, opened, closed, echoes, echo } = tunnel;
  const state = await opened;
  if (state !== "open") return state;
  for (let i = 0; i < FLOOD_MESSAGES; i++) socket.send(FLOOD);
  if (pauseMs > 0) {
    socket.pause();
    await delay(pauseMs);
    socket.resume();
  }
  while (echoes() < FLOOD_MESSAGES && socket.readyState === socket.OPEN) {
    await deadline(Promise.race([echo(), closed]), "an echo");
  }
  socket.close(1000);
  return await deadline(closed, "closing");
}
