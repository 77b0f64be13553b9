/**
 * Private previews behind caches that everybody shares: one that stores all that RFC 9111 lets it, and nginx's. Whoever
 * comes next, without the credential, is asked for it.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { fakeClock } from "../support/fake_clock.ts";
import { freePort } from "../support/free_port.ts";
import {
  type Answer,
  BASE,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../support/gateway.ts";
import { NAMED_WORLDS as WORLDS } from "../support/named_worlds.ts";
import { type DeclareTest, testsThatNeed } from "../support/needs_program.ts";
import { nginxCommand } from "../support/nginx.ts";
import { send, type SendOptions } from "../support/send.ts";
import { startServerProcess } from "../support/server_process.ts";
import { startSharedCache } from "../support/shared_cache.ts";

/** A cache in front of a gateway; `X-Cache` of its answers begins with HIT if it had them. */
interface Front extends AsyncDisposable {
  readonly port: number;
}

/** The most eager nginx that an operator may have: Vary does not count, and what says nothing is stored, too. */
async function startNginxCache(port: number): Promise<Front> {
  await using started = new AsyncDisposableStack();
  await Deno.mkdir("data/test", { recursive: true });
  const folder = await Deno.makeTempDir({ dir: `${Deno.cwd()}/data/test` });
  started.defer(() => Deno.remove(folder, { recursive: true }));
  const own = freePort();
  const command = await nginxCommand(
    folder,
    `
  access_log off;
  proxy_cache_path ${folder}/cache keys_zone=previews:1m use_temp_path=off;
  server {
    listen 127.0.0.1:${own};
    location / {
      proxy_pass http://127.0.0.1:${port};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_cache previews;
      proxy_cache_key $http_host$request_uri;
      proxy_cache_valid any 10m;
      proxy_cache_revalidate on;
      proxy_ignore_headers Vary;
      add_header X-Cache $upstream_cache_status always;
    }
  }`,
  );
  const server = { command, port: own, timeoutMs: 20_000 };
  started.use(await startServerProcess(server));
  const owned = started.move();
  return { port: own, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const declare: DeclareTest = Deno.test;

const CACHES = [
  {
    name: "a cache that follows RFC 9111",
    test: declare,
    start: (port: number) => startSharedCache(port),
  },
  {
    name: "a cache that does not heed Vary",
    test: declare,
    start: (port: number) => startSharedCache(port, { heedsVary: false }),
  },
  {
    name: "nginx's cache",
    test: await testsThatNeed("nginx"),
    start: startNginxCache,
  },
];

/** What an app may say of caching. */
const DIRECTIVES: Record<string, Record<string, string>> = {
  "public, max-age": { "cache-control": "public, max-age=600" },
  "s-maxage": { "cache-control": "s-maxage=600, must-revalidate" },
  "Expires": { expires: new Date(Date.now() + 600_000).toUTCString() },
  "nothing": { "last-modified": "Sat, 29 Oct 1994 19:43:31 GMT" },
  "immutable": { "cache-control": "public, max-age=600, immutable" },
  "no private whole": { "cache-control": 'private="set-cookie", max-age=600' },
  "fields for CDNs": {
    "CDN-Cache-Control": "max-age=600",
    "Cloudflare-CDN-Cache-Control": "max-age=600",
    "deno-cdn-cache-control": "public, s-maxage=600",
    "Deno-Cache-Id": "everybody",
    "Netlify-CDN-Cache-Control": "public, durable, max-age=600",
    "NETLIFY-VARY": "query",
    "Surrogate-Control": 'max-age=600, content="ESI/1.0"',
    "Surrogate-Key": "all",
    "Cache-Tag": "all",
    "Edge-Control": "max-age=600",
    "X-Accel-Expires": "600",
  },
};

/** Statuses, and what a request has to say to get them. */
const STATUSES: Record<string, Record<string, string>> = {
  200: {},
  206: { range: "bytes=0-2" },
  301: {},
  304: { "if-none-match": '"v1"' },
  404: {},
};

/** An app that answers `/{status}/{directives}`. */
const app: RequestListener = ({ url = "", headers }, response) => {
  const [, asked = "", directives = ""] = decodeURIComponent(url).split("/");
  const fields = { etag: '"v1"', ...DIRECTIVES[directives] };
  const body = "a secret of the app";
  if (asked === "206" && headers.range !== undefined) {
    const range = `bytes 0-2/${body.length}`;
    response.writeHead(206, { ...fields, "content-range": range });
    response.end(body.slice(0, 3));
  } else if (headers["if-none-match"] === '"v1"') {
    response.writeHead(304, fields).end();
  } else if (asked === "301") {
    response.writeHead(301, { ...fields, location: "/next" }).end(body);
  } else {
    response.writeHead(asked === "404" ? 404 : 200, fields).end(body);
  }
};

const LINK = "signedshareslink";

/** Credentials for an app on port 8000 of `locked`, and what its host's label is with them. */
async function credentials(
  gateway: TestGateway,
  memberKey: string,
): Promise<Record<string, { label: string; headers: Record<string, string> }>> {
  gateway.stack.api.state.signedTokens.set(LINK, {
    sandboxId: "locked",
    port: 8000,
    expiresAt: Date.now() + 3_600_000,
    revoked: false,
  });
  const link = await gateway.send(LOCKED.replace("3000", "8000"), {
    path: `/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
    headers: { accept: "text/html" },
  });
  const [session = ""] = link.headers.getSetCookie();
  const label = "8000-locked";
  return {
    "token header": {
      label,
      headers: { "x-daytona-preview-token": KEYS.lockedToken },
    },
    "session cookie": {
      label,
      headers: { cookie: session.split(";")[0] ?? "" },
    },
    "bearer": { label, headers: { authorization: `Bearer ${memberKey}` } },
    "signed link": { label: `8000-${LINK}`, headers: {} },
  };
}

/** Every combination of credential, status and directives: how to ask for it with the credential, and without. */
async function questions(
  gateway: TestGateway,
  memberKey: string = KEYS.user,
): Promise<
  {
    readonly name: string;
    readonly status: number;
    readonly directives: string;
    readonly host: string;
    readonly asked: SendOptions;
    readonly withCredential: SendOptions;
  }[]
> {
  const all = Object.entries(await credentials(gateway, memberKey));
  return all.flatMap(([credential, { label, headers }]) =>
    Object.entries(STATUSES).flatMap(([status, fields]) =>
      Object.keys(DIRECTIVES).map((directives) => {
        const name = `${credential}, ${status}, ${directives}`;
        const path = encodeURI(`/${status}/${directives}/${credential}.js`);
        return {
          name,
          status: Number(status),
          directives,
          host: `${label}.proxy.localhost`,
          asked: { path, headers: fields },
          withCredential: { path, headers: { ...fields, ...headers } },
        };
      })
    )
  );
}

/** Headers by which something else than Cache-Control would steer a cache. */
const STEERING =
  /^(?:.+-cache-control|deno-.*|netlify-.*|surrogate-.*|cache-tag|edge-control|x-accel-.*)$/i;

function assertForBrowsersOnly(
  { status, headers }: Answer,
  directives: string,
  name: string,
): void {
  const cacheControl = headers.get("cache-control");
  const browsers = {
    "public, max-age": "max-age=600",
    "s-maxage": "must-revalidate",
    "immutable": "max-age=600, immutable",
    "no private whole": "max-age=600",
  }[directives];
  const saysNothing = browsers === undefined && !headers.has("expires");
  if (saysNothing && status === 304) {
    assert.equal(cacheControl, null, name);
  } else {
    const expected = browsers === undefined
      ? "private"
      : `private, ${browsers}`;
    assert.equal(cacheControl, expected, name);
  }
  assert.equal(headers.get("etag"), '"v1"', name);
  assert.deepEqual([...headers.keys()].filter((key) => STEERING.test(key)), []);
}

for (const { suffix, startGateway, memberKey } of WORLDS) {
  Deno.test(`a private preview's answers can be stored by browsers only, as long as the app says${suffix}`, async () => {
    await using gateway = await startGateway();
    await gateway.serve(app, "locked");
    for (const question of await questions(gateway, memberKey)) {
      const { name, host, withCredential, directives } = question;
      const answer = await gateway.send(host, withCredential);
      assert.equal(answer.status, question.status, name);
      assertForBrowsersOnly(answer, directives, name);
    }
  });
}

Deno.test("no route's answers can be stored by more than browsers: toolbox, build logs, refused WebSockets, preflights, HTTP/2", async () => {
  await using gateway = await startGateway();
  const open: RequestListener = (_, response) => {
    response.writeHead(403, {
      "cache-control": "public, s-maxage=600",
      "access-control-allow-origin": "*",
      "x-accel-expires": "600",
    }).end();
  };
  const host = await gateway.serve(open, "locked");
  const { api, runner } = gateway.stack;
  api.sandbox("locked").snapshotRef = "registry/mine:1";
  runner.buildLogs.set("registry/mine:1", async function* () {
    yield "step 1";
  });
  const bearer = { authorization: `Bearer ${KEYS.user}` };
  const answers = {
    toolbox: await gateway.send(BASE, {
      path: "/toolbox/locked/files?path=/",
      headers: bearer,
    }),
    "build logs": await gateway.send(BASE, {
      path: "/sandboxes/locked/build-logs",
      headers: bearer,
    }),
    WebSocket: await gateway.send(host, {
      headers: {
        ...bearer,
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      },
    }),
    preflight: await gateway.send(host, {
      method: "OPTIONS",
      headers: {
        ...bearer,
        origin: "https://elsewhere.example",
        "access-control-request-method": "PUT",
      },
    }),
  };
  for (const [route, { code, headers }] of Object.entries(answers)) {
    assert.equal(code, null, route);
    assert.equal(headers.get("cache-control"), "private", route);
    assert.equal(headers.get("x-accel-expires"), null, route);
  }
  const session = connect(`http://127.0.0.1:${gateway.port}`);
  const request = session.request({
    ":authority": host,
    ":path": "/",
    ...bearer,
  });
  const [head] = await once(request, "response") as [IncomingHttpHeaders];
  assert.deepEqual(
    [head[":status"], head["cache-control"], head["x-accel-expires"]],
    [403, "private", undefined],
  );
  const closed = once(session, "close");
  session.destroy();
  await closed;
});

for (const { name: cache, test, start } of CACHES) {
  test(`${cache} gives no private preview to the next visitor`, async () => {
    using clock = fakeClock();
    await using gateway = await startGateway();
    await gateway.serve(app, "locked");
    const { port } = gateway;
    const all = await questions(gateway);
    await using front = await start(port);
    for (const question of all) {
      const { name, host, withCredential, status, directives } = question;
      const answer = await send(host, { port: front.port, ...withCredential });
      // nginx asks for the whole, and for what it may store.
      assert([status, 200].includes(answer.status), name);
      assert.equal(answer.code, null, name);
      assert.equal(answer.headers.get("etag"), '"v1"', name);
      if (!["public, max-age", "immutable"].includes(directives)) continue;
      const cacheControl = answer.headers.get("cache-control") ?? "";
      assert.match(cacheControl, /^private, max-age=600/, name);
    }
    const link = gateway.stack.api.state.signedTokens.get(LINK);
    Object.assign(link ?? {}, { revoked: true });
    clock.pass(5_000);
    for (const { name, host, asked } of all) {
      for (const headers of [asked.headers ?? {}, {}]) {
        const answer = await send(host, {
          port: front.port,
          ...asked,
          headers,
        });
        assert.equal(answer.status, 401, `${name}: ${answer.body}`);
        assert.doesNotMatch(answer.body, /secret/);
      }
    }
  });

  test(`${cache} gives no public preview to anyone once it has become private`, async () => {
    using clock = fakeClock();
    await using gateway = await startGateway();
    const host = await gateway.serve(app);
    await using front = await start(gateway.port);
    const paths = Object.keys(STATUSES).flatMap((status) =>
      Object.keys(DIRECTIVES).map((one) => encodeURI(`/${status}/${one}/a.js`))
    );
    for (const path of paths) {
      const answer = await send(host, { port: front.port, path });
      assert.equal(answer.code, null, path);
      assert.equal(answer.headers.get("cdn-cache-control"), "no-store");
      assert.equal(answer.headers.get("deno-cdn-cache-control"), "no-store");
    }
    gateway.stack.api.sandbox("demo").public = false;
    clock.pass(10_000); // PRIVATE_WITHIN_SEC
    for (const path of paths) {
      const answer = await send(host, { port: front.port, path });
      assert.equal(answer.code, "login_required", path);
    }
  });

  test(`${cache} keeps public previews as the app says with EDGE_CACHE=public, and private ones no more than before`, async () => {
    using clock = fakeClock();
    await using gateway = await startGateway({ EDGE_CACHE: "public" });
    const host = await gateway.serve(app);
    await gateway.serve(app, "locked");
    await using front = await start(gateway.port);
    const path = encodeURI("/200/public, max-age/a.js");
    async function ask(host: string, headers = {}): Promise<Answer> {
      return await send(host, { port: front.port, path, headers });
    }
    const first = await ask(host);
    assert.equal(first.headers.get("cache-control"), "public, max-age=600");
    assert.equal(first.headers.get("cdn-cache-control"), null);
    gateway.stack.api.sandbox("demo").public = false;
    clock.pass(5_000);
    // What is lost.
    const second = await ask(host);
    assert.deepEqual(
      [second.status, second.headers.get("x-cache")],
      [200, "HIT"],
    );
    const fields = encodeURI("/200/fields for CDNs/a.js");
    const { headers } = await gateway.send(host, {
      path: fields,
      headers: { authorization: `Bearer ${KEYS.user}` },
    });
    assert.deepEqual(
      [...headers.keys()].filter((key) => STEERING.test(key)),
      [],
    );
    const token = { "x-daytona-preview-token": KEYS.lockedToken };
    const locked = LOCKED.replace("3000", "8000");
    assert.equal((await ask(locked, token)).status, 200);
    assert.equal((await ask(locked)).code, "login_required");
  });
}

Deno.test("who has access does not keep in a cache what it has stored while the sandbox was public", async () => {
  using clock = fakeClock();
  await using gateway = await startGateway({ EDGE_CACHE: "public" });
  const host = await gateway.serve(({ headers }, response) => {
    const isKnown = headers["if-none-match"] === '"v1"';
    // As many a dev server: the 304 says nothing.
    const fields = isKnown
      ? {}
      : { "cache-control": "public, max-age=60", etag: '"v1"' };
    response.writeHead(isKnown ? 304 : 200, fields).end();
  });
  await using front = await startSharedCache(gateway.port);
  async function ask(headers = {}): Promise<number> {
    return (await send(host, { port: front.port, headers })).status;
  }
  assert.equal(await ask(), 200);
  gateway.stack.api.sandbox("demo").public = false;
  clock.pass(61_000);
  assert.equal(await ask(), 401);
  const member = { authorization: `Bearer ${KEYS.user}` };
  assert.equal(await ask(member), 200);
  assert.equal(await ask(), 401);
});
