import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import {
  type FakeDaemon,
  startFakeDaemon,
} from "../../../scripts/stand_in/daemon.ts";
import {
  createShell,
  runCommandLine,
} from "../../../scripts/stand_in/daemon_shell.ts";

function post(
  { url }: FakeDaemon,
  path: string,
  body: unknown,
): Promise<Response> {
  return fetch(url + path, { method: "POST", body: JSON.stringify(body) });
}

Deno.test("fake daemon's shell knows quotes, variables, folders and exit codes", async (t) => {
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

Deno.test("fake daemon says in JSON what it does not know", async (t) => {
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
      const error = await response.json();
      assert.equal(response.status, 404);
      assert.equal(error.code, code);
      assert.equal(error.source, "DAYTONA_DAEMON");
    });
  }
});

Deno.test("fake daemon keeps a session's folder and variables from one command to the next", async () => {
  await using daemon = await startFakeDaemon();
  const created = await post(daemon, "/process/session", { sessionId: "s" });
  await created.body?.cancel();
  const exec = async (command: string): Promise<string> => {
    const answer = await post(daemon, "/process/session/s/exec", { command });
    return (await answer.json()).output;
  };

  await exec("cd /srv");

  assert.equal(await exec("pwd"), "/srv\n");
});

Deno.test("fake daemon tells a follower who comes late all that was written", async () => {
  await using daemon = await startFakeDaemon();
  const created = await post(daemon, "/process/session", { sessionId: "s" });
  await created.body?.cancel();
  const answer = await post(daemon, "/process/session/s/exec", {
    command: "echo out; cat nothing",
  });
  const { cmdId } = await answer.json();

  const socket = new WebSocket(
    `${
      daemon.url.replace("http", "ws")
    }/process/session/s/command/${cmdId}/logs?follow=true`,
  );
  const messages: string[] = [];
  socket.on("message", (data: Uint8Array) => messages.push(String(data)));
  const [code] = await once(socket, "close");

  assert.equal(code, 1000);
  assert.deepEqual(messages, [
    "\x01\x01\x01out\n",
    "\x02\x02\x02cat: nothing: No such file or directory\n",
  ]);
});

Deno.test("fake daemon refuses a terminal that is not there, and a path that is no WebSocket", async () => {
  await using daemon = await startFakeDaemon();
  const base = daemon.url.replace("http", "ws");

  const missing = new WebSocket(`${base}/process/pty/none/connect`);
  const [message] = await once(missing, "message");
  assert.equal(JSON.parse(String(message)).error, "PTY session none not found");
  const [code] = await once(missing, "close");
  assert.equal(code, 1008);

  const elsewhere = new WebSocket(`${base}/files`);
  elsewhere.on("error", () => {});
  const [, response] = await once(elsewhere, "unexpected-response");
  response.resume();
  await once(response, "end");
  assert.equal(response.statusCode, 404);
});
