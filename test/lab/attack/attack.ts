/** What an attack is, and what is promised to everybody else while it lasts. */
import type { Stack } from "../../../scripts/stand_in/stack.ts";
import type { Scheme } from "../../support/dial.ts";
import type { HostileApp } from "../../support/hostile_app.ts";
import type { RawResponse } from "../../support/raw_client.ts";

/** Bytes in a MiB. */
export const MIB = 1024 * 1024;

/** The innocent clients beside the visitors, see bystanders.ts. */
export const BYSTANDERS = [
  "lively",
  "quiet",
  "large",
  "neighbour's page",
  "neighbour's lively",
  "neighbour's quiet",
] as const;

/** The name of one. */
export type BystanderName = (typeof BYSTANDERS)[number];

/** What holds for every attack, unless it says otherwise. */
export interface Promises {
  /** Of `/health`, a preview and a message's way through a tunnel and back, ms. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** From SIGTERM to the start of the drain, ms. */
  readonly drainMs: number;
  /** Whether every answer must be the right one during the attack; after it, it must be. */
  readonly areAnswered: boolean;
}

/** What is not promised about an attack. */
export interface Limit {
  /** Over what; over both if undefined. */
  readonly over?: Scheme;
  /** What is promised instead. */
  readonly promises: Partial<Promises>;
  /** In a sentence without a period. */
  readonly reason: string;
}

/** The promises of issue and documents. */
export const PROMISES: Promises = {
  medianMs: 100,
  p99Ms: 500,
  drainMs: 1000,
  areAnswered: true,
};

/** What is judged in a short run: how long things take depends on what else the machine does. */
export const CERTAIN: Partial<Promises> = {
  medianMs: Infinity,
  p99Ms: Infinity,
  drainMs: 10_000,
};

/** An attack. */
export interface Attack {
  /** One word, such as `S1-pongs`. */
  readonly name: string;
  /** What it tries, in a sentence without a period. */
  readonly about: string;
  /** For one of the gate: over what. */
  readonly short?: Scheme;
  /** True for one that takes Chromium; it is skipped where there is none. */
  readonly needsBrowser?: true;
  /** Undefined for one that is the same over TLS and without. */
  readonly only?: Scheme;
  /** How long it lasts, ms; 3,000 by default; in a short run 2,000, and 9,000 at most. One that has nothing more to try may end sooner. */
  readonly lastsMs?: number;
  /** Settings of the gateway that it needs. */
  readonly settings?: Readonly<Record<string, string>>;
  /** True for one that goes on by itself: the gateway is asked to stop amid it. */
  readonly keepsUp?: true;
  /** The bystanders that lose nothing: of others, what they lose is only told. */
  readonly spares?: readonly BystanderName[];
  /** The difference from {@linkcode PROMISES}, if there is one. */
  readonly limit?: Limit;
  /** Attacks until `stage.signal` is aborted, or all is tried; resolves to what it has got that it must not get. */
  run(stage: Stage): Promise<readonly string[] | void>;
}

/** A request of an attack. */
export interface Question {
  readonly method?: string;
  readonly host: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a flood works with. */
export interface Arena {
  readonly scheme: Scheme;
  /** The gateway's. */
  readonly port: number;
  /** The host of a sandbox whose app is hostile, see `test/support/hostile_app.ts`. */
  readonly hostile: string;
  /** The host of a sandbox that has nothing to do with it. */
  readonly innocent: string;
  /** Aborted when its time is up. */
  readonly signal: AbortSignal;
  /** Connects to the gateway; the connection is closed at the end of the attack. */
  connect(protocol?: string): Promise<Deno.TcpConn | Deno.TlsConn>;
}

/** What any attack works with. */
export interface Stage extends Arena {
  readonly stack: Stack;
  readonly app: HostileApp;
  /** Sends a request on a connection of its own, and reads the response. */
  ask(question: Question): Promise<RawResponse>;
  /** Sends these bytes, in Latin-1, on a connection of their own, and reads until the gateway closes it, or 2 s. */
  raw(bytes: string): Promise<string>;
}

/** An attack that takes nothing but connections. */
export interface Flood extends Attack {
  run(arena: Arena): Promise<void>;
}

/** The address of a page of the gateway under attack. */
export function urlOf(
  { scheme, port }: Pick<Stage, "scheme" | "port">,
  host: string,
  path = "/",
): string {
  return `${scheme}://${host}:${port}${path}`;
}

/** The base domain. */
export const BASE = "proxy.localhost";

/** The host of a port of a sandbox. */
export function hostOf(sandbox: string, port = 3000): string {
  return `${port}-${sandbox}.${BASE}`;
}

/** A public sandbox, all of whose ports are the hostile app. */
export const HOSTILE = "hostile";

/** A public sandbox, all of whose ports are an innocent app. */
export const QUIET = "quiet";
