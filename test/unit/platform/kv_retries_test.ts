import { serve, stillNeeded } from "./canary.ts";

/** The first answer to the client (KV Connect's metadata exchange). */
function metadata(): Response {
  return Response.json({
    version: 3,
    databaseId: "2c9d9e5e-8b0f-4d0e-9a37-6b7a3a5f1c11",
    endpoints: [{ url: "/data", consistency: "strong" }],
    token: "data-token",
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
  });
}

/** Writes, closes the database once the service has refused that, and waits for the end of the write. */
const PROGRAM = `
  const [url] = Deno.args;
  const kv = await Deno.openKv(url);
  const writing = kv.atomic().delete(["key"]).commit().catch(() => {});
  await (await fetch(url + "/refused")).text();
  kv.close();
  await (await fetch(url + "/closed")).text();
  await writing;
`;

// The client takes its token from the environment, which all tests share: so it runs in a process of its own.
Deno.test("canary: the client of a KV Connect service retries a write after it was closed", async () => {
  const refused = Promise.withResolvers<void>();
  let isClosed = false;
  let writesAfterClose = 0;
  await using server = serve(async (request) => {
    await request.bytes();
    switch (request.url.slice(request.url.lastIndexOf("/"))) {
      case "/atomic_write":
        if (isClosed) writesAfterClose++;
        refused.resolve();
        // Only an error of the client's own ends its attempts.
        return new Response(null, { status: isClosed ? 400 : 503 });
      case "/refused":
        await refused.promise;
        return new Response();
      case "/closed":
        isClosed = true;
        return new Response();
      default:
        return metadata();
    }
  });
  const url = `http://127.0.0.1:${server.port}`;
  await new Deno.Command("deno", {
    args: ["eval", "--no-config", "--unstable-kv", PROGRAM, url],
    env: { DENO_KV_ACCESS_TOKEN: "access-token" },
  }).output();
  stillNeeded(writesAfterClose > 0, {
    mended: "writes to KV Connect after close()",
    remove: "the check of versionstamps in src/cache/kv.ts",
  });
});
