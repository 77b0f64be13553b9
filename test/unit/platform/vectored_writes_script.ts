// deno-lint-ignore-file no-console -- a script that is run apart, since Deno reads the variable only once
/** Sends a long message on each of a few WebSockets, and prints by how many bytes the process has grown afterwards. */
import { handshake, serve } from "./canary.ts";

const LENGTH = 16 * 1024 * 1024;

const { port } = serve((request) => {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onopen = () => {
    const message = new Uint8Array(LENGTH);
    socket.send(message);
    message.buffer.transfer(0);
  };
  return response;
});
const before = Deno.memoryUsage().rss;
const buffer = new Uint8Array(64 * 1024);
for (let count = 0; count < 8; count++) {
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  await client.write(new TextEncoder().encode(handshake()));
  // The head of the response and the frame's header are left, or counted as a part of the message.
  for (let read = 0; read < LENGTH;) read += await client.read(buffer) ?? NaN;
}
console.log(Deno.memoryUsage().rss - before);
Deno.exit();
