/** One attack on one gateway, from its start to its end. */
import { setTimeout as delay } from "node:timers/promises";
import { dial, type Scheme, writeAll } from "../../support/dial.ts";
import { fromLatin1, toLatin1 } from "../../support/latin1.ts";
import { headOf } from "../../support/load_client.ts";
import { rawStream, readResponse } from "../../support/raw_client.ts";
import {
  type Attack,
  BASE,
  HOSTILE,
  hostOf,
  QUIET,
  type Stage,
  urlOf,
} from "./attack.ts";
import type { Losses } from "./bystanders.ts";
import { AttackConnections } from "./connections.ts";
import { type FrontName, startFrontOf } from "./front.ts";
import {
  type GatewayProcess,
  startGatewayProcess,
} from "../harness/gateway.ts";
import { createMemoryGroup } from "./memory_limit.ts";
import { shareOfOthers, takenTime } from "./outsiders.ts";
import { letGoFirst } from "../harness/priority.ts";
import type { Sights } from "./visitors.ts";
import { type AttackWorld, hasIpv6 } from "./world.ts";

/** Everything that was observed. */
export interface Trial {
  readonly attack: string;
  readonly scheme: Scheme;
  /** What the visitors saw during the attack. */
  readonly sights: Sights;
  /** What they saw after it. */
  readonly aftermath: Sights;
  /** What bystanders lost, from its beginning to its end. */
  readonly losses: Losses | undefined;
  /** The most memory that the gateway took, bytes. */
  readonly peakBytes: number;
  /** True if it was killed because of its memory. */
  readonly isKilled: boolean;
  /** From SIGTERM to the start of the drain, ms; infinite if it did not begin. */
  readonly drainMs: number;
  /** Undefined if it did not exit by itself. */
  readonly exitCode: number | undefined;
  /** What the attack has got that it must not get. */
  readonly gains: readonly string[];
  /** What the gateway logged as an error. */
  readonly complaints: readonly string[];
  /** The share of the processors that others on the machine took meanwhile, from 0 to 1. */
  readonly othersShare: number;
}

/** How an attack is tried. */
export interface Conditions {
  readonly scheme: Scheme;
  /** The checkout that the gateway is started from; undefined for this one. */
  readonly folder: string | undefined;
  readonly front: FrontName | undefined;
  readonly limitBytes: number;
  readonly isShort: boolean;
}

/** The visits before the attack: code is compiled, answers are cached. */
const WARM_UP_MS = 800;

/** The visits during an attack that is over at once, ms. */
const MIN_OBSERVED_MS = 600;

const DEFAULT_DURATION_MS = 3_000;
const SHORT_DURATION_MS = 2_000;

/** The longest that an attack lasts in a short run, ms. */
const MAX_SHORT_MS = 9_000;

/** The visits after it, and the pause before them, in which the gateway may collect what the attack has left. */
const AFTERMATH_MS = 600;
const AFTERMATH_PAUSE_MS = 400;

/** An attack that is repeated before SIGTERM is under way after this time. */
const AGAIN_MS = 700;

/** An attack is over, whatever it waits for, this long after its time. */
const GRACE_MS = 20_000;

/** A connection that the gateway leaves open after its response, ms. */
const RAW_TIMEOUT_MS = 2_000;

/** The exit code of SIGKILL, which the kernel sends to who takes too much memory. */
const KILLED = 128 + 9;

/** Longer than a gateway in distress takes to begin its drain, and to exit, ms. */
const DRAIN_TIMEOUT_MS = 10_000;
const EXIT_TIMEOUT_MS = 20_000;

/** As long as a visitor waits for an answer, ms: amid a short run, the machine may be busy with anything. */
const PATIENCE_MS = 5_000;
const SHORT_PATIENCE_MS = 20_000;

/** Runs an attack on a gateway of its own, which is started from a checkout. */
export async function tryAttack(
  world: AttackWorld,
  attack: Attack,
  { scheme, folder, front, limitBytes, isShort }: Conditions,
): Promise<Trial> {
  const { observer } = world;
  // A group of its own: its peak is this gateway's.
  await using group = await createMemoryGroup(limitBytes);
  await using gateway = await startGatewayProcess({
    folder,
    environment: {
      ...world.environment(scheme, limitBytes),
      ...attack.settings,
    },
    // Without a group, it is to believe that it has a container of that size.
    ...group === undefined
      ? { flags: ["--deny-sys=systemMemoryInfo"] }
      : { prefix: group.command },
  });
  const { pid } = gateway;
  await letGoFirst(pid);
  await using proxy = front && await startFrontOf(front, gateway.port);
  const { port } = proxy ?? gateway;
  await observer.call("observe", {
    ...{ pid, port, scheme },
    // With its own TLS, the gateway sees the addresses of connections: innocents have another than attackers.
    ...scheme === "https" && hasIpv6() && { hostname: "::1" },
    limitBytes: group === undefined ? limitBytes : undefined,
    patienceMs: isShort ? SHORT_PATIENCE_MS : PATIENCE_MS,
  });
  await delay(WARM_UP_MS);
  await observer.call("take");
  await observer.call("begin");
  const before = await takenTime();

  const lastsMs = isShort
    ? Math.min(attack.lastsMs ?? SHORT_DURATION_MS, MAX_SHORT_MS)
    : attack.lastsMs ?? DEFAULT_DURATION_MS;
  const longEnough = delay(MIN_OBSERVED_MS);
  const gains = await perform(world, attack, {
    gateway,
    port,
    scheme,
    lastsMs,
  });
  await longEnough;
  const { sights } = await observer.call("take");
  await delay(AFTERMATH_PAUSE_MS);
  await observer.call("take");
  await delay(AFTERMATH_MS);
  const observation = await observer.call("take");
  const losses = await observer.call("end");
  const othersShare = shareOfOthers(before, await takenTime());
  const peakBytes = group === undefined
    ? observation.peakBytes
    : await group.peakBytes();

  const stopping = new AbortController();
  const again = attack.keepsUp && !gateway.hasExited
    ? perform(world, attack, {
      gateway,
      port,
      scheme,
      lastsMs: DRAIN_TIMEOUT_MS,
      stop: stopping.signal,
    })
    : undefined;
  if (again !== undefined) await delay(AGAIN_MS);
  const drainMs = await gateway.askToStop(DRAIN_TIMEOUT_MS);
  stopping.abort();
  await again;
  const exitCode = await gateway.exitCode(EXIT_TIMEOUT_MS);
  return {
    attack: attack.name,
    scheme,
    sights,
    aftermath: observation.sights,
    losses,
    peakBytes,
    isKilled: observation.isKilled ||
      group !== undefined && exitCode === KILLED,
    drainMs,
    exitCode,
    gains,
    complaints: gateway.complaints,
    othersShare,
  };
}

/** Attacks for a while, and closes the connections that the attack has left. */
async function perform(
  { stack, app }: AttackWorld,
  attack: Attack,
  { gateway, port, scheme, lastsMs, stop }: {
    readonly gateway: GatewayProcess;
    readonly port: number;
    readonly scheme: Scheme;
    readonly lastsMs: number;
    readonly stop?: AbortSignal;
  },
): Promise<readonly string[]> {
  const endpoint = { scheme, port };
  const timeUp = AbortSignal.timeout(lastsMs);
  const signal = stop === undefined ? timeUp : AbortSignal.any([timeUp, stop]);
  using connections = new AttackConnections(endpoint, signal);
  const stage: Stage = {
    ...endpoint,
    hostile: hostOf(HOSTILE),
    innocent: hostOf(QUIET),
    stack,
    app,
    signal,
    connect: (protocol) => connections.connect(protocol),
    async ask({ body, ...question }) {
      using stream = rawStream(await dial(endpoint));
      await stream.write(headOf({
        path: "/",
        ...question,
        ...body !== undefined && { body: [body] },
      }));
      if (body !== undefined) await stream.write(body);
      return await readResponse(stream, question.method);
    },
    async raw(bytes) {
      using conn = await dial(endpoint);
      const timer = setTimeout(
        () => conn[Symbol.dispose](),
        RAW_TIMEOUT_MS,
      );
      try {
        await writeAll(conn, fromLatin1(bytes));
        return await text(conn);
      } finally {
        clearTimeout(timer);
      }
    },
  };
  stack.provider.redirectUris.add(urlOf(endpoint, BASE, "/callback"));
  const overdue = delay(lastsMs + GRACE_MS, ["the attack did not end"], {
    ref: false,
  });
  try {
    return await Promise.race([attack.run(stage), overdue]) ?? [];
  } catch (error) {
    // A gateway that was killed fails every attack on it.
    return gateway.hasExited ? [] : [`the attack failed: ${error}`];
  }
}

/** Everything that is received until either side closes. */
async function text(conn: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(64 * 1024);
  let received = "";
  try {
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) return received;
      received += toLatin1(buffer.subarray(0, count));
    }
  } catch {
    return received;
  }
}
