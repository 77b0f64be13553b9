import assert from "node:assert/strict";
import {
  openRedisClient,
  type RedisClientOptions,
} from "../../../../src/cache/redis/redis_client.ts";
import { hasErrorCode } from "../../../../src/cache/redis/error_reply.ts";
import type { RedisLocation } from "../../../../src/config/cache_location.ts";
import { freePort } from "../../../support/free_port.ts";
import {
  redisAt,
  redisTest,
  startRedis,
} from "../../../support/redis_server.ts";

const TLS = "test/support/tls";

/** Connects, and disconnects at the end of the scope. */
async function open(
  location: RedisLocation,
  options: Partial<RedisClientOptions> = {},
) {
  const closing = new AbortController();
  const client = await openRedisClient(location, {
    signal: closing.signal,
    ...options,
  });
  return {
    ...client,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await client.ended;
    },
  };
}

/** The error of connecting to a peer that is not a Redis server; `play` handles the peer's end. */
async function refusal(
  play: (conn: Deno.TcpConn) => Promise<void> | void,
  options: Partial<RedisClientOptions> = {},
): Promise<unknown> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const refused = open(redisAt(port), options).catch((error) => error);
  const early = refused.then((error) => {
    throw new Error("Refused before it connected", { cause: error });
  });
  using conn = await Promise.race([listener.accept(), early]);
  await play(conn);
  return await refused;
}

async function readGreeting(conn: Deno.TcpConn): Promise<void> {
  await conn.read(new Uint8Array(1_000));
}

Deno.test("openRedisClient() rejects if nothing listens on the port", async () => {
  await assert.rejects(open(redisAt(freePort())), /ECONNREFUSED/);
});

Deno.test("openRedisClient() times out if the peer accepts and sends nothing", async () => {
  const failure = await refusal(readGreeting, { connectTimeoutMs: 500 });
  assert.match(String(failure), /No handshake within 500 ms/);
});

Deno.test("openRedisClient() rejects at once if the peer speaks another protocol", async () => {
  const failure = await refusal(async (conn) => {
    await readGreeting(conn);
    await conn.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n"));
  }, { connectTimeoutMs: 60_000 });
  assert.match(String(failure), /Unknown RESP type/);
});

Deno.test("openRedisClient() rejects if the peer closes or refuses, without the password in the error", async () => {
  const closed = await refusal(async (conn) => {
    await readGreeting(conn);
    conn.closeWrite();
  });
  assert.match(String(closed), /closed/i);
  const repeated = await refusal(async (conn) => {
    await readGreeting(conn);
    await conn.write(new TextEncoder().encode(
      "-ERR unknown command `HELLO`, with args beginning with: `s3cret`\r\n",
    ));
  });
  assert(repeated instanceof Error);
  assert.equal(repeated.message, "ERR unknown command `HELLO`");
  assert.doesNotMatch(Deno.inspect(repeated), /s3cret/);
});

Deno.test("openRedisClient() rejects when its signal aborts, before and while it connects", async () => {
  const location = redisAt(freePort());
  const gone = AbortSignal.abort(new Error("closing"));
  await assert.rejects(open(location, { signal: gone }), /closing/);

  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const closing = new AbortController();
  const opening = open(redisAt(listener.addr.port), {
    signal: closing.signal,
  });
  closing.abort(new Error("closing"));
  await assert.rejects(opening, /closing/);
});

Deno.test("end() rejects commands in flight without waiting for a reply", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const opening = open(redisAt(listener.addr.port));
  using conn = await listener.accept();
  await readGreeting(conn);
  const greeting = new TextEncoder().encode("%1\r\n+proto\r\n:3\r\n");
  await conn.write(greeting);
  await readGreeting(conn);
  await conn.write(greeting);
  await using client = await opening;
  const asked = client.commands.get("key");
  const reason = new Error("enough");
  client.end(reason);
  await assert.rejects(asked);
  assert.equal(await client.ended, reason);
  await assert.rejects(client.commands.get("key"));
});

redisTest(
  "a client sets, reads, expires and deletes values",
  async () => {
    await using server = await startRedis();
    await using client = await open(redisAt(server.port));
    const { commands } = client;
    assert.equal(await commands.get("key"), null);
    assert.equal(await commands.pTTL("key"), -2);
    const expiration = { type: "PX", value: 60_000 } as const;
    await commands.set("key", "é\0\r\n", { expiration });
    assert.equal(await commands.get("key"), "é\0\r\n");
    const ttlMs = await commands.pTTL("key");
    assert(ttlMs > 50_000 && ttlMs <= 60_000);
    await server.command("PERSIST", "key");
    assert.equal(await commands.pTTL("key"), -1);
    await commands.del("key");
    assert.equal(await commands.get("key"), null);
  },
);

redisTest(
  "openRedisClient() sets its name and selects the given database",
  async () => {
    await using server = await startRedis();
    await using _client = await open(redisAt(server.port, { database: 3 }));
    const clients = String(await server.command("CLIENT", "LIST"));
    assert.match(clients, / name=porthole .* db=3 .* resp=3/);
  },
);

redisTest(
  "openRedisClient() authenticates with the server's password",
  async () => {
    await using server = await startRedis({
      args: ["--requirepass", "s3cret"],
    });
    const { port } = server;
    await using client = await open(redisAt(port, { password: "s3cret" }));
    assert.equal(await client.commands.get("key"), null);
    await assert.rejects(open(redisAt(port)), /NOAUTH/);
    await assert.rejects(
      open(redisAt(port, { password: "wrong" })),
      /^Error: WRONGPASS invalid username-password pair/,
    );
  },
);

redisTest(
  "openRedisClient() connects as a user whose ACL allows only the commands of the store",
  async () => {
    const rights =
      "~proxy:* ~porthole:* &porthole:* +get +set +del +pttl +eval +incrby +pexpire +publish +subscribe +client|tracking"
        .split(" ");
    await using server = await startRedis({
      args: ["--user", "gateway", "on", ">s3cret", ...rights],
    });
    const { port } = server;
    const user = { username: "gateway", password: "s3cret" };
    await using client = await open(redisAt(port, user));
    const expiration = { type: "PX", value: 60_000 } as const;
    await client.commands.set("proxy:a", "1", { expiration });
    assert.equal(await client.commands.get("proxy:a"), "1");
    await client.commands.pTTL("proxy:a");
    assert.equal(await client.commands.incrBy("porthole:b", 2), 2);
    await client.commands.pExpire("porthole:b", 60_000);
    await client.commands.del("proxy:a");
    const keys = ["porthole:b"];
    const counted = await client.commands
      .eval("return redis.call('GET', KEYS[1])", { keys, arguments: [] });
    assert.equal(counted, "2");
    const heard = Promise.withResolvers<string>();
    await client.commands.subscribe("porthole:a", heard.resolve);
    await client.commands.publish("porthole:a", "hello");
    await client.commands.clientTracking(true, { NOLOOP: true });
    assert.equal(await heard.promise, "hello");
    await assert.rejects(client.commands.get("another"), /NOPERM/);
    const clients = String(await server.command("CLIENT", "LIST"));
    assert.match(clients, / name=porthole .* user=gateway /);
  },
);

redisTest("openRedisClient() verifies the server's certificate", async () => {
  const caFile = `${TLS}/ca.pem`;
  for (const certificate of ["cert.pem", "other_host_cert.pem"]) {
    const port = freePort();
    await using _server = await startRedis({
      port,
      args: [
        ...["--port", "0", "--tls-port", String(port)],
        ...["--tls-cert-file", `${TLS}/${certificate}`],
        ...["--tls-key-file", `${TLS}/key.pem`],
        ...["--tls-ca-cert-file", `${TLS}/ca.pem`],
        ...["--tls-auth-clients", "no"],
      ],
    });
    const location = redisAt(port, { tls: true });
    await assert.rejects(open(location), /certificate/);
    await assert.rejects(
      open({ ...location, caFile: `${TLS}/none.pem` }),
      /REDIS_CA_FILE: .*none\.pem does not exist/,
    );
    if (certificate === "cert.pem") {
      await using client = await open({ ...location, caFile });
      assert.equal(await client.commands.get("key"), null);
    } else {
      await assert.rejects(open({ ...location, caFile }), /altnames|name/i);
    }
    await assert.rejects(
      open(redisAt(port), { connectTimeoutMs: 1_000 }),
    ); // without TLS
  }
});

redisTest(
  "a client's `ended` resolves with the reason when its connection is lost",
  async () => {
    await using server = await startRedis();
    await using client = await open(redisAt(server.port));
    await server[Symbol.asyncDispose]();
    assert.match(String(await client.ended), /closed/i);
    await assert.rejects(client.commands.get("key"));
  },
);

Deno.test("hasErrorCode() compares only the first word of the reply", () => {
  const readOnly = new Error("READONLY You can't write against a replica.");
  assert.equal(hasErrorCode(readOnly, "READONLY"), true);
  assert.equal(hasErrorCode(readOnly, "WRONGTYPE"), false);
  assert.equal(hasErrorCode(new Error("ERR not READONLY"), "READONLY"), false);
  assert.equal(hasErrorCode("READONLY it is", "READONLY"), false);
});
