/** Short requests with every credential and to every route: one table for each kind, by the operation's name. */
import { APP_PORT, KEYS } from "../../../../../scripts/stand_in/stack.ts";
import type {
  LoadClient,
  RequestSpec,
} from "../../../../support/load_client.ts";
import { BASE, hostOf } from "../../attack.ts";
import type { Operation } from "../load.ts";
import { API_TROUBLE, RUNNER_DOWN } from "../outcomes.ts";
import {
  BEARER_HEADER,
  DEMO,
  LOCKED,
  logIn,
  PORTS,
  TOKEN_HEADER,
} from "../world.ts";

/** The headers that a browser sends when somebody types an address. */
const BROWSER_HEADERS = {
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0",
  "Accept": "text/html",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Dest": "document",
};

/** The clients of the short requests. */
export interface ShortRequestsOptions {
  readonly client: LoadClient;
  /** The gateway's. */
  readonly port: number;
  /** A client of the runner, to see how long a GET takes without the gateway. */
  readonly runnerClient: LoadClient;
  /** Called with the duration of each short GET, ms, and the way it went. */
  readonly onLatency: (ms: number, route: Route) => void;
}

/** Through the gateway, or directly to the runner. */
export type Route = "through" | "direct";

/** A row of a table: the interval, and differences from the usual outcomes. */
interface Row extends Partial<Pick<Operation, "expected" | "during">> {
  readonly everyMs: number;
}

/** GETs of a page of the app, whose latency is recorded. */
const GETS: Readonly<
  Record<string, Row & Pick<RequestSpec, "host" | "headers">>
> = {
  "GET public": { everyMs: 6, host: DEMO },
  "GET with token": { everyMs: 20, host: LOCKED, headers: TOKEN_HEADER },
  "GET with API key": { everyMs: 50, host: LOCKED, headers: BEARER_HEADER },
  "GET by signed link": {
    everyMs: 50,
    host: hostOf(KEYS.signedToken),
  },
};

const STATUS_PAGE = {
  path: "/status/200?a=1",
  isExpected: (body: string) => body === "Status 200\n",
};

/** The same GET as the runner receives it. */
const DIRECT_GET: RequestSpec = {
  host: "runner",
  path: `/sandboxes/demo/toolbox/proxy/${APP_PORT}/status/200?a=1`,
  headers: { "X-Daytona-Authorization": `Bearer ${KEYS.runner}` },
};

const OTHER_ROUTES: Readonly<Record<string, Row & { request: RequestSpec }>> = {
  "toolbox": {
    everyMs: 250,
    request: {
      host: BASE,
      path: "/toolbox/locked/version",
      headers: BEARER_HEADER,
      isExpected: (body) => body.includes("-stack"),
    },
  },
  "build log": {
    everyMs: 1000,
    // The API is asked each time for the user's permissions.
    during: { runner_down: RUNNER_DOWN, ...API_TROUBLE },
    request: {
      host: BASE,
      path: "/sandboxes/locked/build-logs",
      headers: BEARER_HEADER,
      isExpected: (body) => body.endsWith("step 20 of the build\n"),
    },
  },
  "preflight": {
    everyMs: 500,
    expected: ["204"],
    request: {
      method: "OPTIONS",
      host: DEMO,
      path: "/",
      headers: {
        "Origin": "http://other.example",
        "Access-Control-Request-Method": "PUT",
      },
    },
  },
  "warning page": {
    everyMs: 500,
    during: {},
    request: {
      host: DEMO,
      path: "/",
      headers: BROWSER_HEADERS,
      isExpected: (body) => body.includes("<form"),
    },
  },
  "ready": {
    everyMs: 1000,
    during: {},
    request: { host: BASE, path: "/ready" },
  },
};

/** The operations; unless a row says otherwise, a runner that is down explains their failure. */
export function shortRequests(
  { client, port, runnerClient, onLatency }: ShortRequestsOptions,
): Operation[] {
  function operation(
    name: string,
    row: Row,
    run: () => Promise<string>,
  ): Operation {
    return {
      expected: ["200"],
      during: { runner_down: RUNNER_DOWN },
      ...row,
      name,
      atOnce: 16,
      run,
    };
  }

  async function timed(
    request: RequestSpec,
    route: Route = "through",
  ): Promise<string> {
    const startedAt = performance.now();
    const outcome = await (route === "direct" ? runnerClient : client)
      .send(request);
    onLatency(performance.now() - startedAt, route);
    return outcome;
  }

  return [
    ...Object.entries(GETS).map(([name, { host, headers, ...row }]) => {
      const request = { ...STATUS_PAGE, host, ...headers && { headers } };
      return operation(name, row, () => timed(request));
    }),
    operation("GET without the gateway", {
      everyMs: 50,
      during: { runner_down: ["refused", "no answer", "200 broken off"] },
    }, () => timed(DIRECT_GET, "direct")),
    ...Object.entries(OTHER_ROUTES).map(([name, { request, ...row }]) =>
      operation(name, row, () => client.send(request))
    ),
    ...sessions(port, timed),
  ];
}

/** A login now and then, and GETs with the session that it opened. */
function sessions(
  port: number,
  timed: (request: RequestSpec) => Promise<string>,
): Operation[] {
  let cookie: string | undefined;
  return [
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
        load_stalled: ["failed"],
      },
      async run() {
        try {
          cookie = await logIn(port);
          return "200";
        } catch (error) {
          // The step that fails depends on the moment; without trouble, none may.
          return error instanceof Error && /^\d/.test(error.message)
            ? "failed"
            : `error: ${error}`;
        }
      },
    },
    {
      name: "GET with session",
      everyMs: 50,
      atOnce: 16,
      expected: ["200", "no session yet"],
      during: { runner_down: RUNNER_DOWN },
      async run() {
        return cookie === undefined ? "no session yet" : await timed({
          host: hostOf("locked", PORTS.terminal),
          path: "/status/200",
          headers: { Cookie: cookie },
        });
      },
    },
  ];
}
