import { once } from "node:events";
import { connectHttp2, serve, stillNeeded } from "./canary.ts";

/** Cookies of about 4 KB each, as a browser sends them. */
function cookies(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `c${i}=${"x".repeat(4090)}`);
}

Deno.test("canary: over HTTP/1.1, a head over 64 KiB is refused before the handler sees it", async () => {
  let seen = 0;
  await using server = serve(() => {
    seen++;
    return new Response();
  });
  const client = await server.connect();
  await client.write(
    `GET / HTTP/1.1\r\nHost: h\r\nCookie: ${cookies(17).join("; ")}\r\n\r\n`,
  );
  const head = await client.readUntil("\r\n\r\n");
  client.close();
  stillNeeded(seen === 0 && head.startsWith("HTTP/1.1 400"), {
    mended: "the limit of 64 KiB for heads",
    remove: "the recipes for it in docs/run/tls.md",
  });
});

Deno.test("canary: over HTTP/2, a head over 16 KiB is refused before the handler sees it", async () => {
  let seen = 0;
  await using server = serve(() => {
    seen++;
    return new Response();
  });
  await using client = await connectHttp2(server);
  const stream = client.session.request({ ":path": "/", cookie: cookies(4) });
  stream.resume();
  const [head] = await once(stream, "response");
  stillNeeded(seen === 0 && head[":status"] === 431, {
    mended: "the limit of 16 KiB for heads over HTTP/2",
    remove: "what docs/operate.md and docs/security.md say of it",
  });
});
