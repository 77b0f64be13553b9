/** The stand-in daemon, as far as the tests of the SDK do not show it. */
import assert from "node:assert/strict";
import { startFakeDaemon } from "../../../scripts/stand_in/daemon.ts";
import {
  createShell,
  runCommandLine,
} from "../../../scripts/stand_in/daemon_shell.ts";

Deno.test("the daemon's shell knows quotes, variables, folders and exit codes", async (t) => {
  const cases: [line: string, output: string, exitCode: number][] = [
    [`echo one  "two  three" 'four'`, "one two  three four\n", 0],
    [`echo $NAME "$NAME" '$NAME' $NONE.`, "value value $NAME .\n", 0],
    ["cd sub; pwd; cd /; pwd", "/home/daytona/sub\n/\n", 0],
    ["cat file", "content", 0],
    [
      "cat nothing; echo on",
      "cat: nothing: No such file or directory\non\n",
      0,
    ],
    ["unknown", "sh: unknown: not found\n", 127],
    ["exit 4; echo never", "", 4],
    ["", "", 0],
  ];
  for (const [line, expected, expectedCode] of cases) {
    await t.step(line || "(empty)", async () => {
      let output = "";
      const shell = createShell({
        env: { NAME: "value" },
        files: new Map([
          ["/home/daytona/file", new TextEncoder().encode("content")],
        ]),
        write: (_, text) => output += text,
      });
      const { exitCode } = await runCommandLine(line, shell);
      assert.equal(output, expected);
      assert.equal(exitCode, expectedCode);
    });
  }
});

Deno.test("the daemon says whether a port that it watches is in use", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const ports = new Map([[3000, listener.addr.port], [9999, 1]]);
  await using daemon = await startFakeDaemon((port) => ports.get(port) ?? 1);
  async function ask(port: number): Promise<unknown[]> {
    const response = await fetch(`${daemon.url}/port/${port}/in-use`);
    return [response.status, (await response.json()).isInUse];
  }
  assert.deepEqual(await ask(3000), [200, true]);
  assert.deepEqual(await ask(9999), [200, false]);
  assert.deepEqual(await ask(2999), [400, undefined]);
  assert.deepEqual(await ask(10_000), [400, undefined]);
});

Deno.test("the daemon's errors are JSON that names their source, as the SDK reads them", async (t) => {
  await using daemon = await startFakeDaemon();
  const cases: [method: string, path: string, code: string][] = [
    ["GET", "/nothing", "NOT_FOUND"],
    ["GET", "/files/download?path=nothing", "FILE_NOT_FOUND"],
    ["DELETE", "/process/session/none", "NOT_FOUND"],
    ["GET", "/process/session/none/command/none/logs", "NOT_FOUND"],
    ["GET", "/process/pty/none", "PROCESS_NOT_FOUND"],
  ];
  for (const [method, path, code] of cases) {
    await t.step(`${method} ${path}`, async () => {
      const response = await fetch(daemon.url + path, { method });
      const { message, timestamp, ...error } = await response.json();
      assert.equal(response.status, 404);
      assert.deepEqual(error, {
        statusCode: 404,
        code,
        source: "DAYTONA_DAEMON",
        path: path.replace(/\?.*/, ""),
        method,
      });
      assert.equal(typeof message, "string");
      assert(!Number.isNaN(Date.parse(timestamp)));
    });
  }
});

Deno.test("a body that is not what the daemon expects is a 400", async (t) => {
  await using daemon = await startFakeDaemon();
  const cases: [path: string, code: string][] = [
    ["/process/execute", "INVALID_REQUEST_BODY"],
    ["/files/upload-v2?path=a", "INVALID_REQUEST_BODY"],
  ];
  for (const [path, code] of cases) {
    await t.step(path, async () => {
      const response = await fetch(daemon.url + path, {
        method: "POST",
        body: "no JSON, and no form",
      });
      assert.deepEqual(
        [response.status, (await response.json()).code],
        [400, code],
      );
    });
  }
});
