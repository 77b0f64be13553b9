/** Daytona's official SDK as an independent client, tested on the complete service. */
import {
  Daytona,
  DaytonaAuthenticationError,
  DaytonaFileNotFoundError,
  DaytonaNotFoundError,
  DaytonaServiceUnavailableError,
  type Sandbox,
} from "@daytonaio/sdk";
import assert from "node:assert/strict";
import { HOME } from "../../scripts/stand_in/daemon_shell.ts";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { skewClock } from "../support/skewed_clock.ts";

/** The time for which a signed link may be accepted after its expiry: SIGNED_TOKEN_TTL_SEC. */
const SIGNED_TOKEN_TTL_MS = 5_000;

/** A gateway, and the SDK, which the API directs to it for the toolbox. */
interface World extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly daytona: Daytona;
  /** The private sandbox. */
  readonly sandbox: Sandbox;
}

async function startWorld(): Promise<World> {
  await using started = new AsyncDisposableStack();
  const gateway = started.use(await startGateway());
  const { state, url: apiUrl } = gateway.stack.api;
  state.config = {
    ...state.config,
    proxyToolboxUrl: `http://127.0.0.1:${gateway.port}/toolbox`,
  };
  const daytona = started.use(
    new Daytona({
      apiKey: KEYS.user,
      apiUrl,
      target: "local",
      // Otherwise the SDK opens a WebSocket for events, directly to the API.
      useDeprecatedPolling: true,
    }),
  );
  const sandbox = await daytona.get("locked");
  const owned = started.move();
  return {
    gateway,
    daytona,
    sandbox,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Collects text that arrives in pieces, and waits for a part of it. */
function createTranscript(): {
  add(piece: string | Uint8Array): void;
  until(expected: string): Promise<void>;
  readonly text: string;
} {
  const decoder = new TextDecoder();
  let text = "";
  let look = (): void => {};
  return {
    add(piece) {
      text += typeof piece === "string"
        ? piece
        : decoder.decode(piece, { stream: true });
      look();
    },
    until(expected) {
      const { promise, resolve } = Promise.withResolvers<void>();
      look = () => {
        if (text.includes(expected)) resolve();
      };
      look();
      return promise;
    },
    get text() {
      return text;
    },
  };
}

/** Bytes of every value. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).map((_, i) => i * 31);
}

/** Requests a link that the SDK has returned, whose host does not resolve. */
async function statusOf(
  gateway: TestGateway,
  link: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  const { host, pathname } = new URL(link);
  const options = { path: `${pathname}echo`, headers };
  return (await gateway.send(host, options)).status;
}

Deno.test("the SDK runs commands in a sandbox, whose daemon does not get the user's key", async () => {
  await using world = await startWorld();
  const { process } = world.sandbox;

  const command = "pwd; echo $GREETING '(x)' \"%2F\"";
  const done = await process.executeCommand(command, "/tmp", {
    GREETING: "grüße 🚪",
  });
  assert.equal(done.exitCode, 0);
  assert.equal(done.result, "/tmp\ngrüße 🚪 (x) %2F\n");

  const failed = await process.executeCommand("cat nothing");
  assert.equal(failed.exitCode, 1);
  assert.equal(failed.result, "cat: nothing: No such file or directory\n");

  const [first] = world.gateway.stack.runner.seen;
  assert.equal(
    first?.target,
    "/sandboxes/locked/toolbox/process/execute",
  );
  assert.ok(!JSON.stringify(first).includes(KEYS.user));
});

Deno.test({
  name: "the SDK uploads files, byte for byte and several at once",
  // In Deno, the SDK uploads by fetch, and does not read the body of the response.
  sanitizeResources: false,
  async fn() {
    await using world = await startWorld();
    const { fs } = world.sandbox;
    const large = Buffer.from(pattern(3 * 1024 * 1024));

    await fs.uploadFile(large, "build/large.bin");
    await fs.uploadFiles([
      { source: Buffer.from("one"), destination: "/srv/a b (c).txt" },
      { source: Buffer.alloc(0), destination: "/srv/empty" },
    ]);

    const files = world.gateway.stack.daemons.get("locked")?.files;
    assert.deepEqual([...files?.keys() ?? []], [
      `${HOME}/build/large.bin`,
      "/srv/a b (c).txt",
      "/srv/empty",
    ]);
    const arrived = files?.get(`${HOME}/build/large.bin`);
    assert.equal(Buffer.compare(arrived ?? Buffer.alloc(0), large), 0);
    assert.equal(files?.get("/srv/empty")?.length, 0);
  },
});

Deno.test("the SDK lists and downloads files, and learns which one is not there", async () => {
  await using world = await startWorld();
  const { fs } = world.sandbox;
  const large = pattern(3 * 1024 * 1024);
  const files = world.gateway.stack.daemons.get("locked")?.files;
  files?.set(`${HOME}/build/large.bin`, large);
  files?.set(`${HOME}/notes.txt`, new TextEncoder().encode("notes"));

  const listed = await fs.listFiles(".");
  assert.deepEqual(
    listed.map(({ name, isDir, size }) => [name, isDir, size]),
    [["build", true, 0], ["notes.txt", false, 5]],
  );

  const downloaded = await fs.downloadFile("build/large.bin");
  assert.equal(Buffer.compare(downloaded, large), 0);

  const [notes, nothing] = await fs.downloadFiles([
    { source: "notes.txt" },
    { source: "nothing" },
  ]);
  assert.equal(String(notes?.result), "notes");
  assert.equal(nothing?.errorDetails?.statusCode, 404);
  await assert.rejects(fs.downloadFile("nothing"), DaytonaFileNotFoundError);
});

Deno.test("the SDK opens a terminal, resizes it, attaches to it again and hears how it ends", async () => {
  await using world = await startWorld();
  const { process } = world.sandbox;
  const seen = createTranscript();
  const seenLater = createTranscript();

  const pty = await process.createPty({
    id: "shell",
    cols: 100,
    rows: 30,
    onData: seen.add,
  });
  await pty.sendInput("stty size\n");
  await seen.until("30 100");
  await pty.resize(120, 40);
  const second = await process.connectPty("shell", { onData: seenLater.add });
  await second.sendInput("stty size\n");
  await seen.until("40 120");
  await seenLater.until("40 120");
  await pty.sendInput("exit 3\n");

  assert.equal((await pty.wait()).exitCode, 3);
  assert.equal((await second.wait()).exitCode, 3);
  assert.equal(
    seen.text,
    "$ stty size\r\n30 100\r\n$ stty size\r\n40 120\r\n$ exit 3\r\n",
  );
  assert.deepEqual(await process.listPtySessions(), []);
  // The SDK puts the sandbox's token into the query here, since Deno and browsers cannot set a header field.
  const [opening] = world.gateway.stack.runner.seen;
  assert.equal(
    opening?.target,
    "/sandboxes/locked/toolbox/process/pty/create-connect?id=shell&cols=100&rows=30",
  );
});

Deno.test("the SDK kills a terminal and is told so", async () => {
  await using world = await startWorld();
  const pty = await world.sandbox.process.createPty({
    id: "shell",
    onData() {},
  });

  await pty.kill();

  assert.equal((await pty.wait()).exitCode, 137);
});

Deno.test("the SDK follows a command's logs while it runs, and gives it input", async () => {
  await using world = await startWorld();
  const { process } = world.sandbox;
  const stdout = createTranscript();
  const stderr = createTranscript();

  await process.createSession("work");
  const { cmdId } = await process.executeSessionCommand("work", {
    command: "echo ready; read answer; echo got $answer; cat nothing",
    runAsync: true,
  });
  const followed = process.getSessionCommandLogs(
    "work",
    cmdId,
    stdout.add,
    stderr.add,
  );
  await stdout.until("ready");
  await process.sendSessionCommandInput("work", cmdId, "forty-two\n");
  await followed;

  assert.equal(stdout.text, "ready\ngot forty-two\n");
  assert.equal(stderr.text, "cat: nothing: No such file or directory\n");
  const { exitCode } = await process.getSessionCommand("work", cmdId);
  assert.equal(exitCode, 1);
  const logs = await process.getSessionCommandLogs("work", cmdId);
  assert.equal(logs.stdout, stdout.text);
});

Deno.test("the SDK's calls reach only the sandbox that they name", async () => {
  await using world = await startWorld();
  const demo = await world.daytona.get("demo");
  world.gateway.stack.daemons.get("locked")?.files
    .set("/etc/who", new TextEncoder().encode("locked"));

  const there = await world.sandbox.process.executeCommand("cat /etc/who");
  const elsewhere = await demo.process.executeCommand("cat /etc/who");

  assert.equal(there.result, "locked");
  assert.equal(elsewhere.exitCode, 1);
});

Deno.test("the SDK understands what the gateway refuses", async (t) => {
  await using world = await startWorld();
  const { state } = world.gateway.stack.api;

  await t.step("a user who may not see the sandbox any more", async () => {
    state.users.set(KEYS.user, new Set());
    await assert.rejects(
      world.sandbox.process.executeCommand("pwd"),
      DaytonaAuthenticationError,
    );
    await assert.rejects(world.daytona.get("locked"), DaytonaNotFoundError);
  });
  await t.step("a sandbox that was deleted", async () => {
    state.users.set(KEYS.user, new Set(["demo"]));
    const demo = await world.daytona.get("demo");
    world.gateway.stack.api.sandbox("demo").state = "destroyed";
    await assert.rejects(demo.process.executeCommand("pwd"), (error) => {
      assert.ok(error instanceof DaytonaNotFoundError);
      assert.equal(error.code, "SANDBOX_DESTROYED");
      assert.match(error.message, /^The sandbox was deleted\. /);
      return true;
    });
  });
  await t.step("a sandbox that is not running", async () => {
    state.users.set(KEYS.user, new Set(["stopped"]));
    const stopped = await world.daytona.get("stopped");
    await assert.rejects(stopped.process.executeCommand("pwd"), (error) => {
      assert.ok(error instanceof DaytonaServiceUnavailableError);
      assert.equal(
        error.message,
        "The sandbox is stopped. It serves the toolbox only while it is running.",
      );
      assert.equal(error.code, "sandbox_stopped");
      assert.equal(error.source, "DAYTONA_PROXY");
      return true;
    });
  });
});

Deno.test("the SDK's preview link opens the app with the token beside it", async () => {
  await using world = await startWorld();
  const { gateway, sandbox } = world;

  const { url, token } = await sandbox.getPreviewLink(3000);

  assert.equal(await statusOf(gateway, url), 401);
  const headers = { "x-daytona-preview-token": token };
  assert.equal(await statusOf(gateway, url, headers), 200);
});

Deno.test("the SDK's signed link opens the app by itself, until the SDK ends it", async () => {
  using clock = skewClock();
  await using world = await startWorld();
  const { gateway, sandbox } = world;
  const used = await sandbox.getSignedPreviewUrl(3000, 3600);
  const unused = await sandbox.getSignedPreviewUrl(3000, 3600);
  assert.equal(await statusOf(gateway, used.url), 200);

  for (const { port, token } of [used, unused]) {
    await sandbox.expireSignedPreviewUrl(port, token);
  }

  assert.equal(await statusOf(gateway, unused.url), 401);
  clock.jump(SIGNED_TOKEN_TTL_MS);
  assert.equal(await statusOf(gateway, used.url), 401);
});

Deno.test("the SDK's signed link ends by itself", async () => {
  using clock = skewClock();
  await using world = await startWorld();
  const { url } = await world.sandbox.getSignedPreviewUrl(3000, 30);
  assert.equal(await statusOf(world.gateway, url), 200);

  clock.jump(30_000);

  assert.equal(await statusOf(world.gateway, url), 401);
});
