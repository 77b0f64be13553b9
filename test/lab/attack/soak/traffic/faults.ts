/** Misbehaving clients and apps, and requests to be refused: one table for each, by the operation's name. */
import { setTimeout as delay } from "node:timers/promises";
import {
  headOf,
  type LoadClient,
  outcomeOf,
  type RequestSpec,
} from "../../../../support/load_client.ts";
import { readResponse } from "../../../../support/raw_client.ts";
import { BASE, hostOf, MIB } from "../../attack.ts";
import type { Operation } from "../load.ts";
import { API_TROUBLE, RUNNER_DOWN } from "../outcomes.ts";
import { DEMO, LOCKED, PORTS } from "../world.ts";
import { beginExchange, onConnection } from "./transfers.ts";

/** An operation but for its name and its client. */
interface Fault extends Omit<Operation, "name" | "atOnce" | "run"> {
  run(client: LoadClient): Promise<string>;
}

type Faults = Readonly<Record<string, Fault>>;

const DYING = hostOf("demo", PORTS.dying);
const PART = new Uint8Array(64 * 1024);

const CLIENTS: Faults = {
  "client leaves its download": {
    everyMs: 500,
    expected: ["left"],
    run: (client) =>
      onConnection(client, async (stream) => {
        const path = `/bytes?size=${64 * MIB}`;
        const failure = await beginExchange(stream, { host: DEMO, path });
        if (failure !== undefined) return failure;
        await stream.read(64 * 1024);
        return "left";
      }),
  },
  "client leaves its upload": {
    everyMs: 500,
    expected: ["left"],
    run: abandon({
      method: "POST",
      host: DEMO,
      path: "/upload",
      headers: { "Content-Length": String(MIB) },
    }, { body: PART, afterMs: 50 }),
  },
  "client leaves before the answer": {
    everyMs: 700,
    expected: ["left"],
    run: abandon({ host: DEMO, path: "/slow?ms=5000" }, { afterMs: 100 }),
  },
  "client sends half a head": {
    everyMs: 1000,
    expected: ["left"],
    run: abandon({ host: DEMO, path: "/" }, { headBytes: 20, afterMs: 300 }),
  },
};

const APPS: Faults = {
  "app that takes its time": {
    everyMs: 1000,
    expected: ["200"],
    run: send({ host: DEMO, path: "/slow?ms=1500" }),
  },
  "app dies in its body, length": {
    everyMs: 1000,
    expected: ["200 broken off"],
    run: send({ host: DYING, path: "/length" }),
  },
  "app dies in its body, chunked": {
    everyMs: 1000,
    expected: ["200 broken off"],
    run: send({ host: DYING, path: "/chunked" }),
  },
  "closed port": {
    everyMs: 500,
    expected: ["502 port_closed"],
    run: send({ host: hostOf("demo", PORTS.closed), path: "/" }),
  },
  "stopped sandbox": {
    everyMs: 1000,
    expected: ["503 sandbox_stopped"],
    run: send({ host: hostOf("stopped"), path: "/" }),
  },
};

const UNAUTHORIZED: Faults = {
  "unknown sandbox": {
    everyMs: 1000,
    expected: ["401 login_required"],
    during: API_TROUBLE,
    run: (client) =>
      client.send({
        host: hostOf(crypto.randomUUID()),
        path: "/",
        headers: { "X-Forwarded-For": randomAddress() },
      }),
  },
  "wrong token": {
    everyMs: 500,
    expected: ["401 credential_invalid"],
    during: API_TROUBLE,
    run: (client) => guessToken(client, randomAddress()),
  },
  "one address tries many tokens": {
    everyMs: 100,
    expected: ["401 credential_invalid", "429 too_many_refusals"],
    during: API_TROUBLE,
    run: (client) => guessToken(client, "192.0.2.1"),
  },
  "toolbox without a key": {
    everyMs: 1000,
    expected: ["401 login_required"],
    during: {},
    run: send({ host: BASE, path: "/toolbox/locked/version" }),
  },
};

const MANY_HEADERS = Array.from({ length: 110 }, (_, i) => `X-${i}: y\r\n`)
  .join("");

/** Requests that break a rule of HTTP or exceed a limit of the gateway's, and the outcome of each. */
const MALFORMED: readonly (readonly [request: string, outcome: string])[] = [
  ["GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"],
  ["GET / HTTP/1.1\r\nHost: h/a?b\r\n\r\n", "400 bad_host"],
  [`GET / HTTP/1.1\r\nHost : ${DEMO}\r\n\r\n`, "400"],
  ["what is this\r\n\r\n", "400"],
  [
    `POST / HTTP/1.1\r\nHost: ${DEMO}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    "400",
  ],
  [
    `GET /${"a".repeat(33_000)} HTTP/1.1\r\nHost: ${DEMO}\r\n\r\n`,
    "414 target_too_long",
  ],
  [
    `GET / HTTP/1.1\r\nHost: ${DEMO}\r\n${MANY_HEADERS}\r\n`,
    "431 head_too_large",
  ],
];

/** Sends the malformed requests in turn. */
function malformed(): Faults {
  let turn = 0;
  return {
    "malformed request": {
      everyMs: 500,
      expected: ["refused as expected"],
      during: {},
      run: (client) =>
        onConnection(client, async (stream) => {
          const [request, expected] = MALFORMED[turn++ % MALFORMED.length] ??
            ["", ""];
          await stream.write(request);
          const outcome = outcomeOf(await readResponse(stream));
          return outcome === expected
            ? "refused as expected"
            : `${outcome} to ${request.slice(0, 40)}`;
        }),
    },
  };
}

/** The operations; unless a row says otherwise, a runner that is down explains their failure. */
export function faults(client: LoadClient): Operation[] {
  const rows = { ...CLIENTS, ...APPS, ...UNAUTHORIZED, ...malformed() };
  return Object.entries(rows).map(([name, fault]) => ({
    during: { runner_down: RUNNER_DOWN },
    atOnce: 4,
    ...fault,
    name,
    run: () => fault.run(client),
  }));
}

function send(request: RequestSpec): Fault["run"] {
  return (client) => client.send(request);
}

/** Sends a request, or the first `headBytes` bytes of its head, and closes the connection after a while. */
function abandon(
  request: RequestSpec,
  { headBytes, body, afterMs }: {
    readonly headBytes?: number;
    readonly body?: Uint8Array;
    readonly afterMs: number;
  },
): Fault["run"] {
  return (client) =>
    onConnection(client, async (stream) => {
      await stream.write(headOf(request).slice(0, headBytes));
      if (body !== undefined) await stream.write(body);
      await delay(afterMs);
      return "left";
    });
}

/** Tries a token that opens nothing, as a client at `address`. */
function guessToken(client: LoadClient, address: string): Promise<string> {
  return client.send({
    host: LOCKED,
    path: "/",
    headers: {
      "X-Daytona-Preview-Token": crypto.randomUUID(),
      "X-Forwarded-For": address,
    },
  });
}

function randomAddress(): string {
  const numbers = crypto.getRandomValues(new Uint8Array(3));
  return `10.${numbers.join(".")}`;
}
