import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import type { FakeApi } from "../../../scripts/stand_in/api.ts";
import {
  KEYS,
  RUNNER_ID,
  type Stack,
  startStack,
} from "../../../scripts/stand_in/stack.ts";

function call(
  api: FakeApi,
  path: string,
  { key = KEYS.service, method = "GET" }: { key?: string; method?: string } =
    {},
): Promise<Response> {
  return fetch(api.url + path, {
    method,
    headers: { authorization: `Bearer ${key}` },
  });
}

Deno.test("fake API answers each operation with the real one's status and media type", async (t) => {
  await using stack = await startStack();
  const user = { key: KEYS.user };
  const cases: [string, { key?: string; method?: string }, number, unknown][] =
    [
      ["/preview/demo/public", {}, 200, "true"],
      ["/preview/locked/public", {}, 404, "Sandbox with ID locked not found"],
      ["/preview/nowhere/public", {}, 404, "Sandbox with ID nowhere not found"],
      ["/preview/locked/validate/locked-token", {}, 200, "true"],
      [
        "/preview/locked/validate/wrong",
        {},
        404,
        "Sandbox with ID locked not found",
      ],
      ["/preview/locked/access", user, 200, "true"],
      [
        "/preview/nowhere/access",
        user,
        404,
        "Sandbox with ID nowhere not found",
      ],
      [
        "/preview/locked/access",
        { key: "stranger" },
        401,
        "Invalid credentials",
      ],
      [`/preview/${KEYS.signedToken}/3000/sandbox-id`, {}, 200, "locked"],
      [
        `/preview/${KEYS.signedToken}/3001/sandbox-id`,
        {},
        403,
        "Invalid or expired token",
      ],
      [
        "/preview/0000000000000000/3000/sandbox-id",
        {},
        403,
        "Invalid or expired token",
      ],
      [
        "/runners/by-sandbox/nowhere",
        {},
        404,
        "Sandbox with ID nowhere not found",
      ],
      ["/runners/42/full", {}, 400, "Validation failed (uuid is expected)"],
      [
        "/runners/00000000-0000-0000-0000-000000000000/full",
        {},
        404,
        "Runner not found",
      ],
      ["/sandbox/demo/last-activity", { method: "POST" }, 201, ""],
      [
        "/sandbox/nowhere/last-activity",
        { method: "POST" },
        404,
        "Sandbox with ID nowhere not found",
      ],
      ["/sandbox/nowhere", user, 404, "Sandbox with ID nowhere not found"],
      ["/snapshots/none", user, 404, "Snapshot with ID none not found"],
      ["/preview/demo/public", { key: "stranger" }, 401, "Invalid credentials"],
      ["/preview/demo/public", user, 403, "Forbidden resource"],
      ["/nothing", {}, 404, "Cannot GET /api/nothing"],
    ];
  for (const [path, options, status, expected] of cases) {
    await t.step(
      `${options.method ?? "GET"} ${path} with ${
        options.key ?? "the service key"
      }: ${status}`,
      async () => {
        const response = await call(stack.api, path, options);
        equal(response.status, status);
        if (status < 400) return equal(await response.text(), expected);
        const { timestamp, ...body } = await response.json();
        ok(!Number.isNaN(Date.parse(timestamp)));
        equal(body.path, `/api${path}`);
        equal(body.statusCode, status);
        equal(body.message, expected);
      },
    );
  }
});

Deno.test("fake API shows runners to the proxy and sandboxes to their users", async () => {
  await using stack = await startStack();
  const runner = {
    id: RUNNER_ID,
    proxyUrl: stack.runner.url,
    apiUrl: stack.runner.url,
    apiKey: KEYS.runner,
  };

  deepEqual(
    await (await call(stack.api, "/runners/by-sandbox/demo")).json(),
    runner,
  );
  deepEqual(
    await (await call(stack.api, `/runners/${RUNNER_ID}/full`)).json(),
    runner,
  );
  const { authToken, ...shown } =
    await (await call(stack.api, "/sandbox/stopped", { key: KEYS.user }))
      .json();
  equal(authToken, undefined);
  deepEqual({ ...shown, id: "stopped", public: true }, shown);
  equal(shown.runnerId, RUNNER_ID);
  equal(shown.state, "stopped");
});

Deno.test("fake API tells its configuration to anybody", async () => {
  await using stack = await startStack({ publicHost: "proxy.localhost:4000" });

  const config = await (await fetch(`${stack.api.url}/config`)).json();

  equal(
    config.proxyTemplateUrl,
    "http://{{PORT}}-{{sandboxId}}.proxy.localhost:4000",
  );
});

Deno.test("fake API ends a signed link when it expires and when it is revoked", async () => {
  let now = 0;
  await using stack = await startStack({ now: () => now });
  const path = `/preview/${KEYS.signedToken}/3000/sandbox-id`;
  const statusOf = async (): Promise<number> => {
    const response = await call(stack.api, path);
    await response.body?.cancel();
    return response.status;
  };

  const link = stack.api.state.signedTokens.get(KEYS.signedToken);
  ok(link);
  equal(await statusOf(), 200);
  now = link.expiresAt;
  equal(await statusOf(), 403);
  now = 0;
  link.revoked = true;
  equal(await statusOf(), 403);
});

Deno.test("fake API gives users the links of their sandboxes, and ends signed ones", async () => {
  let now = 0;
  await using stack = await startStack({
    publicHost: "proxy.localhost:4000",
    now: () => now,
  });
  const ask = (path: string, method = "GET"): Promise<Response> =>
    call(stack.api, `/sandbox/locked/${path}`, { key: KEYS.user, method });
  const opens = async (token: string): Promise<boolean> => {
    const response = await call(
      stack.api,
      `/preview/${token}/3000/sandbox-id`,
    );
    await response.body?.cancel();
    return response.ok;
  };

  deepEqual(await (await ask("ports/3000/preview-url")).json(), {
    sandboxId: "locked",
    url: "http://3000-locked.proxy.localhost:4000",
    token: KEYS.lockedToken,
  });
  deepEqual(await (await ask("toolbox-proxy-url")).json(), {
    url: "http://proxy.localhost:4000/toolbox",
  });

  const signed = "ports/3000/signed-preview-url";
  const short = await (await ask(signed)).json();
  ok(/^[a-z0-9]{16}$/.test(short.token));
  equal(short.url, `http://3000-${short.token}.proxy.localhost:4000`);
  const long = await (await ask(`${signed}?expiresInSeconds=61`)).json();
  now = 60_000;
  equal(await opens(short.token), false);
  equal(await opens(long.token), true);
  await (await ask(`${signed}/${long.token}/expire`, "POST")).body?.cancel();
  equal(await opens(long.token), false);
  const tooLong = await ask(`${signed}?expiresInSeconds=86401`);
  await tooLong.body?.cancel();
  equal(tooLong.status, 400);
});

Deno.test("fake API gives nobody the links of another's sandbox", async () => {
  await using stack = await startStack();
  stack.api.state.users.set("mallory-key", new Set(["demo"]));

  const response = await call(
    stack.api,
    "/sandbox/locked/ports/3000/preview-url",
    { key: "mallory-key" },
  );

  equal(response.status, 404);
  ok(!(await response.text()).includes(KEYS.lockedToken));
});

Deno.test("fake API counts calls and holds answers back", async () => {
  await using stack = await startStack();
  const { api } = stack;
  const arrived = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  api.beforeAnswer = () => {
    arrived.resolve();
    return gate.promise;
  };

  const response = call(api, "/preview/demo/public");
  await arrived.promise;
  equal(api.count("isSandboxPublic"), 1);
  equal(api.count("hasSandboxAccess"), 0);
  gate.resolve();
  equal(await (await response).text(), "true");
});

Deno.test("fake API can be down in two ways and come back", async () => {
  await using stack = await startStack();
  const { api } = stack;

  api.outage = 503;
  equal(
    (await (await call(api, "/preview/demo/public")).json()).error,
    "Service Unavailable",
  );
  api.outage = undefined;
  await api.stop();
  await rejects(call(api, "/preview/demo/public"), TypeError);
  api.restart();
  equal(await (await call(api, "/preview/demo/public")).text(), "true");
});

Deno.test("fake API can be disposed of while it holds an answer back", async () => {
  let call_: Promise<Response> | undefined;
  {
    await using stack: Stack = await startStack();
    const arrived = Promise.withResolvers<void>();
    stack.api.beforeAnswer = () => {
      arrived.resolve();
      return new Promise(() => {});
    };
    call_ = call(stack.api, "/preview/demo/public");
    call_.catch(() => {});
    await arrived.promise;
  }
  await rejects(call_, TypeError);
});
