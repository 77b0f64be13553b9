import assert from "node:assert/strict";
import { parseOrigin } from "../../../../src/http/origin.ts";
import {
  type Dial,
  dial,
  dialOnDeploy,
} from "../../../../src/upstream/http1/connect.ts";
import { freePort } from "../../../support/free_port.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { withRawServer } from "../../../support/raw_server.ts";
import {
  answerAll,
  requestOf,
  textOf,
  turn,
  withClient,
  withCode,
} from "../../../support/upstream.ts";

function pem(name: string): string {
  return Deno.readTextFileSync(
    new URL(`../../../support/tls/${name}.pem`, import.meta.url),
  );
}

const CA = pem("ca");
const SERVER = { cert: pem("cert"), key: pem("key") };
const OTHER_HOST = { cert: pem("other_host_cert"), key: pem("key") };

/** Dials with trust in that authority only, everywhere and on Deno Deploy. */
function dialsTrusting(...caCerts: string[]): Dial[] {
  return [dial, dialOnDeploy].map((each) => (origin, signal) =>
    each(origin, signal, caCerts)
  );
}

/** Has `Deno.connect()` do something else until it is disposed of. */
function replaceConnect(connect: () => never): Disposable {
  const { connect: original } = Deno;
  Object.assign(Deno, { connect });
  return {
    [Symbol.dispose]: () => void Object.assign(Deno, { connect: original }),
  };
}

Deno.test("request() connects by TLS to an https origin with a trusted certificate", async () => {
  for (const dial of dialsTrusting(CA)) {
    await withRawServer(answerAll, async (server) => {
      await withClient({ dial }, async (client) => {
        for (let count = 0; count < 2; count++) {
          const { body } = await client.request(
            requestOf({ origin: server.origin }),
          );
          assert.equal(await textOf(body), "ok");
        }
        assert.equal(server.accepted, 1);
      });
    }, SERVER);
  }
});

Deno.test("on Deno Deploy, request() connects to an https origin without Deno.connect()", async () => {
  await withRawServer(answerAll, async ({ origin }) => {
    using _ = replaceConnect(() => {
      throw new Deno.errors.PermissionDenied("Not to port 443");
    });
    const [anywhere, onDeploy] = dialsTrusting(CA);
    assert(anywhere !== undefined && onDeploy !== undefined);
    await withClient({ dial: onDeploy }, async (client) => {
      const { body } = await client.request(requestOf({ origin }));
      assert.equal(await textOf(body), "ok");
    });
    await withClient({ dial: anywhere }, async (client) => {
      const refused = client.request(requestOf({ origin }));
      await assert.rejects(refused, withCode("connect_failed"));
    });
  }, SERVER);
});

Deno.test("on Deno Deploy, request() connects to an http origin as anywhere else, and fails where nobody listens", async () => {
  await withRawServer(answerAll, async ({ origin }) => {
    await withClient({ dial: dialOnDeploy }, async (client) => {
      const { body } = await client.request(requestOf({ origin }));
      assert.equal(await textOf(body), "ok");
    });
  });
  const port = freePort();
  await withClient({ dial: dialOnDeploy }, async (client) => {
    const origin = parseOrigin(`https://127.0.0.1:${port}`);
    await assert.rejects(
      client.request(requestOf({ origin })),
      withCode("connect_failed"),
    );
  });
});

Deno.test("request() sends nothing if the certificate is not trusted, or another host's", async () => {
  for (const [tls, caCerts] of [[SERVER, []], [OTHER_HOST, [CA]]] as const) {
    for (const dial of dialsTrusting(...caCerts)) {
      await withRawServer(answerAll, async ({ origin, heads }) => {
        await withClient({ dial }, async (client) => {
          await assert.rejects(
            client.request(requestOf({ origin })),
            withCode("tls_failed"),
          );
          assert.equal(client.stats().open, 0);
          assert.equal(heads.length, 0);
        });
      }, tls);
    }
  }
});

Deno.test("request() fails if the upstream of an https origin does not use TLS", async () => {
  await withRawServer(async (conn) => {
    await conn.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    await conn.closed();
  }, async ({ origin }) => {
    await withClient({}, async (client) => {
      const tls = { ...origin, tls: true };
      await assert.rejects(
        client.request(requestOf({ origin: tls })),
        withCode("tls_failed"),
      );
    });
  });
});

Deno.test("request() gives up a TLS handshake when it is aborted or takes too long", async () => {
  for (const dial of dialsTrusting()) {
    using clock = fakeClock();
    await withRawServer((conn) => conn.closed(), async (server) => {
      const origin = { ...server.origin, tls: true };
      await withClient(
        { dial, connectTimeoutMs: 1000 },
        async (client) => {
          const abort = new AbortController();
          const aborted = client.request(
            requestOf({ origin, signal: abort.signal }),
          );
          const overdue = client.request(requestOf({ origin }));
          while (server.accepted < 2) await turn();
          abort.abort();
          await assert.rejects(aborted, withCode("aborted"));
          clock.pass(1000);
          await assert.rejects(overdue, withCode("connect_timeout"));
        },
      );
    });
  }
});
