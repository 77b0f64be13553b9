import { once } from "node:events";
import { connect } from "node:tls";
import { CA, LOCALHOST } from "../../support/certificates.ts";
import { stillNeeded } from "./canary.ts";

/** Far less than the 40 ms of a delayed acknowledgement, ms. */
const IMMEDIATE_MS = 20;

Deno.test("canary: Deno.serve leaves Nagle's algorithm on for TLS", async () => {
  const body = "x".repeat(2000);
  const ending = new AbortController();
  const { cert, key } = LOCALHOST;
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    cert,
    key,
    signal: ending.signal,
    onListen() {},
  }, () => new Response(body));
  const { port } = server.addr;
  const client = connect({ host: "127.0.0.1", port, ca: CA });
  await once(client, "secureConnect");
  client.setNoDelay(true);
  const times: number[] = [];
  for (let count = 0; count < 4; count++) {
    const startedAt = performance.now();
    client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    for (let bytes = 0; bytes < body.length;) {
      const [data] = await once(client, "data");
      bytes += data.length;
    }
    times.push(performance.now() - startedAt);
  }
  const closed = once(client, "close");
  client.destroy();
  await closed;
  ending.abort();
  await server.finished;
  // A client acknowledges at once at first, and sometimes on a busy machine.
  stillNeeded(Math.max(...times.slice(1)) > IMMEDIATE_MS, {
    mended: "the latency of Deno.serve with TLS",
    remove:
      "the relay in src/downstream/tls/, if Deno.serve can change its certificate too",
  });
});
