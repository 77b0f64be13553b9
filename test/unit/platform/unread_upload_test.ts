import { serve, staysPending, stillNeeded } from "./canary.ts";

const KIB = 1024;

/** Reads of the upload before nobody reads it any more: Deno has another one under way then. */
const READS = 64;

/** More than the kernel takes of an upload that nobody reads, bytes. */
const UPLOAD_BYTES = 16 * KIB * KIB;

Deno.test("canary: it is not seen that a client leaves whose upload is not read any more", async () => {
  const completed = Promise.withResolvers<void>();
  const isUnread = Promise.withResolvers<void>();
  let reader: ReadableStreamBYOBReader | undefined;
  async function readSome({ body }: Request): Promise<void> {
    reader = body?.getReader({ mode: "byob" });
    for (let read = 0; read < READS; read++) {
      await reader?.read(new Uint8Array(64 * KIB));
    }
  }
  await using server = serve((request, info) => {
    info.completed.then(completed.resolve, completed.reject);
    readSome(request).then(isUnread.resolve, isUnread.reject);
    return new Response(new ReadableStream());
  });
  using client = await server.connect();
  await client.write(
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${UPLOAD_BYTES}\r\n\r\n`,
  );
  const sent = client.write("a".repeat(UPLOAD_BYTES)).catch(() => {});
  await isUnread.promise;
  await client.readUntil("\r\n\r\n");
  client.close();
  await sent;
  const isUnseen = await staysPending(completed.promise);
  await reader?.cancel();
  stillNeeded(isUnseen, {
    mended: "clients whose upload is not read any more",
    remove: "the time limit of the upstream that has answered (round_trip.ts)",
  });
});
