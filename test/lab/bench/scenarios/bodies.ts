/** Requests per second by the size of a body, in either direction, with and without its length in advance. */
import {
  CLIENT_PROXY,
  FETCH_PROXY,
  GATEWAY,
  type GatewayVariant,
  GO_PROXY,
  HOSTS,
  NGINX,
} from "../contestants.ts";
import { type Figure, ratioOf, type Row, type Scenario } from "../scenario.ts";
import { rateFigures, sameForAll } from "./gets.ts";
import { type GetLoad, P99, RATE } from "./rates.ts";

const KIB = 1024;
const UPLOAD_SCRIPT = new URL("../upload.lua", import.meta.url).pathname;

/** The sizes of what pages consist of, KiB, by what they are called. */
const PAGE_SIZES = { "4k": 4, "16k": 16, "64k": 64, "256k": 256, "1m": 1024 };

/** Sizes that tell enough of the other kinds of bodies. */
const FEW_SIZES = { "64k": 64, "1m": 1024 };

/**
 * Twice the budget: each upload is charged 0.7 MiB, and one client may have three quarters. All of these are of one address,
 * and where rounds follow one another, those that the last one broke off are there for a moment beside those of the next.
 */
const ROOM_FOR_TWO_ROUNDS = {
  environment: { BUFFER_BUDGET_BYTES: `${128 * KIB * KIB}` },
};

function figures(rows: readonly Row[]): Figure[] {
  const of = GATEWAY.name;
  return [
    ...rateFigures(rows),
    ...[CLIENT_PROXY, GO_PROXY].flatMap(({ name: to }) =>
      ratioOf(`rate : ${to}`, rows, { of, to, quantity: RATE })
    ),
    ...ratioOf("p99 : fetch proxy", rows, {
      of,
      to: FETCH_PROXY.name,
      quantity: P99,
    }),
  ];
}

/** A scenario for each size, called `PREFIX-SIZE`. */
function bySize(
  prefix: string,
  sizes: Readonly<Record<string, number>>,
  { about, load, variant }: {
    readonly about: (kib: number) => string;
    readonly load: (bytes: number) => Omit<GetLoad, "headers">;
    readonly variant?: GatewayVariant;
  },
): Scenario[] {
  return Object.entries(sizes).map(([size, kib]) =>
    sameForAll(`${prefix}-${size}`, `${about(kib)}, 64 connections`, {
      contestants: [GATEWAY, NGINX, FETCH_PROXY],
      beside: [CLIENT_PROXY, GO_PROXY],
      load: { headers: { Host: HOSTS.public }, ...load(kib * KIB) },
      ...variant && { variant },
      figures,
    })
  );
}

/** Scenarios of bodies. */
export const BODIES: readonly Scenario[] = [
  ...bySize("body", PAGE_SIZES, {
    about: (kib) => `GET ${kib} KiB`,
    load: (bytes) => ({ path: `/bytes/${bytes}` }),
  }),
  ...bySize("chunked", FEW_SIZES, {
    about: (kib) => `GET ${kib} KiB without a Content-Length`,
    load: (bytes) => ({ path: `/chunked/${bytes}` }),
  }),
  ...bySize("upload", FEW_SIZES, {
    about: (kib) => `POST ${kib} KiB`,
    load: (bytes) => ({
      path: "/upload",
      script: UPLOAD_SCRIPT,
      args: [`${bytes}`],
    }),
    variant: ROOM_FOR_TWO_ROUNDS,
  }),
  ...bySize("upload-chunked", FEW_SIZES, {
    about: (kib) => `POST ${kib} KiB in chunks`,
    load: (bytes) => ({
      path: "/upload",
      script: UPLOAD_SCRIPT,
      args: [`${bytes}`, "chunked"],
    }),
    variant: ROOM_FOR_TWO_ROUNDS,
  }),
];
