// deno-lint-ignore-file no-console
/**
 * The baseline for TLS: the shortest possible relay by `node:tls` on Deno, for the origin in its first argument and the
 * protocol in its second, which is HTTP/1.1 by default. It looks at nothing, and bounds nothing.
 */
import { createServer } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { LOCALHOST } from "../../../support/certificates.ts";

const [origin = "", protocol = "http/1.1"] = Deno.args;
const { hostname, port } = new URL(origin);

/** As much as the gateway reads at once, bytes. */
const BUFFER_BYTES = 132 * 1024;

const secureContext = createSecureContext(LOCALHOST);

async function writeAll(inner: Deno.Conn, data: Uint8Array): Promise<void> {
  for (let sent = 0; sent < data.length;) {
    sent += await inner.write(data.subarray(sent));
  }
}

async function relay(client: TLSSocket): Promise<void> {
  const inner = await Deno.connect({ hostname, port: Number(port) });
  if (client.destroyed) return inner.close();
  client.once("close", () => inner.close());
  inner.setNoDelay();
  client.on("data", (data: Uint8Array) => {
    client.pause();
    writeAll(inner, data)
      .then(() => client.resume(), () => client.destroy());
  });
  const buffer = new Uint8Array(BUFFER_BYTES);
  for (;;) {
    const length = await inner.read(buffer);
    if (length === null) return;
    const { promise: sent, resolve } = Promise.withResolvers<void>();
    client.write(buffer.subarray(0, length), () => resolve());
    await sent;
  }
}

const server = createServer(
  { noDelay: true, pauseOnConnect: true },
  (connection) => {
    connection.on("error", () => {}); // it is closed then
    const options = {
      isServer: true,
      secureContext,
      ALPNProtocols: [protocol],
    };
    const client = new TLSSocket(connection, options);
    client.on("error", () => client.destroy());
    client.once("secure", () => {
      const end = () => client.destroy();
      relay(client).then(end, end);
    });
  },
);
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify(server.address()));
});
