import assert from "node:assert/strict";
import { DaytonaApi } from "../../../src/daytona/api.ts";
import { GatewayError } from "../../../src/errors.ts";
import { sleep } from "../../../src/lib/backoff.ts";
import type { ApiCallFacts } from "../../../src/observability/metrics/facts.ts";
import { fakeClock } from "../../support/fake_clock.ts";
import { API_KEY, clientAt, stubApi } from "./api_stub.ts";

const ID = "0b6f2c1e-7d3a-4f58-9a41-2f6f0c9d1e77";
const RUNNER_ID = "5f8a7c1e-95de-4b9c-8f0b-9e6d6a6b1c2d";
const ORGANIZATION_ID = "c0ffee00-1111-4222-8333-444455556666";
const TOKEN = "k3v9x0q2m7d1z8w4";
const USER = { bearer: "dtn_user", clientAddress: "203.0.113.9" };
const RUNNER = {
  proxyUrl: "http://runner.internal:3000",
  apiUrl: "http://runner.internal:3001",
  apiKey: "runner-secret",
};

/** Each operation with a definite "no", and the value that it returns for it. */
const QUESTIONS: [
  name: string,
  ask: (api: DaytonaApi) => Promise<unknown>,
  no: unknown,
][] = [
  ["isSandboxPublic", (api) => api.isSandboxPublic(ID), false],
  ["isPreviewToken", (api) => api.isPreviewToken(ID, "tok"), false],
  ["hasSandboxAccess", (api) => api.hasSandboxAccess(ID, USER), false],
  ["isOwnedByUser", (api) => api.isOwnedByUser(USER), false],
  [
    "sandboxIdOfSignedToken",
    (api) => api.sandboxIdOfSignedToken(TOKEN, 3000),
    null,
  ],
  ["wantsPreviewWarning", (api) => api.wantsPreviewWarning(ID), null],
  ["signingKeyOfSandbox", (api) => api.signingKeyOfSandbox(ID), null],
  ["runnerOfSandbox", (api) => api.runnerOfSandbox(ID), null],
  ["runnerById", (api) => api.runnerById(RUNNER_ID), null],
  ["sandboxById", (api) => api.sandboxById(ID), null],
  ["previewUrlOf", (api) => api.previewUrlOf(ID, 3000), null],
  ["regionProxyUrls", (api) => api.regionProxyUrls(), null],
  ["sandbox", (api) => api.sandbox(ID, USER), null],
  ["snapshot", (api) => api.snapshot("snap", USER), null],
];
const ASKED_BY_USER = [
  "hasSandboxAccess",
  "isOwnedByUser",
  "sandbox",
  "snapshot",
];
/** To this one, 404 is not a "no". */
const NOT_ANSWERED_404 = ["isOwnedByUser"];

function status(code: number): () => Response {
  return () => Response.json({ message: "no" }, { status: code });
}

function unreachable(pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof GatewayError, String(error));
    assert.equal(error.code, "api_unreachable");
    assert.match(error.message, pattern);
    return true;
  };
}

Deno.test("isSandboxPublic(), isPreviewToken() and hasSandboxAccess() return true on 200", async () => {
  await using api = stubApi(() =>
    new Response("true", { headers: { "content-type": "text/html" } })
  );
  const client = clientAt(api.baseUrl);
  assert.equal(await client.isSandboxPublic(ID), true);
  assert.equal(await client.isPreviewToken(ID, "tok"), true);
  assert.equal(await client.hasSandboxAccess(ID, USER), true);
});

Deno.test("isSandboxPublic() fails on a web page, false or 204", async (t) => {
  const bodies = [
    () => new Response("<!doctype html><title>Dashboard</title>"),
    () => Response.json(false),
    () => new Response(null, { status: 204 }),
    () => new Response(""),
  ];
  for (const respond of bodies) {
    await t.step(String(respond), async () => {
      await using api = stubApi(respond);
      await assert.rejects(
        clientAt(api.baseUrl).isSandboxPublic(ID),
        unreachable(/isSandboxPublic: (malformed answer: body|status 204)$/),
      );
    });
  }
});

for (const [name, ask, no] of QUESTIONS) {
  Deno.test(`${name}() returns its "no" on 400, 403 and 404`, async () => {
    for (
      const code of NOT_ANSWERED_404.includes(name) ? [403] : [400, 403, 404]
    ) {
      await using api = stubApi(status(code));
      assert.equal(await ask(clientAt(api.baseUrl)), no);
      assert.equal(api.seen.length, 1);
    }
  });

  Deno.test(
    ASKED_BY_USER.includes(name)
      ? `${name}() returns its "no" on 401, which is about the user`
      : `${name}() fails on 401, which is about the gateway's key`,
    async () => {
      await using api = stubApi(status(401));
      if (ASKED_BY_USER.includes(name)) {
        assert.equal(await ask(clientAt(api.baseUrl)), no);
      } else {
        await assert.rejects(
          ask(clientAt(api.baseUrl)),
          unreachable(/status 401$/),
        );
      }
      assert.equal(api.seen.length, 1);
    },
  );

  Deno.test(`${name}() tries three times on 408 and 5xx, then fails`, async () => {
    for (const code of [408, 500, 502, 503]) {
      await using api = stubApi(status(code));
      await assert.rejects(
        ask(clientAt(api.baseUrl)),
        unreachable(new RegExp(`status ${code}$`)),
      );
      assert.equal(api.seen.length, 3);
    }
  });

  Deno.test(`${name}() does not retry a throttled call, and says whether the user or the gateway is to wait`, async () => {
    await using api = stubApi(() =>
      new Response("slow down", {
        status: 429,
        headers: { "retry-after": "17" },
      })
    );
    await assert.rejects(ask(clientAt(api.baseUrl)), (error) => {
      assert.ok(error instanceof GatewayError);
      assert.equal(error.retryAfterSec, 17);
      assert.equal(
        error.code,
        ASKED_BY_USER.includes(name) ? "user_throttled" : "api_throttled",
      );
      return true;
    });
    assert.equal(api.seen.length, 1);
  });

  Deno.test(`${name}() does not follow a redirect`, async () => {
    await using elsewhere = stubApi(() => new Response("true"));
    await using api = stubApi(() =>
      Response.redirect(`${elsewhere.baseUrl}/x`, 307)
    );
    await assert.rejects(
      ask(clientAt(api.baseUrl)),
      unreachable(/status 307$/),
    );
    assert.equal(api.seen.length, 1);
    assert.equal(elsewhere.seen.length, 0);
  });
}

Deno.test("signingKeyOfSandbox() reads a key as JSON or bare, and takes nothing else for one", async () => {
  const key = "k3y_of-the/sandbox+files==";
  for (const body of [key, JSON.stringify(key)]) {
    await using api = stubApi(() => new Response(body));
    assert.equal(await clientAt(api.baseUrl).signingKeyOfSandbox(ID), key);
  }
  for (
    const body of [
      "",
      '""',
      "null",
      '{"key":"k3y_of-the-sandbox"}',
      `"${key}`,
      "<html>page</html>",
      "a key with spaces",
      "short",
      `${key}\n`,
      "k".repeat(513),
    ]
  ) {
    await using api = stubApi(() => new Response(body));
    await assert.rejects(
      clientAt(api.baseUrl).signingKeyOfSandbox(ID),
      unreachable(/getSigningKey: malformed answer: body$/),
    );
  }
});

Deno.test("DaytonaApi waits as long as any throttler says, whatever that is called", async () => {
  const cases: [headers: Record<string, string>, seconds?: number][] = [
    [{ "Retry-After-authenticated": "24" }, 24],
    [{ "Retry-After-sandbox-lifecycle": "9", "Retry-After": "30" }, 30],
    [{ "Retry-After-a": "9", "Retry-After-b": "30" }, 30],
    [{ "Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT" }],
    [{
      "X-Retry-After-a": "5",
      "Retry-After-a": "-5",
      "Retry-Afterwards": "5",
    }],
    [{}],
  ];
  for (const [headers, seconds] of cases) {
    await using api = stubApi(() =>
      new Response("{}", { status: 429, headers })
    );
    const client = clientAt(api.baseUrl);
    await assert.rejects(client.hasSandboxAccess(ID, USER), {
      code: "user_throttled",
      retryAfterSec: seconds,
    });
  }
});

Deno.test("runnerOfSandbox() and runnerById() say of a runner without an address that it is not ready, at once", async () => {
  for (const proxyUrl of [null, undefined, ""]) {
    await using api = stubApi(() =>
      Response.json({ ...RUNNER, proxyUrl, apiUrl: null })
    );
    const client = clientAt(api.baseUrl);
    const error = { code: "runner_not_ready" };
    await assert.rejects(client.runnerOfSandbox(ID), error);
    await assert.rejects(client.runnerById(RUNNER_ID), error);
    assert.equal(api.seen.length, 2);
  }
});

Deno.test("DaytonaApi recovers within three tries", async () => {
  await using api = stubApi((_, n) =>
    n < 3 ? new Response("oops", { status: 502 }) : new Response("true")
  );
  assert.equal(await clientAt(api.baseUrl).isSandboxPublic(ID), true);
  assert.equal(api.seen.length, 3);
});

Deno.test("DaytonaApi waits 150 ms to 1 s between its tries", async () => {
  const waits: number[] = [];
  const client = clientAt("http://127.0.0.1/api", {
    fetch: () => Promise.resolve(new Response(null, { status: 500 })),
    sleep: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
  });
  await assert.rejects(client.isSandboxPublic(ID));
  assert.equal(waits.length, 2);
  const [first = 0, second = 0] = waits;
  assert.ok(first >= 150 && first <= 300, String(first));
  assert.ok(second >= 150 && second <= 600, String(second));
});

Deno.test("DaytonaApi has one deadline for all tries", async (t) => {
  await t.step("while the API is silent", async () => {
    await using api = stubApi(async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return new Response();
    });
    await assert.rejects(
      clientAt(api.baseUrl, { timeoutMs: 20 }).isSandboxPublic(ID),
      unreachable(/no answer within 20 ms$/),
    );
    assert.equal(api.seen.length, 1);
  });

  await t.step("while a body does not end", async () => {
    await using api = stubApi(() =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new Uint8Array([0x74])),
        }),
      )
    );
    await assert.rejects(
      clientAt(api.baseUrl, { timeoutMs: 20 }).isSandboxPublic(ID),
      unreachable(/no answer within 20 ms$/),
    );
  });

  await t.step("while it waits for the next try", async () => {
    const client = clientAt("http://127.0.0.1/api", {
      timeoutMs: 20,
      sleep,
      fetch: () => Promise.resolve(new Response(null, { status: 500 })),
    });
    await assert.rejects(
      client.isSandboxPublic(ID),
      unreachable(/no answer within 20 ms$/),
    );
  });
});

Deno.test("DaytonaApi keeps addresses and credentials out of its errors", async (t) => {
  async function textOf(promise: Promise<unknown>): Promise<string> {
    const error = await promise.then(() => undefined, (error) => error);
    assert.ok(error instanceof GatewayError);
    return Deno.inspect(error);
  }

  await t.step("when nothing listens", async () => {
    const api = stubApi(() => new Response());
    await api[Symbol.asyncDispose]();
    const text = await textOf(
      clientAt(api.baseUrl).isPreviewToken(ID, "s3cret"),
    );
    assert.match(text, /Connection refused/);
    assert.doesNotMatch(text, /s3cret|127\.0\.0\.1|gateway-key/);
  });

  await t.step("when a runner's record is no JSON", async () => {
    await using api = stubApi(() => new Response('{"apiKey":s3cret}'));
    const text = await textOf(clientAt(api.baseUrl).runnerOfSandbox(ID));
    assert.match(text, /the body is not JSON/);
    assert.doesNotMatch(text, /s3cret/);
  });

  await t.step("when a runner's record is malformed", async () => {
    await using api = stubApi(() =>
      Response.json({ ...RUNNER, proxyUrl: "ftp://s3cret" })
    );
    const text = await textOf(clientAt(api.baseUrl).runnerOfSandbox(ID));
    assert.match(text, /malformed answer: proxyUrl/);
    assert.doesNotMatch(text, /s3cret|runner-secret/);
  });
});

Deno.test("DaytonaApi reports every call once, with its outcome, tries and duration", async () => {
  using clock = fakeClock();
  const calls: ApiCallFacts[] = [];
  const statuses = [200, 404, 503, 200, 500, 500, 500, 401];
  const client = clientAt("http://127.0.0.1/api", {
    fetch() {
      clock.pass(7);
      const status = statuses.shift() ?? 500;
      return Promise.resolve(new Response("true", { status }));
    },
    onCall: (call) => calls.push(call),
  });
  assert.equal(await client.isSandboxPublic(ID), true);
  assert.equal(await client.isSandboxPublic(ID), false);
  await client.updateLastActivity(ID);
  await assert.rejects(client.hasSandboxAccess(ID, USER));
  await assert.rejects(client.isPreviewToken(ID, "tok"));
  assert.equal(await client.isSandboxPublic(".."), false); // no call

  assert.deepEqual(
    calls.map((
      { operation, outcome, tries, durationMs },
    ) => [operation, outcome, tries, durationMs]),
    [
      ["isSandboxPublic", "ok", 1, 7],
      ["isSandboxPublic", "no", 1, 7],
      ["updateLastActivity", "ok", 2, 14],
      ["hasSandboxAccess", "failed", 3, 21],
      ["isValidAuthToken", "failed", 1, 7],
    ],
  );
});

Deno.test("DaytonaApi reports a call that its deadline ended", async () => {
  const calls: ApiCallFacts[] = [];
  const client = clientAt("http://127.0.0.1/api", {
    timeoutMs: 1,
    fetch: ({ signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      ),
    onCall: (call) => calls.push(call),
  });
  await assert.rejects(client.runnerOfSandbox(ID), unreachable(/within 1 ms/));
  assert.deepEqual(
    calls.map(({ operation, outcome, tries }) => [operation, outcome, tries]),
    [["getRunnerBySandboxId", "failed", 1]],
  );
});

Deno.test("DaytonaApi makes no call for a value that cannot be part of one", async () => {
  const client = clientAt("http://127.0.0.1/api", {
    fetch: ({ url }) => assert.fail(`unexpected call of ${url}`),
  });
  const bad = [
    "",
    ".",
    "..",
    `../../${ID}/public`,
    "%2e%2e",
    "a/b",
    "a?b",
    "a#b",
    "a\\b",
    "a b",
    "a\nb",
    "é",
    "x".repeat(257),
  ];
  for (const value of bad) {
    assert.equal(await client.isSandboxPublic(value), false);
    assert.equal(await client.isPreviewToken(value, "tok"), false);
    assert.equal(await client.isPreviewToken(ID, value), false);
    assert.equal(await client.hasSandboxAccess(value, USER), false);
    assert.equal(await client.sandboxIdOfSignedToken(value, 3000), null);
    assert.equal(await client.runnerOfSandbox(value), null);
    assert.equal(await client.runnerById(value), null);
    assert.equal(await client.sandbox(value, USER), null);
    assert.equal(await client.snapshot(value, USER), null);
    await client.updateLastActivity(value);
  }
  for (const port of [0, -1, 65_536, 1.5, NaN, Infinity]) {
    assert.equal(await client.sandboxIdOfSignedToken(TOKEN, port), null);
  }
  for (const bearer of ["", "a b", "a\r\nx: y", "é", "x".repeat(8193)]) {
    const user = { ...USER, bearer };
    assert.equal(await client.hasSandboxAccess(ID, user), false);
    assert.equal(await client.isOwnedByUser(user), false);
    assert.equal(await client.sandbox(ID, user), null);
    assert.equal(await client.snapshot(ID, user), null);
  }
  assert.equal(
    await client.sandbox(ID, { ...USER, organizationId: "a\r\nx: y" }),
    null,
  );
});

Deno.test("DaytonaApi refuses a key that cannot be sent", () => {
  assert.throws(
    () =>
      new DaytonaApi({
        apiUrl: "http://127.0.0.1",
        mode: "proxy",
        serviceKey: "a b",
        timeoutMs: 1,
      }, {
        closing: new AbortController().signal,
        onCall() {},
        onKeyVerdict() {},
        onOwnersUnknown() {},
      }),
    TypeError,
  );
});

Deno.test("DaytonaApi takes a base URL with or without a trailing slash", async () => {
  await using api = stubApi(() => new Response("true"));
  for (const baseUrl of [api.baseUrl, `${api.baseUrl}/`]) {
    const client = clientAt(baseUrl);
    assert.equal(await client.isSandboxPublic(ID), true);
  }
  const targets = api.seen.map(({ target }) => target);
  const expected = `/api/preview/${ID}/public`;
  assert.deepEqual(targets, [expected, expected]);
});

Deno.test("hasSandboxAccess() sends the user's bearer and address, never the gateway's key", async () => {
  await using api = stubApi(() => new Response("true"));
  await clientAt(api.baseUrl).hasSandboxAccess(ID, USER);
  const [request] = api.seen;
  assert.equal(request?.headers.get("authorization"), "Bearer dtn_user");
  assert.equal(request?.headers.get("x-forwarded-for"), "203.0.113.9");
  assert.doesNotMatch(Deno.inspect(request), new RegExp(API_KEY));
});

Deno.test("hasSandboxAccess() returns null only if the API says that the sandbox was deleted", async () => {
  const cases: [body: string, expected: boolean | null][] = [
    ['{"code":"SANDBOX_DESTROYED"}', null],
    ['{"code":"ANOTHER","message":"SANDBOX_DESTROYED"}', false],
    ['"SANDBOX_DESTROYED"', false],
    ["null", false],
    ["", false],
    ["SANDBOX_DESTROYED", false],
  ];
  for (const [body, expected] of cases) {
    await using api = stubApi(() => new Response(body, { status: 404 }));
    const says = await clientAt(api.baseUrl).hasSandboxAccess(ID, USER);
    assert.equal(says, expected, body);
  }
});

Deno.test("isOwnedByUser() makes no call about a JWT, and sends whatever else there is with the user's address", async () => {
  await using api = stubApi(() => Response.json({ userId: "alice" }));
  const client = clientAt(api.baseUrl);
  const jwt = "eyJhbGciOiJSUzI1NiJ9.e30.c2ln";
  assert.equal(await client.isOwnedByUser({ ...USER, bearer: jwt }), true);
  assert.equal(api.seen.length, 0);
  // Keys are what their operator chose.
  for (const bearer of ["dtn_user", "my.own.key", "e30=.e30.e30", "W10.e.e"]) {
    assert.equal(await client.isOwnedByUser({ ...USER, bearer }), true);
    const { target, headers } = api.seen.at(-1) ?? assert.fail();
    assert.equal(target, "/api/api-keys/current");
    assert.equal(headers.get("authorization"), `Bearer ${bearer}`);
    assert.equal(headers.get("x-forwarded-for"), "203.0.113.9");
  }
  assert.equal(api.seen.length, 4);
});

Deno.test("isOwnedByUser() asks once in five minutes whose a key is, as soon as the API knows it", async () => {
  using clock = fakeClock();
  clock.pass(1);
  for (const [answer, isOwned] of [[200, true], [403, false]] as const) {
    let current = 401;
    await using api = stubApi(() =>
      Response.json(current === 200 ? { userId: "alice" } : {}, {
        status: current,
      })
    );
    const client = clientAt(api.baseUrl);
    assert.equal(await client.isOwnedByUser(USER), false);
    current = answer;
    for (let nth = 0; nth < 3; nth++) {
      assert.equal(await client.isOwnedByUser(USER), isOwned);
    }
    assert.equal(api.seen.length, 2);
    clock.pass(5 * 60_000 + 1);
    await client.isOwnedByUser(USER);
    assert.equal(api.seen.length, 3);
  }
});

Deno.test("organizationOf() repeats what an API has told when it was asked whose a key is, and asks nothing", async () => {
  for (
    const [answer, expected] of [
      [{ userId: "alice", organizationId: ORGANIZATION_ID }, ORGANIZATION_ID],
      [{ userId: "alice" }, undefined],
    ] as const
  ) {
    await using api = stubApi(() => Response.json(answer));
    const client = clientAt(api.baseUrl);
    assert.equal(client.organizationOf(USER.bearer), undefined);
    assert.equal(await client.isOwnedByUser(USER), true);
    assert.equal(client.organizationOf(USER.bearer), expected);
    assert.equal(client.organizationOf("dtn_another"), undefined);
    assert.equal(api.seen.length, 1);
  }
  await using refusing = stubApi(status(403));
  const client = clientAt(refusing.baseUrl);
  await client.isOwnedByUser(USER);
  assert.equal(client.organizationOf(USER.bearer), undefined);
});

Deno.test("isOwnedByUser() is true where an older API cannot tell, which it reports, but not for some web server's 404", async () => {
  let untold = 0;
  const options = { onOwnersUnknown: () => untold++ };
  await using older = stubApi(status(404));
  const client = clientAt(older.baseUrl, options);
  assert.equal(await client.isOwnedByUser(USER), true);
  assert.equal(untold, 1);
  await client.probeOwners();
  assert.equal(untold, 2);
  const sent = older.seen.at(-1)?.headers.get("authorization");
  assert.equal(sent, `Bearer ${API_KEY}`);
  await using server = stubApi(() =>
    new Response("<!doctype html>", {
      status: 404,
      headers: { "content-type": "text/html" },
    })
  );
  assert.equal(
    await clientAt(server.baseUrl, options).isOwnedByUser(USER),
    false,
  );
  await using newer = stubApi(status(403));
  await clientAt(newer.baseUrl, options).probeOwners();
  assert.equal(untold, 2);
});

Deno.test("probeRole() reports activity of a sandbox that does not exist, which only a region's proxy is told", async () => {
  for (
    const [answer, role] of [[201, "installation"], [404, "region"], [
      403,
      undefined,
    ]] as const
  ) {
    await using api = stubApi(status(answer));
    assert.equal(await clientAt(api.baseUrl).probeRole(), role);
    const [{ method, target } = assert.fail()] = api.seen;
    assert.equal(method, "POST");
    assert.match(target, /^\/api\/sandbox\/[\da-f-]{36}\/last-activity$/);
  }
});

Deno.test("sandbox() and snapshot() name the organization of a JWT", async () => {
  await using api = stubApi(status(404));
  const user = { ...USER, organizationId: RUNNER_ID };
  await clientAt(api.baseUrl).sandbox(ID, user);
  await clientAt(api.baseUrl).snapshot("snap", user);
  await clientAt(api.baseUrl).snapshot("snap", USER);
  assert.deepEqual(
    api.seen.map(({ headers }) => headers.get("x-daytona-organization-id")),
    [RUNNER_ID, RUNNER_ID, null],
  );
});

Deno.test("sandboxIdOfSignedToken() reads the bare id, whatever its media type", async () => {
  await using api = stubApi(() =>
    new Response(ID, { headers: { "content-type": "text/html" } })
  );
  assert.equal(
    await clientAt(api.baseUrl).sandboxIdOfSignedToken(TOKEN, 3000),
    ID,
  );
  assert.equal(api.seen[0]?.target, `/api/preview/${TOKEN}/3000/sandbox-id`);
});

Deno.test("sandboxIdOfSignedToken() fails on a body that is no id", async () => {
  await using api = stubApi(() => new Response("../x"));
  await assert.rejects(
    clientAt(api.baseUrl).sandboxIdOfSignedToken(TOKEN, 3000),
    unreachable(/malformed answer: body$/),
  );
  assert.equal(api.seen.length, 3);
});

Deno.test("runnerOfSandbox() and runnerById() read a runner", async () => {
  await using api = stubApi(() =>
    Response.json({ ...RUNNER, id: RUNNER_ID, cpu: 4 })
  );
  const runner = { ...RUNNER, id: RUNNER_ID };
  assert.deepEqual(await clientAt(api.baseUrl).runnerOfSandbox(ID), runner);
  assert.deepEqual(await clientAt(api.baseUrl).runnerById(RUNNER_ID), runner);
  assert.deepEqual(api.seen.map(({ target }) => target), [
    `/api/runners/by-sandbox/${ID}`,
    `/api/runners/${RUNNER_ID}/full`,
  ]);
});

Deno.test("sandbox() and snapshot() read what a gateway needs, and none of a sandbox's secrets", async () => {
  await using api = stubApi(({ url }) =>
    Response.json(
      url.includes("/snapshots/")
        ? { id: "snap", ref: "registry/x:1", initialRunnerId: RUNNER_ID }
        : {
          id: ID,
          organizationId: ORGANIZATION_ID,
          public: false,
          env: { PASSWORD: "secret" },
          labels: { app: "shop" },
          state: "archived",
          desiredState: "started",
          errorReason: "no space left on device",
          recoverable: true,
          runnerId: RUNNER_ID,
          buildInfo: { snapshotRef: "registry/y:2" },
        },
    )
  );
  const sandbox = {
    id: ID,
    organizationId: ORGANIZATION_ID,
    public: false,
    labels: { app: "shop" },
    state: "archived",
    desiredState: "started",
    errorReason: "no space left on device",
    recoverable: true,
    runnerId: RUNNER_ID,
    snapshotRef: "registry/y:2",
    ended: null,
  };
  assert.deepEqual(await clientAt(api.baseUrl).sandbox(ID, USER), sandbox);
  assert.deepEqual(await clientAt(api.baseUrl).sandboxById(ID), sandbox);
  assert.deepEqual(await clientAt(api.baseUrl).snapshot("snap", USER), {
    ref: "registry/x:1",
    initialRunnerId: RUNNER_ID,
  });
});

Deno.test("updateLastActivity() posts no body, and retries after an outage", async () => {
  await using api = stubApi((_, n) =>
    new Response(null, { status: n === 1 ? 503 : 201 })
  );
  await clientAt(api.baseUrl).updateLastActivity(ID);
  assert.equal(api.seen.length, 2);
  const [request] = api.seen;
  assert.equal(request?.method, "POST");
  assert.equal(request?.target, `/api/sandbox/${ID}/last-activity`);
  assert.equal(request?.headers.get("content-length"), "0");
});

Deno.test("updateLastActivity() succeeds for a sandbox that is gone", async () => {
  await using api = stubApi(status(404));
  await clientAt(api.baseUrl).updateLastActivity(ID);
  assert.equal(api.seen.length, 1);
});

Deno.test("config() reads the public configuration without a credential", async () => {
  await using api = stubApi(() =>
    Response.json({
      version: "0.205.1",
      oidc: {
        issuer: "https://op.example",
        clientId: "daytona",
        audience: "api",
      },
      ssoOidc: { issuer: "https://sso.example", clientId: "daytona-sso" },
      proxyTemplateUrl: "https://{{PORT}}-{{sandboxId}}.proxy.example.com",
      proxyToolboxUrl: "https://proxy.example.com/toolbox",
      dashboardUrl: "https://example.com/dashboard",
    })
  );
  assert.deepEqual(await clientAt(api.baseUrl).config(), {
    oidc: {
      issuer: "https://op.example",
      clientId: "daytona",
      audience: "api",
    },
    ssoOidc: { issuer: "https://sso.example", clientId: "daytona-sso" },
    proxyTemplateUrl: "https://{{PORT}}-{{sandboxId}}.proxy.example.com",
    proxyToolboxUrl: "https://proxy.example.com/toolbox",
    dashboardUrl: "https://example.com/dashboard",
  });
  assert.equal(api.seen[0]?.target, "/api/config");
  assert.equal(api.seen[0]?.headers.get("authorization"), null);
});

Deno.test("config() fails if the API has none", async () => {
  await using api = stubApi(status(404));
  await assert.rejects(clientAt(api.baseUrl).config(), unreachable(/base URL/));
});

Deno.test("startSandbox() waits longer than the API blocks, which is 30 seconds, and not for ever", async () => {
  using clock = fakeClock();
  const calls: PromiseWithResolvers<Response>[] = [];
  const api = clientAt("http://127.0.0.1/api", {
    fetch(request) {
      const call = Promise.withResolvers<Response>();
      calls.push(call);
      request.signal.addEventListener(
        "abort",
        () => call.reject(request.signal.reason),
      );
      return call.promise;
    },
  });
  const own = { kind: "own" } as const;
  const [started, hung] = [1, 2].map(() => api.startSandbox(ID, own));
  clock.pass(30_100);
  calls[0]?.resolve(Response.json({ id: ID, state: "starting" }));
  assert.equal((await started)?.kind, "started");
  clock.pass(30_000);
  await assert.rejects(async () => await hung, unreachable(/startSandbox/));
});

Deno.test("startSandbox() asks once, whatever the API answers, and with the user's credential if there is one", async () => {
  const user = {
    kind: "user",
    user: { ...USER, organizationId: ORGANIZATION_ID },
  } as const;
  await using down = await stubApi(status(500));
  await assert.rejects(
    clientAt(down.baseUrl).startSandbox(ID, user),
    unreachable(/startSandbox: status 500/),
  );
  assert.equal(down.seen.length, 1);
  const [call] = down.seen;
  assert.equal(call?.headers.get("authorization"), "Bearer dtn_user");
  assert.equal(
    call?.headers.get("x-daytona-organization-id"),
    ORGANIZATION_ID,
  );
  await using refuses = await stubApi(status(403));
  const api = clientAt(refuses.baseUrl);
  assert.deepEqual(await api.startSandbox(ID, user), {
    kind: "refused",
    reason: "no",
  });
  assert.equal(refuses.seen.length, 1);
  // Not sent at all.
  const odd = await api.startSandbox("../x", user);
  const without = await api.startSandbox(ID, {
    kind: "user",
    user: { ...USER, organizationId: "x" },
  });
  assert.deepEqual([odd.kind, without.kind], ["not_allowed", "not_allowed"]);
  assert.equal(refuses.seen.length, 1);
});

Deno.test("startSandbox() and recoverSandbox() send a key that the operator gave without the visitor's address", async () => {
  await using stub = await stubApi(() => Response.json({ id: ID }));
  const api = clientAt(stub.baseUrl);
  const by = { kind: "key", key: "dtn_operator" } as const;
  assert.deepEqual(await api.recoverSandbox(ID, by), {
    kind: "started",
  });
  const [call] = stub.seen;
  assert.equal(call?.headers.get("authorization"), "Bearer dtn_operator");
  assert.equal(call?.headers.get("x-forwarded-for"), null);
  assert.match(call?.target ?? "", /\/recover$/);
});

Deno.test("startSandbox() tells the limit of starts from one of bearers, and how long to wait", async () => {
  const user = { kind: "user", user: USER } as const;
  const limits: [header: string, kind: string | undefined][] = [
    ["retry-after-sandbox-lifecycle", "throttled"],
    ["retry-after-authenticated", undefined],
    ["retry-after", undefined],
  ];
  for (const [name, kind] of limits) {
    await using stub = await stubApi(() =>
      Response.json({ message: "Too Many Requests" }, {
        status: 429,
        headers: { [name]: "20" },
      })
    );
    const asked = clientAt(stub.baseUrl).startSandbox(ID, user);
    if (kind === undefined) {
      await assert.rejects(asked, { code: "user_throttled" });
    } else assert.deepEqual(await asked, { kind, retryAfterSec: 20 });
    assert.equal(stub.seen.length, 1);
  }
});

Deno.test("what has a credential in its URL is sent by the fetch for secrets, and nothing else is", async () => {
  for (const [name, ask, no] of QUESTIONS) {
    const sent: string[] = [];
    const send = (by: string) => ({ url }: Request) => {
      sent.push(by);
      assert.equal(by === "open" && /tok|k3v9x0q2m7d1z8w4/.test(url), false);
      return Promise.resolve(status(403)());
    };
    const api = clientAt("http://127.0.0.1:9/api", {
      fetch: send("open"),
      secretFetch: send("secret"),
    });
    assert.deepEqual(await ask(api), no, name);
    const isSecret = /Token$/.test(name);
    assert.deepEqual(sent, [isSecret ? "secret" : "open"], name);
  }
});
