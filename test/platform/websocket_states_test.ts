import {
  handshake,
  openWebSocket,
  serve,
  staysPending,
  stillNeeded,
} from "./canary.ts";

Deno.test("canary: a WebSocket that is closed before it opens opens all the same", async () => {
  const opened = Promise.withResolvers<boolean>();
  const closed = Promise.withResolvers<void>();
  await using server = serve((request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onopen = () => opened.resolve(true);
    socket.onclose = () => {
      opened.resolve(false);
      closed.resolve();
    };
    socket.close(4001, "early");
    return response;
  });
  const client = await server.connect();
  await client.write(handshake());
  await client.readUntil("\r\n\r\n");
  const isOpened = await opened.promise;
  const isCloseLost = isOpened && await staysPending(client.read(1));
  client.close();
  await closed.promise;
  stillNeeded(isCloseLost, {
    mended: "WebSocket.close() before the WebSocket is open",
    remove: "the second close in onopen of src/proxy/tunnel.ts",
  });
});

Deno.test("canary: a WebSocket's idle timeout spares a client that does not read", async () => {
  const idleTimeout = 0.1;
  await using pair = await openWebSocket({ idleTimeout });
  const { socket } = pair;
  const closed = new Promise((resolve) =>
    socket.addEventListener("close", resolve)
  );
  const large = new Uint8Array(1024 * 1024);
  for (let count = 0; count < 16; count++) socket.send(large);
  const isSpared = await staysPending(closed, 5 * idleTimeout * 1000);
  stillNeeded(isSpared, {
    mended: "the idle timeout of clients that do not read",
    remove: "the check for stalled clients in src/proxy/tunnel.ts",
  });
});
