/** What a drill does to Redis: servers as operators have them, and what befalls them. */
import { freePort } from "../../support/free_port.ts";
import { startRedis } from "../../support/redis_server.ts";
import {
  startCluster,
  startSentinels,
} from "../../support/redis_topologies.ts";

/** Servers of Redis; disposing of them ends them. */
export interface RedisInTrouble extends AsyncDisposable {
  /** The variables by which gateways use them. */
  readonly environment: Readonly<Record<string, string>>;
  begin(): Promise<unknown>;
  /** Undefined if the servers end it by themselves. */
  readonly end?: () => Promise<unknown>;
}

/** A trouble. */
export interface RedisTrouble {
  readonly name: string;
  /** What happens, as the first cell of a table's row. */
  readonly about: string;
  /** How long it lasts, unless it ends by itself before, s. */
  readonly seconds: number;
  start(): Promise<RedisInTrouble>;
}

/** Its certificate, for 127.0.0.1, its key, and their authority. */
const TLS = new URL("../../support/tls/", import.meta.url).pathname;

/** All of them. */
export const REDIS_TROUBLES: readonly RedisTrouble[] = [
  {
    name: "sentinel",
    about: "the primary that three Sentinels watch is killed",
    seconds: 15,
    start: () => withFailover(startSentinels()),
  },
  {
    name: "cluster",
    about: "one of the three primaries of a Cluster is killed",
    seconds: 15,
    start: () => withFailover(startCluster()),
  },
  {
    name: "tls",
    about: "Redis over TLS is killed, and is back after 15 s without its data",
    seconds: 15,
    start: startOverTls,
  },
  {
    name: "full",
    about: "Redis takes no writes for 15 s, as its memory is full",
    seconds: 15,
    start: startSmall,
  },
];

async function withFailover(
  starting: ReturnType<typeof startSentinels>,
): Promise<RedisInTrouble> {
  const topology = await starting;
  return {
    environment: { CACHE_URL: topology.url },
    begin: async () => await topology.primaries[0]?.[Symbol.asyncDispose](),
    [Symbol.asyncDispose]: () => topology[Symbol.asyncDispose](),
  };
}

async function startOverTls(): Promise<RedisInTrouble> {
  const port = freePort();
  const args = [
    ...["--tls-port", String(port), "--tls-auth-clients", "no"],
    ...["--tls-cert-file", `${TLS}cert.pem`],
    ...["--tls-key-file", `${TLS}key.pem`],
    ...["--tls-ca-cert-file", `${TLS}ca.pem`],
  ];
  let server = await startRedis({ args });
  return {
    environment: {
      CACHE_URL: `rediss://127.0.0.1:${port}`,
      REDIS_CA_FILE: `${TLS}ca.pem`,
    },
    begin: () => Promise.resolve(server[Symbol.asyncDispose]()),
    async end() {
      server = await startRedis({ args });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(server[Symbol.asyncDispose]()),
  };
}

async function startSmall(): Promise<RedisInTrouble> {
  const args = ["--maxmemory-policy", "noeviction"];
  const server = await startRedis({ args });
  const limitTo = (bytes: string) =>
    server.command("CONFIG", "SET", "maxmemory", bytes);
  return {
    environment: { CACHE_URL: `redis://127.0.0.1:${server.port}` },
    begin: () => limitTo("1"),
    end: () => limitTo("0"),
    [Symbol.asyncDispose]: () => Promise.resolve(server[Symbol.asyncDispose]()),
  };
}
