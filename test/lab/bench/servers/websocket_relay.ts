// deno-lint-ignore-file no-console
/** The baseline for tunnels: the shortest possible WebSocket relay on Deno, for the origin in its argument. */

const [origin = ""] = Deno.args;

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(JSON.stringify({ port })),
}, (request) => {
  const { socket: client, response } = Deno.upgradeWebSocket(request, {
    idleTimeout: 0,
  });
  const upstream = new WebSocket(
    origin.replace("http", "ws") + new URL(request.url).pathname,
  );
  client.binaryType = upstream.binaryType = "arraybuffer";
  const { promise: opened, resolve } = Promise.withResolvers<void>();
  upstream.onopen = () => resolve();
  client.onmessage = async ({ data }) => {
    if (upstream.readyState !== WebSocket.OPEN) await opened;
    upstream.send(data);
  };
  upstream.onmessage = ({ data }) => client.send(data);
  client.onclose = () => upstream.close();
  upstream.onclose = () => client.close();
  return response;
});
