/** Finds out where to connect to, each time: the primary of a server, the one that Sentinels name, or a Cluster. */
import { createCluster, ErrorReply } from "@redis/client";
import {
  addressesOf,
  type RedisLocation,
  type RedisNode,
} from "../../config/cache_location.ts";
import { sleep } from "../../lib/backoff.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import { hasErrorCode } from "./error_reply.ts";
import {
  openRedisClient,
  type RedisClient,
  STALL_MS,
  tlsOptions,
} from "./redis_client.ts";
import { RedisConnection } from "./redis_connection.ts";

/** Longest search for a node of a Cluster that answers, ms. */
const DISCOVERY_MS = 6_000;

/** The connection to what is at a location. */
export function connectionTo(given: RedisLocation): RedisConnection {
  let location = given;
  return new RedisConnection({
    server: addressesOf(given),
    async open(signal) {
      const client = await openRedis(location, signal);
      const { primaries } = client;
      if (primaries !== undefined) {
        // The nodes that were given may be gone by the time that it is opened again.
        const nodes = [...given.nodes, ...primaries] as const;
        location = { ...given, topology: "cluster", nodes };
      }
      return client;
    },
    now: () => performance.now(),
  });
}

/** Connects to what is at a location; rejects with the reason if that is not possible, or if the signal aborts. */
export async function openRedis(
  location: RedisLocation,
  signal: AbortSignal,
): Promise<RedisClient> {
  if (location.topology === "cluster") return openCluster(location, signal);
  if (location.topology === "sentinel") return openPrimary(location, signal);
  const client = await openRedisClient(location, { signal });
  if (client.mode !== "cluster" && client.mode !== "sentinel") return client;
  client.end(new Error(`Redis is a ${client.mode}`));
  if (client.mode === "cluster") return openCluster(location, signal);
  throw new Error(
    "This is a Sentinel: use redis+sentinel://HOST[:PORT],…/NAME, with the name of the primary",
  );
}

/** Connects to the primary that a Sentinel names; they are asked one after the other, as one may not know of a failover. */
async function openPrimary(
  location: RedisLocation,
  signal: AbortSignal,
): Promise<RedisClient> {
  let cause: unknown;
  for (const sentinel of location.nodes) {
    try {
      const nodes = [await askSentinel(sentinel, location, signal)] as const;
      return await openRedisClient({ ...location, nodes }, { signal });
    } catch (reason) {
      signal.throwIfAborted();
      cause = reason;
    }
  }
  throw new Error("No Sentinel leads to a primary", { cause });
}

async function askSentinel(
  node: RedisNode,
  location: RedisLocation,
  signal: AbortSignal,
): Promise<RedisNode> {
  const named = { ...location, nodes: [node], database: 0 } as const;
  const nobody = { ...named, username: undefined, password: undefined };
  // Few Sentinels have a password: theirs is that of the servers then.
  const client = await openRedisClient(nobody, { signal }).catch((error) => {
    if (!hasErrorCode(error, "NOAUTH")) throw error;
    return openRedisClient(named, { signal });
  });
  const question = ["SENTINEL", "get-master-addr-by-name", location.primary];
  try {
    const answering = client.send(...question);
    const answer = await fulfilsWithin(answering, STALL_MS) && await answering;
    if (Array.isArray(answer)) {
      return { hostname: String(answer[0]), port: Number(answer[1]) };
    }
    const server = addressesOf(named);
    throw new Error(`${server} knows no primary "${location.primary}"`);
  } finally {
    client.end(new Error("Asked"));
  }
}

/**
 * Connects to a Cluster. The library finds the node of each key, as every command is about one. Once a primary has been
 * lost or replaced, the whole is at its end: whoever opens it again learns which node has its slots now, and that writes
 * may be lost.
 */
async function openCluster(
  location: RedisLocation,
  signal: AbortSignal,
): Promise<RedisClient> {
  const { nodes, username, password } = location;
  const tls = await tlsOptions(location);
  signal.throwIfAborted();
  const cluster = createCluster({
    RESP: 3,
    rootNodes: nodes.map(({ hostname: host, port }) => ({
      socket: { host, port },
    })),
    defaults: {
      name: "porthole",
      ...username !== undefined && { username },
      ...password !== undefined && { password },
      socket: {
        connectTimeout: STALL_MS,
        socketTimeout: STALL_MS,
        reconnectStrategy: false, // the library's pauses cannot be aborted
        ...tls,
      },
      pingInterval: STALL_MS / 2, // otherwise an idle socket would count as dead
      disableOfflineQueue: true,
      disableClientInfo: true,
      maintNotifications: "disabled",
    },
    minimizeConnections: true, // one dead node must not keep the others from being used
    commandOptions: { timeout: 0 }, // the circuit breaker sets the deadline
  });
  let failure: unknown;
  cluster.on("error", (error) => failure = error); // commands reject
  const ending = new AbortController();
  const ended = Promise.withResolvers<unknown>();
  function end(reason: unknown): void {
    ended.resolve(reason);
    ending.abort();
    cluster.destroy();
  }
  const onAbort = () => end(signal.reason);
  signal.addEventListener("abort", onAbort, { signal: ending.signal });
  try {
    const connected = cluster.connect();
    if (!await fulfilsWithin(connected, DISCOVERY_MS, ending.signal)) {
      signal.throwIfAborted();
      throw new Error(`No node answers within ${DISCOVERY_MS} ms`);
    }
  } catch (error) {
    end(error);
    throw new Error("No node of the Cluster answers", {
      cause: failure ?? error,
    });
  }
  const primaries = cluster.masters
    .map(({ host, port }) => ({ hostname: host, port }));
  const endsAt = performance.now() + STALL_MS; // at the earliest: one that stays away must not take all with it
  cluster.on("node-error", (error) => {
    if (error instanceof ErrorReply) return; // not allowed to ask (PING), but it answers
    const restMs = Math.max(0, endsAt - performance.now());
    sleep(restMs, ending.signal).then(() => end(error), () => {});
  });
  cluster.on("node-ready", ({ host, port }) => {
    const isKnown = primaries.some((each) =>
      each.hostname === host && each.port === port
    );
    if (!isKnown) end(new Error("The Cluster has another primary"));
  });
  return { commands: cluster, primaries, ended: ended.promise, end };
}
