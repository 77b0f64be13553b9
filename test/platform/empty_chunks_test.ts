import { serve, stillNeeded } from "./canary.ts";

Deno.test("canary: the body of a POST without one consists of an empty chunk", async () => {
  const lengths: number[] = [];
  await using server = serve(async ({ body }) => {
    for await (const chunk of body ?? []) lengths.push(chunk.length);
    return new Response();
  });
  await server.ask("POST");
  stillNeeded(lengths.length === 1 && lengths[0] === 0, {
    mended: "empty chunks of requests",
    remove: "the loop in bodyReader() of src/upstream/http1/body_reader.ts",
  });
});
