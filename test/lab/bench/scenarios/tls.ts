/** TLS by the gateway itself, beside proxies that terminate TLS, and beside these in front of the gateway. */
import { GATEWAY, HOSTS, present, TLS_RELAY } from "../contestants.ts";
import type { Work } from "../drive.ts";
import {
  CADDY_AND_GATEWAY,
  CADDY_TLS,
  NGINX_AND_GATEWAY,
  NGINX_TLS,
  RELAY_AND_GATEWAY,
  TLS_GATEWAY,
  TLS_VARIANT,
} from "../fronts.ts";
import { loadByTls, type TlsLoad } from "../h2load.ts";
import { measureRounds, underSame } from "../rounds.ts";
import { ratioOf, type Scenario } from "../scenario.ts";
import type { Server } from "../server.ts";
import { compare, P99, RATE } from "./rates.ts";

const SIZES: Readonly<Record<string, string>> = {
  "1 KiB": "/",
  "20 KB": "/bytes/20000",
  "1 MiB": "/bytes/1048576",
};

/** TLS by the gateway itself beside none, for bodies of one record, of two and of many. */
const beside: Scenario = {
  name: "tls",
  about: "GET 1 KiB, 20 KB and 1 MiB, 64 connections, without TLS and with it",
  async measure(world) {
    const headers = { Host: HOSTS.public };
    const requested = Object.entries(SIZES).flatMap(([size, path]) => [
      { name: `${size}`, contestant: GATEWAY, load: { headers, path } },
      {
        name: `${size}, TLS`,
        contestant: TLS_GATEWAY,
        load: { headers, path, scheme: "https" as const },
      },
    ]);
    const rows = await compare(world, requested);
    return { quantity: RATE, rows, figures: [] };
  },
};

function byTls(name: string, about: string, load: TlsLoad): Scenario {
  async function drive({ port }: Server, seconds: number): Promise<Work> {
    const report = await loadByTls(port, seconds, load);
    const { requests, requestsPerSec, p99Ms } = report;
    return {
      count: requests,
      reading: { [RATE]: requestsPerSec, [P99]: p99Ms },
    };
  }
  return {
    name,
    about,
    drive,
    variant: TLS_VARIANT,
    async measure(world) {
      if (world.missing.has("h2load")) {
        const notes = ["Not measured: h2load is not installed."];
        return { quantity: RATE, rows: [], figures: [], notes };
      }
      const relayAndGateway = RELAY_AND_GATEWAY[load.protocol];
      const contestants = present(world, [
        TLS_GATEWAY,
        ...load.protocol === "h2" ? [] : [TLS_RELAY],
        relayAndGateway,
        NGINX_TLS,
        CADDY_TLS,
        NGINX_AND_GATEWAY,
        CADDY_AND_GATEWAY,
      ]);
      const rows = await measureRounds(world, underSame(drive, contestants));
      const of = TLS_GATEWAY.name;
      return {
        quantity: RATE,
        rows,
        figures: [
          ...ratioOf("rate : nginx", rows, {
            of,
            to: NGINX_TLS.name,
            quantity: RATE,
          }),
          ...ratioOf("rate : Caddy", rows, {
            of,
            to: CADDY_TLS.name,
            quantity: RATE,
          }),
          ...ratioOf("rate : bare TLS relay", rows, {
            of,
            to: TLS_RELAY.name,
            quantity: RATE,
          }),
          ...ratioOf("rate : bare TLS relay + gateway", rows, {
            of,
            to: relayAndGateway.name,
            quantity: RATE,
          }),
          ...ratioOf("rate : nginx + gateway", rows, {
            of,
            to: NGINX_AND_GATEWAY.name,
            quantity: RATE,
          }),
        ],
      };
    },
  };
}

/** The load of each protocol: 64 requests are under way in either. */
const HTTP1 = { protocol: "http/1.1", connections: 64, streams: 1 } as const;
const HTTP2 = { protocol: "h2", connections: 16, streams: 4 } as const;

/** Scenarios of TLS. */
export const TLS: readonly Scenario[] = [
  beside,
  byTls("tls-http1", "GET 1 KiB by TLS and HTTP/1.1, 64 connections", {
    ...HTTP1,
    path: "/",
  }),
  byTls(
    "tls-http1-64k",
    "GET 64 KiB by TLS and HTTP/1.1, 64 connections",
    { ...HTTP1, path: "/bytes/65536" },
  ),
  byTls(
    "tls-http2",
    "GET 1 KiB by TLS and HTTP/2, 16 connections with 4 streams",
    { ...HTTP2, path: "/" },
  ),
  byTls(
    "tls-http2-64k",
    "GET 64 KiB by TLS and HTTP/2, 16 connections with 4 streams",
    { ...HTTP2, path: "/bytes/65536" },
  ),
];
