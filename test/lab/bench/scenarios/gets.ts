/** Requests per second, measured by `wrk`: for a public sandbox, a private one, and larger bodies. */
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import {
  CLIENT_PROXY,
  DIRECT,
  FETCH_PROXY,
  GATEWAY,
  type GatewayVariant,
  HOSTS,
  LEAST_PROXY,
  NGINX,
  NGINX_LOGGING,
  present,
  SERVE,
} from "../contestants.ts";
import type { Work } from "../drive.ts";
import { measureRounds, underSame } from "../rounds.ts";
import {
  type Figure,
  figureOf,
  ratioOf,
  type Row,
  type Scenario,
} from "../scenario.ts";
import type { Server } from "../server.ts";
import type { Contestant } from "../world.ts";
import {
  compare,
  driveGets,
  type GetLoad,
  P99,
  RATE,
  type RequestHeaders,
} from "./rates.ts";
import { exchange } from "./raw_http.ts";

const PUBLIC: RequestHeaders = { Host: HOSTS.public };
const PRIVATE: RequestHeaders = { Host: HOSTS.private };

/** Twenty headers as Chromium sends them with a navigation, including an app's cookies. */
const BROWSER: RequestHeaders = {
  Host: HOSTS.public,
  "Cache-Control": "max-age=0",
  "Sec-CH-UA": '"Chromium";v="140", "Not=A?Brand";v="24"',
  "Sec-CH-UA-Mobile": "?0",
  "Sec-CH-UA-Platform": '"Linux"',
  "Upgrade-Insecure-Requests": "1",
  "User-Agent":
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  "Accept":
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
  "Sec-Fetch-Site": "same-origin",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-User": "?1",
  "Sec-Fetch-Dest": "document",
  "Referer": `http://${HOSTS.public}/`,
  "Accept-Encoding": "gzip, deflate, br, zstd",
  "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
  "Cookie": "theme=dark; visitor=5b7ab6f5; session=eyJhbGciOiJkaXIifQ.e30",
  "If-None-Match": '"1f4-5e8d2c7a"',
  "If-Modified-Since": "Tue, 04 Nov 2025 09:00:00 GMT",
  "Priority": "u=0, i",
  "DNT": "1",
};

/** A scenario that sends every contestant the same requests. */
export function sameForAll(
  name: string,
  about: string,
  {
    contestants = [GATEWAY, NGINX, FETCH_PROXY],
    beside = [],
    load,
    variant,
    figures,
  }: {
    readonly contestants?: readonly Contestant[];
    /** Further ones, which a quick run leaves out. */
    readonly beside?: readonly Contestant[];
    readonly load: GetLoad;
    /** See {@linkcode Scenario}. */
    readonly variant?: GatewayVariant;
    readonly figures?: (rows: readonly Row[]) => Figure[];
  },
): Scenario {
  function drive(target: Server, seconds: number): Promise<Work> {
    return driveGets(target, seconds, load);
  }
  return {
    name,
    about,
    async measure(world) {
      const all = [...contestants, ...world.isQuick ? [] : beside];
      const entrants = underSame(drive, present(world, all));
      const rows = await measureRounds(world, entrants);
      return { quantity: RATE, rows, figures: figures?.(rows) ?? [] };
    },
    drive,
    ...variant && { variant },
  };
}

/** The gateway's rate to those of nginx and the fetch proxy. */
export function rateFigures(rows: readonly Row[]): Figure[] {
  const of = GATEWAY.name;
  return [
    ...ratioOf("rate : nginx", rows, { of, to: NGINX.name, quantity: RATE }),
    ...ratioOf("rate : fetch proxy", rows, {
      of,
      to: FETCH_PROXY.name,
      quantity: RATE,
    }),
  ];
}

function publicFigures(rows: readonly Row[]): Figure[] {
  const of = GATEWAY.name;
  return [
    ...rateFigures(rows),
    ...ratioOf("p99 : nginx", rows, { of, to: NGINX.name, quantity: P99 }),
    ...figureOf("rate", rows, [of, RATE]),
  ];
}

/** Exchanges a preview token in the query for a session cookie. */
async function sessionCookie({ port }: Server): Promise<string> {
  const head = await exchange(port, {
    host: HOSTS.private,
    target: `/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
    headers: { "Sec-Fetch-Mode": "navigate" },
  });
  const cookie = /^set-cookie: ([^;]+)/im.exec(head)?.[1];
  if (!head.startsWith("HTTP/1.1 303 ") || cookie === undefined) {
    throw new Error(`The key opened no session: ${head.split("\r\n")[0]}`);
  }
  return cookie;
}

const BY_TOKEN = { ...PRIVATE, "X-Daytona-Preview-Token": KEYS.lockedToken };

/** They differ by a few percent, and one round from the next by more. */
const CREDENTIAL_ROUNDS = 3;

/** One gateway, with four kinds of credentials, and an app's cookie, which costs what a cookie costs that is nobody's. */
const credentials: Scenario = {
  name: "private",
  about: "GET 1 KiB, 64 connections, by what opens the sandbox",
  async drive(target, seconds) {
    const headers = { ...PRIVATE, Cookie: await sessionCookie(target) };
    return await driveGets(target, seconds, { headers });
  },
  async measure(world) {
    const target = await world.warm(
      GATEWAY,
      (target, seconds) => driveGets(target, seconds, { headers: PUBLIC }),
    );
    const session = await sessionCookie(target);
    const appCookie = `app=${"x".repeat(session.length - "app=".length)}`;
    const requests: Readonly<Record<string, RequestHeaders>> = {
      "public": PUBLIC,
      "public, an app's cookie": { ...PUBLIC, Cookie: appCookie },
      "session cookie": { ...PRIVATE, Cookie: session },
      "preview token": BY_TOKEN,
      "bearer": { ...PRIVATE, Authorization: `Bearer ${KEYS.user}` },
    };
    const requested = Object.entries(requests).map(([name, headers]) => ({
      name,
      contestant: GATEWAY,
      load: { headers },
    }));
    const rows = await compare(world, requested, CREDENTIAL_ROUNDS);
    const figures = ["public", "public, an app's cookie"].flatMap((to) =>
      ratioOf(`session cookie : ${to}`, rows, {
        of: "session cookie",
        to,
        quantity: RATE,
      })
    );
    return { quantity: RATE, rows, figures };
  },
};

/** Scenarios that `wrk` can generate. */
export const GET_SCENARIOS: readonly Scenario[] = [
  sameForAll("public", "GET 1 KiB of a public sandbox, 64 connections", {
    beside: [NGINX_LOGGING, SERVE, DIRECT],
    load: { headers: PUBLIC },
    figures: publicFigures,
  }),
  sameForAll("public-256", "GET 1 KiB of a public sandbox, 256 connections", {
    load: { headers: PUBLIC, connections: 256 },
  }),
  credentials,
  sameForAll("floor", "GET 1 KiB, 64 connections, by what is done for it", {
    contestants: [GATEWAY, CLIENT_PROXY, LEAST_PROXY, SERVE, FETCH_PROXY],
    load: { headers: PUBLIC },
  }),
  sameForAll("browser", "GET 1 KiB with 20 request headers, 64 connections", {
    load: { headers: BROWSER },
  }),
];
