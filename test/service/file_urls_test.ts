/** Signed URLs of files, tested on the complete service; the SDK's own are in sdk_file_urls_test.ts. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import type { ServerResponse } from "node:http";
import { HOME } from "../../scripts/stand_in/daemon_shell.ts";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { TOOLBOX_PORT } from "../../src/address/grammar.ts";
import { collectLog } from "../support/collected_log.ts";
import { fakeClock } from "../support/fake_clock.ts";
import {
  type Answer,
  BASE,
  startGateway,
  type TestGateway,
} from "../support/gateway.ts";

const SIGNING_KEY = "signing-key-of-the-sandbox";

/** For how long the gateway may remember a signing key, ms. */
const KEY_TTL_MS = 15_000;

/** Time between two rechecks, ms. */
const RECHECK_MS = 25_000;

/** What is signed, in the order of the URL's parts. */
interface Signed {
  readonly sandboxId: string;
  readonly method: string;
  readonly path: string;
  /** Seconds since the epoch. */
  readonly expires: string;
}

function inSeconds(seconds: number): string {
  return String(Math.floor(Date.now() / 1000) + seconds);
}

/** A URL as the SDK makes it, without its origin. */
function urlOf(
  { sandboxId, method, path, expires }: Signed,
  key = SIGNING_KEY,
): string {
  const text = `v1:files:${method}:${path}:${expires}`;
  const digest = createHmac("sha256", key).update(text).digest("base64url");
  const query = new URLSearchParams({
    path,
    expires,
    signature: `v1_${digest}`,
  });
  const operation = method === "GET" ? "download" : "upload-v2";
  return `/toolbox/${sandboxId}/files/${operation}?${query}`;
}

function downloadUrl(signed: Partial<Signed> = {}): string {
  return urlOf({
    sandboxId: "locked",
    method: "GET",
    path: "notes.txt",
    expires: inSeconds(60),
    ...signed,
  });
}

/** A gateway; the private sandbox has a file and a signing key. */
async function startWithFile(
  environment: Record<string, string> = {},
  options: Parameters<typeof startGateway>[1] = {},
): Promise<TestGateway> {
  const gateway = await startGateway(environment, options);
  const { api, daemons } = gateway.stack;
  api.sandbox("locked").signingKey = SIGNING_KEY;
  daemons.get("locked")?.files.set(
    `${HOME}/notes.txt`,
    new TextEncoder().encode("notes"),
  );
  return gateway;
}

async function verdictOn(
  gateway: TestGateway,
  path: string,
  method = "GET",
): Promise<readonly [number, string | null]> {
  const { status, code } = await gateway.send(BASE, { path, method });
  return [status, code];
}

const INVALID = [401, "signed_url_invalid"] as const;

/** Uploads a file as a form, like `curl -F file=@...`. */
async function upload(
  gateway: TestGateway,
  path: string,
  content: string,
): Promise<Answer> {
  const form = new FormData();
  form.append("file", new Blob([content]), "local.txt");
  const message = new Response(form);
  return await gateway.send(BASE, {
    method: "POST",
    path,
    headers: { "content-type": message.headers.get("content-type") ?? "" },
    body: new Uint8Array(await message.arrayBuffer()),
  });
}

Deno.test("a signed URL downloads its file without any other credential, and nothing of the signature travels on", async () => {
  await using gateway = await startWithFile();
  const path = downloadUrl();
  const answer = await gateway.send(BASE, { path });
  assert.deepEqual([answer.status, answer.body], [200, "notes"]);
  const [seen] = gateway.stack.runner.seen;
  assert.equal(
    seen?.target,
    "/sandboxes/locked/toolbox/files/download?path=notes.txt",
  );
  assert.doesNotMatch(JSON.stringify(seen), /v1_|signature|expires/);
  assert.doesNotMatch(JSON.stringify(seen), new RegExp(SIGNING_KEY));
});

Deno.test("a signed URL uploads its file, which is its path's, whatever it is called", async () => {
  await using gateway = await startWithFile();
  const path = urlOf({
    sandboxId: "locked",
    method: "POST",
    path: "a b+c/grüße & co.txt",
    expires: "0",
  });
  assert.equal((await upload(gateway, path, "hello")).status, 200);
  const bytes = gateway.stack.daemons.get("locked")?.files.get(
    `${HOME}/a b+c/grüße & co.txt`,
  );
  assert.equal(new TextDecoder().decode(bytes), "hello");
  assert.doesNotMatch(
    gateway.stack.runner.seen[0]?.target ?? "",
    /signature|expires/,
  );
});

Deno.test("who opens a signed URL that has expired reads when it did, and nothing is said of one that was changed", async () => {
  await using gateway = await startWithFile();
  const { body } = await gateway.send(BASE, {
    path: downloadUrl({ expires: "1700000000" }),
    headers: { accept: "text/html", "sec-fetch-mode": "navigate" },
  });
  assert.match(body, />Tue, 14 Nov 2023 22:13:20 GMT</);
  const path = downloadUrl().replace("notes", "other");
  const changed = await gateway.send(BASE, { path });
  assert.equal(changed.code, "signed_url_invalid");
  assert.ok(!("endedAt" in changed.json()));
});

Deno.test("a signed URL that has expired, was changed, or has more or fewer parameters opens nothing", async () => {
  await using gateway = await startWithFile();
  const good = downloadUrl();
  const later = inSeconds(3600);
  const trick = downloadUrl({ expires: `${later}:${inSeconds(-60)}` });
  for (
    const path of [
      downloadUrl({ expires: inSeconds(-1) }),
      good.replace("notes.txt", "other.txt"),
      good.replace(/expires=\d+/, `expires=${later}`),
      good.replace(/expires=\d+/, "expires=0"),
      good.replace("v1_", "v1_A").slice(0, -1),
      good.replace(/&signature=.*/, ""),
      good.replace("path=notes.txt&", ""),
      `${good}&path=notes.txt`,
      `${good}&path=other.txt`,
      `${good}&expires=0`,
      `${good}&signature=v1_`,
      `${good}&recursive=true`,
      good.replace("/locked/", "/demo/"),
      trick,
      downloadUrl({ path: `notes.txt:${later}`, expires: inSeconds(-60) }),
    ]
  ) {
    assert.deepEqual(await verdictOn(gateway, path), INVALID, path);
  }
  assert.equal(gateway.stack.runner.seen.length, 0);
  assert.deepEqual(await verdictOn(gateway, good), [200, null]);
});

Deno.test("a signed URL is good for its method and its operation only", async () => {
  await using gateway = await startWithFile();
  const good = downloadUrl();
  const upload = good.replace("download", "upload-v2");
  for (
    const [method, path] of [
      ["POST", good],
      ["HEAD", good],
      ["DELETE", good],
      ["GET", upload],
      ["POST", upload],
    ] as const
  ) {
    const [status] = await verdictOn(gateway, path, method);
    assert.equal(status, 401, `${method} ${path}`);
  }
  for (
    const operation of [
      "files",
      "files/info",
      "files/bulk-download",
      "files/./download",
      "files/download/",
      "files/downloa%64",
      "process/execute",
      "proxy/3000/files/download",
    ]
  ) {
    const path = good.replace("files/download", operation);
    assert.deepEqual(await verdictOn(gateway, path), [401, "login_required"]);
  }
  const { search } = new URL(good, "http://localhost");
  const preview = `3000-locked.${BASE}`;
  for (const host of [preview, `2280-locked.${BASE}`]) {
    const answer = await gateway.send(host, {
      path: `/files/download${search}`,
    });
    assert.deepEqual([answer.status, answer.code], [401, "login_required"]);
  }
  assert.equal(gateway.stack.runner.seen.length, 0);
});

Deno.test("a signed URL is good on any host that is no preview, as a balancer's own name is", async () => {
  await using gateway = await startWithFile();
  const path = downloadUrl();
  for (const host of [BASE, "10.0.0.7:4000", "toolbox.example.com"]) {
    const { status, body } = await gateway.send(host, { path });
    assert.deepEqual([status, body], [200, "notes"], host);
  }
});

Deno.test("a signed URL spoils no other credential, and no other credential spoils it", async () => {
  await using gateway = await startWithFile();
  const good = downloadUrl();
  for (
    const [path, token] of [
      [downloadUrl({ expires: "1" }), KEYS.lockedToken],
      [good, "wrong"],
    ] as const
  ) {
    const headers = { "x-daytona-preview-token": token };
    assert.equal((await gateway.send(BASE, { path, headers })).status, 200);
    assert.equal(
      gateway.stack.runner.seen.at(-1)?.target,
      "/sandboxes/locked/toolbox/files/download?path=notes.txt",
    );
  }
});

Deno.test("the API is asked for a signing key once in 15 s, however many ask at once", async () => {
  using clock = fakeClock();
  await using gateway = await startWithFile();
  const { api } = gateway.stack;
  const good = downloadUrl({ expires: "0" });
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => verdictOn(gateway, good)),
  );
  assert(answers.every(([status]) => status === 200));
  clock.pass(KEY_TTL_MS / 2);
  await verdictOn(gateway, good);
  assert.equal(api.count("getSigningKey"), 1);
  const call = api.calls.find(({ operation }) => operation === "getSigningKey");
  assert.equal(call?.headers.get("authorization"), `Bearer ${KEYS.service}`);
});

Deno.test("once the signing key was rotated, its URLs are good for 15 s at most", async () => {
  using clock = fakeClock();
  await using gateway = await startWithFile();
  const good = downloadUrl({ expires: "0" });
  assert.deepEqual(await verdictOn(gateway, good), [200, null]);
  gateway.stack.api.sandbox("locked").signingKey = "a-new-signing-key";
  clock.pass(KEY_TTL_MS);
  assert.deepEqual(await verdictOn(gateway, good), INVALID);
});

Deno.test("at an API without signing keys, signed URLs are refused as other requests without credentials are", async () => {
  await using gateway = await startWithFile();
  gateway.stack.api.state.lacks.add("getSigningKey");
  const path = downloadUrl();
  assert.deepEqual(await verdictOn(gateway, path), [401, "login_required"]);
  const headers = { authorization: `Bearer ${KEYS.user}` };
  assert.equal((await gateway.send(BASE, { path, headers })).status, 200);
});

Deno.test("an outage of the API is no verdict on a signed URL", async () => {
  await using gateway = await startWithFile();
  gateway.stack.api.fault = ({ operation }, answer) =>
    operation === "getSigningKey"
      ? new Response("<html>a page for every path</html>", {
        headers: { "content-type": "text/html" },
      })
      : answer();
  assert.deepEqual(
    await verdictOn(gateway, downloadUrl()),
    [503, "api_unreachable"],
  );
});

Deno.test("guessed signatures are charged to their client, and make one question for each sandbox", async () => {
  await using gateway = await startWithFile({ REFUSALS_PER_MINUTE: "3" });
  const codes = [];
  for (let i = 0; i < 4; i++) {
    const [, code] = await verdictOn(
      gateway,
      downloadUrl({ sandboxId: `unknown-${i}` }),
    );
    codes.push(code);
  }
  assert.deepEqual(codes, [
    "login_required",
    "login_required",
    "login_required",
    "too_many_refusals",
  ]);
  assert.equal(gateway.stack.api.count("getSigningKey"), 3);
});

Deno.test("a signed URL opens no WebSocket, whatever signed its GET", async () => {
  await using gateway = await startWithFile();
  const { status, code } = await gateway.send(BASE, {
    path: downloadUrl(),
    headers: {
      "connection": "Upgrade",
      "upgrade": "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
  });
  assert.deepEqual([status, code], INVALID);
});

Deno.test("a file that a signed URL opened shows that its sandbox is in use", async () => {
  await using gateway = await startWithFile();
  await verdictOn(gateway, downloadUrl({ expires: "1" }));
  await verdictOn(gateway, downloadUrl());
  await gateway.service.close();
  assert.equal(gateway.stack.api.count("updateLastActivity"), 1);
});

Deno.test("no log has a signing key, a signature or a path", async () => {
  await using log = await collectLog();
  await using gateway = await startWithFile({}, { lines: log.lines });
  const good = downloadUrl();
  await verdictOn(gateway, good);
  await verdictOn(gateway, `${good}&path=x`);
  gateway.stack.api.fault = () => new Response(`"${SIGNING_KEY} with spaces"`);
  await verdictOn(gateway, downloadUrl({ sandboxId: "demo" }));
  const text = JSON.stringify(log.records());
  assert.match(text, /"by":"signed_url"/);
  assert.doesNotMatch(text, new RegExp(`${SIGNING_KEY}|v1_|notes`));
});

Deno.test("a download goes on past the end of its URL, and ends when the signing key is rotated", async () => {
  using clock = fakeClock();
  await using gateway = await startWithFile();
  const opened = Promise.withResolvers<ServerResponse>();
  const host = await gateway.serve((_, response) => {
    response.writeHead(200).write("part");
    opened.resolve(response);
  }, "locked");
  const { ports } = gateway.stack.runner.containers.get("locked") ?? {};
  ports?.set(TOOLBOX_PORT, ports.get(Number(host.split("-")[0])) ?? 0);
  const path = downloadUrl({ expires: inSeconds(10) });
  await using stream = await gateway.open(
    `GET ${path} HTTP/1.1\r\nHost: ${BASE}\r\n\r\n`,
  );
  await stream.readUntil("part");
  const response = await opened.promise;
  clock.pass(RECHECK_MS);
  response.write("more");
  await stream.readUntil("more");
  assert.deepEqual(await verdictOn(gateway, path), INVALID);
  const ended = new Promise((resolve) => response.on("close", resolve));
  gateway.stack.api.sandbox("locked").signingKey = "a-new-signing-key";
  clock.pass(KEY_TTL_MS);
  clock.pass(RECHECK_MS - KEY_TTL_MS);
  await ended;
  await stream.readToEnd();
});
