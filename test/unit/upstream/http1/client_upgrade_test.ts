import assert from "node:assert/strict";
import type { UpgradedConnection } from "../../../../src/upstream/http1/upgraded_connection.ts";
import { toLatin1 } from "../../../support/latin1.ts";
import {
  requestOf,
  textOf,
  withCode,
  withScripts,
  withUpstream,
} from "../../../support/upstream.ts";

const SWITCHING =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n";
const HEADERS = [["host", "a"], ["Upgrade", "echo"]] as const;

async function readText(
  connection: UpgradedConnection,
): Promise<string | null> {
  const bytes = await connection.read();
  return bytes === null ? null : toLatin1(bytes);
}

Deno.test("upgrade() returns the connection after a 101, for both directions", async () => {
  await withUpstream(async (conn) => {
    const head = await conn.readHead();
    assert.equal(
      head,
      "GET /ws HTTP/1.1\r\nhost: a\r\nUpgrade: echo\r\nconnection: Upgrade\r\n\r\n",
    );
    await conn.write(SWITCHING);
    assert.equal(await conn.readUntil("."), "one two.");
    await conn.write("back");
    await conn.closed();
  }, async (client, { origin }) => {
    const result = await client.upgrade(
      requestOf({ origin, target: "/ws", headers: HEADERS }),
    );
    assert.ok(result.kind === "switched");
    assert.deepEqual(result.headers, [["Upgrade", "echo"], [
      "Connection",
      "Upgrade",
    ]]);
    const { connection } = result;
    const encoder = new TextEncoder();
    for (const word of ["one ", "two", "."]) {
      await connection.write(encoder.encode(word));
    }
    assert.equal(await readText(connection), "back");
    assert.deepEqual(client.stats(), { open: 1, idle: 0, active: 1 });
    connection.close();
    connection.close();
    assert.equal(client.stats().open, 0);
  });
});

Deno.test("upgrade() returns any other response as it is, and does not reuse the connection", async () => {
  await withUpstream(async (conn) => {
    await conn.readHead();
    await conn.write(
      "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: x\r\nContent-Length: 2\r\n\r\nno",
    );
    await conn.closed();
  }, async (client, { origin }) => {
    const result = await client.upgrade(
      requestOf({ origin, headers: HEADERS }),
    );
    assert.ok(result.kind === "response");
    assert.equal(result.response.status, 401);
    assert.equal(await textOf(result.response.body), "no");
    assert.equal(client.stats().open, 0);
  });
});

Deno.test("upgrade() never uses an idle connection", async () => {
  await withUpstream(async (conn) => {
    await conn.readHead();
    await conn.write(
      conn.index === 0 ? "HTTP/1.1 204 No Content\r\n\r\n" : SWITCHING,
    );
    await conn.closed();
  }, async (client, server) => {
    const { origin } = server;
    await client.request(requestOf({ origin }));
    await client.upgrade(requestOf({ origin, headers: HEADERS }));
    assert.equal(server.accepted, 2);
    assert.deepEqual(client.stats(), { open: 2, idle: 1, active: 1 });
  });
});

Deno.test("upgrade() obeys its signal until the 101 and ignores it afterwards", async () => {
  const abort = new AbortController();
  await withUpstream(async (conn) => {
    await conn.readHead();
    if (conn.index === 0) {
      await conn.write(SWITCHING);
      await conn.readUntil(".");
      await conn.write("still here");
    } else {
      abort.abort();
    }
    await conn.closed();
  }, async (client, { origin }) => {
    const early = new AbortController();
    const result = await client.upgrade(
      requestOf({ origin, headers: HEADERS, signal: early.signal }),
    );
    assert.ok(result.kind === "switched");
    early.abort();
    await result.connection.write(new TextEncoder().encode("."));
    assert.equal(await readText(result.connection), "still here");
    await assert.rejects(
      client.upgrade(
        requestOf({ origin, headers: HEADERS, signal: abort.signal }),
      ),
      withCode("aborted"),
    );
  });
});

Deno.test("UpgradedConnection fails pending and later calls once it or its client is closed", async () => {
  await withUpstream(async (conn) => {
    await conn.readHead();
    await conn.write(SWITCHING);
    await conn.closed();
  }, async (client, { origin }) => {
    for (const close of ["connection", "client"]) {
      const result = await client.upgrade(
        requestOf({ origin, headers: HEADERS }),
      );
      assert.ok(result.kind === "switched");
      const { connection } = result;
      const pending = connection.read();
      if (close === "client") client.close();
      else connection.close();
      await assert.rejects(pending, withCode("closed"));
      await assert.rejects(connection.read(), withCode("closed"));
      await assert.rejects(
        connection.write(new Uint8Array(1)),
        withCode("closed"),
      );
    }
  });
});

Deno.test("UpgradedConnection writes nothing after a write that failed", async () => {
  await withScripts(
    [{ reads: [SWITCHING], then: "silence", failingWrite: 1 }],
    async (client, [conn]) => {
      const result = await client.upgrade(requestOf({ headers: HEADERS }));
      assert.ok(result.kind === "switched");
      const { connection } = result;
      for (let count = 0; count < 2; count++) {
        await assert.rejects(
          connection.write(new Uint8Array(1)),
          withCode("connection_lost"),
        );
      }
      assert.equal(conn?.writes, 2);
    },
  );
});

Deno.test("upgrade() returns the bytes that follow the head first, however many, and then the later ones", async () => {
  const early = "early ".repeat(1000);
  const later = "later ".repeat(5000);
  const interim = "HTTP/1.1 100 Continue\r\n\r\n";
  const reads = [
    `${interim}${SWITCHING}${early}`,
    later.slice(0, 9),
    later.slice(9),
  ];
  await withScripts([{ reads }], async (client) => {
    const result = await client.upgrade(requestOf({ headers: HEADERS }));
    assert.ok(result.kind === "switched");
    const { connection } = result;
    let text = "";
    while (text.length < early.length + later.length) {
      text += await readText(connection);
    }
    assert.equal(text, early + later);
    assert.equal(await readText(connection), null);
    assert.equal(await readText(connection), null);
    connection.close();
  });
});
