import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);
const SLICE = "openapi/daytona.yaml";

/** Runs the check as its task does, and returns its output. */
async function check(
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  const command = new Deno.Command("deno", {
    args: ["run", "-P=scripts", "scripts/contract_check.ts", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test("contract_check passes on a description that agrees, and says so in a line", async () => {
  const { code, out } = await check(SLICE);
  assert.deepEqual([code, out], [0, "All 10 operations agree.\n"]);
});

Deno.test("contract_check fetches JSON, and lists each drift", async () => {
  await using api = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => Response.json({ paths: { "/config": { get: {} } } }),
  );
  const url = `http://127.0.0.1:${api.addr.port}/api-json`;
  const { code, out } = await check(url);
  assert.equal(code, 1);
  const lines = out.trimEnd().split("\n");
  assert.match(
    lines[0] ?? "",
    /^ConfigController_getConfig: operation renamed/,
  );
  assert.equal(
    lines.filter((line) => line.includes(": operation gone: ")).length,
    9,
  );
});

Deno.test("contract_check exits 2 where it cannot compare", async (t) => {
  await using api = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("nothing here", { status: 404 }),
  );
  const cases: [why: string, args: string[], message: RegExp][] = [
    ["no argument", [], /^usage: /m],
    ["two arguments", [SLICE, SLICE], /^usage: /m],
    ["no such file", ["no/such/file"], /^Cannot read no\/such\/file: /m],
    ["not a description", ["deno.json"], /describes no operations$/m],
    ["not YAML", ["scripts/generate.ts"], /^Cannot read /m],
    ["404", [`http://127.0.0.1:${api.addr.port}/`], /status 404$/m],
  ];
  for (const [why, args, message] of cases) {
    await t.step(why, async () => {
      const { code, out, err } = await check(...args);
      assert.deepEqual([code, out], [2, ""]);
      assert.match(err, message);
    });
  }
});
