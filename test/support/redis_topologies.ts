/** A primary with a replica that three Sentinels watch, and a Cluster of three primaries with a replica each. */
import type {
  RedisLocation,
  RedisNode,
} from "../../src/config/cache_location.ts";
import { assertEventually } from "./assert_eventually.ts";
import { freePorts } from "./free_port.ts";
import { redisAt, type RedisServer, startRedis } from "./redis_server.ts";

/** Servers that belong together. */
export interface RedisTopology extends AsyncDisposable {
  /** Where a client finds them. */
  readonly location: RedisLocation;
  /** The URL of that. */
  readonly url: string;
  readonly primaries: readonly RedisServer[];
  /** Each one's replica. */
  readonly replicas: readonly RedisServer[];
  /** The Sentinels. */
  readonly sentinels: readonly RedisServer[];
}

/** How soon a server that does not answer counts as dead, ms. */
const DEAD_AFTER_MS = "1000";

async function inFolder(
  start: (dir: string, started: AsyncDisposableStack) => Promise<
    Omit<RedisTopology, "url" | typeof Symbol.asyncDispose>
  >,
): Promise<RedisTopology> {
  await Deno.mkdir("./data/test", { recursive: true });
  const dir = await Deno.makeTempDir({ dir: "./data/test" });
  await using starting = new AsyncDisposableStack();
  starting.defer(() => Deno.remove(dir, { recursive: true }));
  const topology = await start(dir, starting);
  const started = starting.move();
  const { nodes, topology: kind, primary } = topology.location;
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`).join(",");
  return {
    ...topology,
    url: `redis+${kind}://${hosts}/${primary}`,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

async function untilReplicated(replica: RedisServer): Promise<void> {
  await assertEventually(
    async () =>
      String(await replica.command("INFO", "replication"))
        .includes("master_link_status:up"),
    "the replica has what its primary has",
  );
}

function nodesOf(servers: readonly RedisServer[]) {
  const [first, ...others]: RedisNode[] = servers.map(({ port }) => ({
    hostname: "127.0.0.1",
    port,
  }));
  if (first === undefined) throw new Error("Cannot be none");
  return [first, ...others] as const;
}

/** Starts the servers that Sentinels watch. */
export function startSentinels(): Promise<RedisTopology> {
  return inFolder(async (dir, started) => {
    const primary = started.use(await startRedis());
    const replica = started.use(
      await startRedis({
        args: [
          ...["--dir", dir, "--repl-diskless-sync-delay", "0"],
          ...["--replicaof", "127.0.0.1", String(primary.port)],
        ],
      }),
    );
    await primary.command("CONFIG", "SET", "repl-diskless-sync-delay", "0");
    await untilReplicated(replica);
    const sentinels: RedisServer[] = [];
    for (let i = 0; i < 3; i++) {
      const sentinelConfig = `${dir}/sentinel-${i}.conf`;
      const text = [
        "bind 127.0.0.1",
        `sentinel monitor main 127.0.0.1 ${primary.port} 2`,
        `sentinel down-after-milliseconds main ${DEAD_AFTER_MS}`,
        "sentinel failover-timeout main 2000",
      ].join("\n");
      await Deno.writeTextFile(sentinelConfig, `${text}\n`);
      sentinels.push(started.use(await startRedis({ sentinelConfig })));
    }
    for (const sentinel of sentinels) {
      await assertEventually(async () => {
        const facts = await sentinel.command("SENTINEL", "MASTER", "main");
        const [others, replicas] = ["num-other-sentinels", "num-slaves"]
          .map((name) => Object(facts)[name]);
        return others === "2" && replicas === "1";
      }, "the Sentinels know each other and the replica");
    }
    return {
      location: redisAt(0, {
        topology: "sentinel",
        nodes: nodesOf(sentinels),
        primary: "main",
      }),
      primaries: [primary],
      replicas: [replica],
      sentinels,
    };
  });
}

/** Starts a Cluster. */
export function startCluster(): Promise<RedisTopology> {
  return inFolder(async (dir, started) => {
    const servers: RedisServer[] = [];
    const busPorts = freePorts(6).map(String);
    for (const [i, busPort] of busPorts.entries()) {
      const args = [
        ...["--cluster-enabled", "yes", "--cluster-port", busPort],
        ...["--cluster-config-file", `nodes-${i}.conf`, "--dir", dir],
        ...["--cluster-node-timeout", DEAD_AFTER_MS],
        ...["--dbfilename", `${i}.rdb`, "--repl-diskless-sync-delay", "0"],
      ];
      servers.push(started.use(await startRedis({ args })));
    }
    const primaries = servers.slice(0, 3);
    const replicas = servers.slice(3);
    const slots = [["0", "5460"], ["5461", "10922"], ["10923", "16383"]];
    for (const [i, primary] of primaries.entries()) {
      await primary.command("CLUSTER", "ADDSLOTSRANGE", ...slots[i] ?? []);
      await primary.command("CLUSTER", "SET-CONFIG-EPOCH", String(i + 1));
    }
    for (const [i, { port }] of servers.entries()) {
      const address = ["127.0.0.1", String(port), busPorts[i] ?? ""];
      await primaries[0]?.command("CLUSTER", "MEET", ...address);
    }
    for (const server of servers) {
      await assertEventually(async () => {
        const facts = String(await server.command("CLUSTER", "INFO"));
        return /cluster_state:ok/.test(facts) &&
          /cluster_known_nodes:6/.test(facts);
      }, "the nodes know each other");
    }
    for (const [i, replica] of replicas.entries()) {
      const id = String(await primaries[i]?.command("CLUSTER", "MYID"));
      await replica.command("CLUSTER", "REPLICATE", id);
    }
    for (const replica of replicas) await untilReplicated(replica);
    return {
      location: redisAt(0, { topology: "cluster", nodes: nodesOf(servers) }),
      primaries,
      replicas,
      sentinels: [],
    };
  });
}
