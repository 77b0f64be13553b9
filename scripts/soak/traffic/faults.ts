/** Clients and apps that misbehave, one at a time, and the one answer that each has to get. */
import { setTimeout as delay } from "node:timers/promises";
import { readResponse } from "../../../test/support/raw_client.ts";
import { type Ask, type Client, headOf, outcomeOf } from "../client.ts";
import type { Operation } from "../lanes.ts";
import { BASE_HOST, hostOf, PORTS } from "../world.ts";
import { begin, onConnection } from "./transfers.ts";
import { API_TROUBLE, RUNNER_DOWN } from "./troubles.ts";

const DEMO = hostOf(PORTS.app, "demo");
const LOCKED = hostOf(PORTS.app, "locked");
const MIB = 1024 * 1024;
const PART = new Uint8Array(64 * 1024);

function randomAddress(): string {
  const octets = crypto.getRandomValues(new Uint8Array(3));
  return `10.${octets.join(".")}`;
}

/** A token that opens nothing, from an address. */
function guessToken(client: Client, address: string): Promise<string> {
  return client.ask({
    host: LOCKED,
    path: "/",
    fields: {
      "X-Daytona-Preview-Token": crypto.randomUUID(),
      "X-Forwarded-For": address,
    },
  });
}

const MANY_FIELDS = Array.from({ length: 110 }, (_, i) => `X-${i}: y\r\n`).join(
  "",
);

/** Requests that break a rule of HTTP or of the gateway's, and the answers. */
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
    `GET / HTTP/1.1\r\nHost: ${DEMO}\r\n${MANY_FIELDS}\r\n`,
    "431 head_too_large",
  ],
];

/** All of them. */
export function faults(client: Client): Operation[] {
  const shared = { atOnce: 4, during: { runner_down: RUNNER_DOWN } };
  let turn = 0;

  /** Sends a request, or a part of it, and leaves after a while. */
  async function leave(
    ask: Ask,
    { headBytes, body, afterMs }: {
      readonly headBytes?: number;
      readonly body?: Uint8Array;
      readonly afterMs: number;
    },
  ): Promise<string> {
    return await onConnection(client, async (stream) => {
      await stream.write(headOf(ask).slice(0, headBytes));
      if (body !== undefined) await stream.write(body);
      await delay(afterMs);
      return "left";
    });
  }

  return [
    {
      ...shared,
      name: "client leaves its download",
      everyMs: 500,
      expected: ["left"],
      run: () =>
        onConnection(client, async (stream) => {
          const path = `/bytes?size=${64 * MIB}`;
          const other = await begin(stream, { host: DEMO, path });
          if (other !== undefined) return other;
          await stream.read(64 * 1024);
          return "left";
        }),
    },
    {
      ...shared,
      name: "client leaves its upload",
      everyMs: 500,
      expected: ["left"],
      run: () =>
        leave({
          method: "POST",
          host: DEMO,
          path: "/upload",
          fields: { "Content-Length": String(MIB) },
        }, { body: PART, afterMs: 50 }),
    },
    {
      ...shared,
      name: "client leaves before the answer",
      everyMs: 700,
      expected: ["left"],
      run: () =>
        leave(
          { host: DEMO, path: "/slow?ms=5000" },
          { afterMs: 100 },
        ),
    },
    {
      ...shared,
      name: "client sends half a head",
      everyMs: 1000,
      expected: ["left"],
      run: () =>
        leave(
          { host: DEMO, path: "/" },
          { headBytes: 20, afterMs: 300 },
        ),
    },
    {
      ...shared,
      name: "app that takes its time",
      everyMs: 1000,
      expected: ["200"],
      run: () => client.ask({ host: DEMO, path: "/slow?ms=1500" }),
    },
    ...["/length", "/chunked"].map((path) => ({
      ...shared,
      name: `app dies in its body, ${path.slice(1)}`,
      everyMs: 1000,
      expected: ["200 broken off"],
      run: () => client.ask({ host: hostOf(PORTS.dying, "demo"), path }),
    })),
    {
      ...shared,
      name: "closed port",
      everyMs: 500,
      expected: ["502 port_closed"],
      run: () => client.ask({ host: hostOf(PORTS.closed, "demo"), path: "/" }),
    },
    {
      ...shared,
      name: "stopped sandbox",
      everyMs: 1000,
      expected: ["503 sandbox_stopped"],
      run: () => client.ask({ host: hostOf(PORTS.app, "stopped"), path: "/" }),
    },
    {
      ...shared,
      name: "unknown sandbox",
      everyMs: 1000,
      expected: ["401 login_required"],
      during: API_TROUBLE,
      run: () =>
        client.ask({
          host: hostOf(PORTS.app, crypto.randomUUID()),
          path: "/",
          fields: { "X-Forwarded-For": randomAddress() },
        }),
    },
    {
      ...shared,
      name: "wrong token",
      everyMs: 500,
      expected: ["401 credential_invalid"],
      during: API_TROUBLE,
      run: () => guessToken(client, randomAddress()),
    },
    {
      ...shared,
      name: "one address tries many tokens",
      everyMs: 100,
      expected: ["401 credential_invalid", "429 too_many_refusals"],
      during: API_TROUBLE,
      run: () => guessToken(client, "192.0.2.1"),
    },
    {
      ...shared,
      name: "toolbox without a key",
      everyMs: 1000,
      expected: ["401 login_required"],
      during: {},
      run: () =>
        client.ask({ host: BASE_HOST, path: "/toolbox/locked/version" }),
    },
    {
      ...shared,
      name: "malformed request",
      everyMs: 500,
      expected: ["as it should be"],
      during: {},
      run: () =>
        onConnection(client, async (stream) => {
          const [request, wanted] = MALFORMED[turn++ % MALFORMED.length] ??
            ["", ""];
          await stream.write(request);
          const outcome = outcomeOf(await readResponse(stream));
          return outcome === wanted
            ? "as it should be"
            : `${outcome} to ${request.slice(0, 40)}`;
        }),
    },
  ];
}
