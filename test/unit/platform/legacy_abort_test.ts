import { stillNeeded } from "./canary.ts";

const PROGRAM = `
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ signal }) => {
      signal.onabort = () => Deno.exit(3);
      return new Response();
    },
  );
  const response = await fetch("http://127.0.0.1:" + server.addr.port);
  await response.body?.cancel();
  await server.shutdown();
`;

Deno.test("canary: without the option no-legacy-abort, a signal aborts on success", async () => {
  const { code } = await new Deno.Command("deno", {
    args: ["eval", "--no-config", PROGRAM],
    stderr: "null",
  }).output();
  stillNeeded(code === 3, {
    mended: "signals that abort on success",
    remove: "no-legacy-abort from deno.json",
  });
});
