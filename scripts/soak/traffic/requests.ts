/** Short requests through every door, and the right answer to each. */
import { KEYS } from "../../../test/stack/stack.ts";
import type { Ask, Client } from "../client.ts";
import type { Operation } from "../lanes.ts";
import {
  BASE_HOST,
  BEARER_FIELD,
  hostOf,
  logIn,
  PORTS,
  TOKEN_FIELD,
} from "../world.ts";
import { API_TROUBLE, RUNNER_DOWN } from "./troubles.ts";

const DEMO = hostOf(PORTS.app, "demo");
const LOCKED = hostOf(PORTS.app, "locked");

/** What a browser sends when somebody types an address. */
const BROWSER_FIELDS = {
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0",
  "Accept": "text/html",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Dest": "document",
};

/** Parts of the short requests. */
export interface ShortRequestsOptions {
  readonly client: Client;
  /** The gateway's. */
  readonly port: number;
  /** Of the runner: what a GET takes without the gateway. */
  readonly runnerClient: Client;
  /** Told how long each short GET took, ms, through the gateway or past it. */
  readonly onLatency: (ms: number, way: "through" | "past") => void;
}

/** All of them. */
export function shortRequests(
  { client, port, runnerClient, onLatency }: ShortRequestsOptions,
): Operation[] {
  let cookie: string | undefined;

  async function timed(
    ask: Ask,
    way: "through" | "past" = "through",
  ): Promise<string> {
    const startedAt = performance.now();
    const outcome = await (way === "past" ? runnerClient : client).ask(ask);
    onLatency(performance.now() - startedAt, way);
    return outcome;
  }

  function get(
    name: string,
    everyMs: number,
    ask: Omit<Ask, "path">,
  ): Operation {
    return {
      name,
      everyMs,
      atOnce: 16,
      expected: ["200"],
      during: { runner_down: RUNNER_DOWN },
      run: () =>
        timed({
          path: "/status/200?a=1",
          isRight: (body) => body === "Status 200\n",
          ...ask,
        }),
    };
  }

  const past = {
    host: "runner",
    path: `/sandboxes/demo/toolbox/proxy/${PORTS.app}/status/200?a=1`,
    fields: { "X-Daytona-Authorization": `Bearer ${KEYS.runner}` },
  };

  return [
    get("GET public", 6, { host: DEMO }),
    get("GET with token", 20, { host: LOCKED, fields: TOKEN_FIELD }),
    get("GET with API key", 50, { host: LOCKED, fields: BEARER_FIELD }),
    get("GET by signed link", 50, {
      host: hostOf(PORTS.app, KEYS.signedToken),
    }),
    {
      ...get("GET past the gateway", 50, past),
      during: { runner_down: ["refused", "no answer", "200 broken off"] },
      run: () => timed(past, "past"),
    },
    {
      ...get("GET with session", 50, { host: DEMO }),
      expected: ["200", "no session yet"],
      run: () =>
        cookie === undefined ? Promise.resolve("no session yet") : timed({
          host: hostOf(PORTS.terminal, "locked"),
          path: "/status/200",
          fields: { Cookie: cookie },
        }),
    },
    {
      name: "login at the provider",
      everyMs: 10_000,
      atOnce: 1,
      expected: ["200"],
      during: {
        runner_down: ["failed"],
        api_unavailable: ["failed"],
        api_refusing: ["failed"],
        api_silent: ["failed"],
      },
      async run() {
        try {
          cookie = await logIn(port);
          return "200";
        } catch (error) {
          // Which step failed depends on the moment; outside of troubles none may.
          return error instanceof Error && /^\d/.test(error.message)
            ? "failed"
            : `error: ${error}`;
        }
      },
    },
    {
      ...get("toolbox", 250, { host: BASE_HOST }),
      run: () =>
        client.ask({
          host: BASE_HOST,
          path: "/toolbox/locked/version",
          fields: BEARER_FIELD,
          isRight: (body) => body.includes("-stack"),
        }),
    },
    {
      ...get("build log", 1000, { host: BASE_HOST }),
      during: {
        runner_down: RUNNER_DOWN,
        ...API_TROUBLE, // what a user may see is asked anew each time
      },
      run: () =>
        client.ask({
          host: BASE_HOST,
          path: "/sandboxes/locked/build-logs",
          fields: BEARER_FIELD,
          isRight: (body) => body.endsWith("step 20 of the build\n"),
        }),
    },
    {
      ...get("preflight", 500, { host: DEMO }),
      expected: ["204"],
      run: () =>
        client.ask({
          method: "OPTIONS",
          host: DEMO,
          path: "/",
          fields: {
            "Origin": "http://other.example",
            "Access-Control-Request-Method": "PUT",
          },
        }),
    },
    {
      ...get("warning page", 500, { host: DEMO }),
      during: {},
      run: () =>
        client.ask({
          host: DEMO,
          path: "/",
          fields: BROWSER_FIELDS,
          isRight: (body) => body.includes("<form"),
        }),
    },
    {
      ...get("ready", 1000, { host: BASE_HOST }),
      during: {},
      run: () => client.ask({ host: BASE_HOST, path: "/ready" }),
    },
  ];
}
