import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import { ApiCaller } from "../../../src/daytona/api_request.ts";
import type { Operation, OperationId } from "../../../src/daytona/operation.ts";
import { OPERATIONS } from "../../../src/daytona/operations.ts";

/** A good value for each segment of a path. */
const GOOD: Readonly<Record<string, string | number>> = {
  sandboxId: "0b6f2c1e-7d3a-4f58-9a41-2f6f0c9d1e77",
  sandboxIdOrName: "my-sandbox",
  authToken: "a_b-C9",
  signedPreviewToken: "k3v9x0q2m7d1z8w4",
  port: 3000,
  id: "5f8a7c1e-95de-4b9c-8f0b-9e6d6a6b1c2d",
};

const HOSTILE = [
  `../../${GOOD["sandboxId"]}/public`,
  "",
  ".",
  "..",
  "%2e%2e",
  "%2e%2e%2f",
  "a/b",
  "a\\b",
  "a?b",
  "a#b",
  "a;b",
  "a%b",
  "a b",
  "a\nb",
  "a\0b",
  "é",
  "x".repeat(257),
  0,
  -1,
  1.5,
  65_536,
  NaN,
  null,
  undefined,
  ["a"],
  { toString: () => "a" },
];

/** The credential for each kind that the table has. */
const BY = {
  none: { kind: "none" },
  own: { kind: "own" },
  user: {
    kind: "user",
    user: { bearer: "dtn_user", clientAddress: "192.0.2.1" },
  },
} as const;

/** Every operation of the API's description, with the names of its path's segments. */
async function described(): Promise<[OperationId, string[]][]> {
  const file = new URL("../../../openapi/daytona.yaml", import.meta.url);
  const { paths } = parse(await Deno.readTextFile(file));
  return Object.entries<Record<string, { operationId?: OperationId }>>(paths)
    .flatMap(([path, methods]) =>
      Object.values(methods).flatMap(({ operationId }) =>
        operationId === undefined ? [] : [
          [
            operationId,
            [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name),
          ] satisfies [OperationId, string[]],
        ]
      )
    );
}

function callerOf(fetch: (request: Request) => Promise<Response>): ApiCaller {
  return new ApiCaller({
    apiUrl: "http://127.0.0.1/api",
    mode: "proxy",
    serviceKey: "gateway-key",
    timeoutMs: 10_000,
  }, {
    closing: new AbortController().signal,
    onCall() {},
    onKeyVerdict() {},
    fetch,
  });
}

/** Calls an operation with values that its type does not admit. */
function callAnyhow(
  api: ApiCaller,
  id: OperationId,
  path: Record<string, unknown>,
): Promise<unknown> {
  const [kind] = OPERATIONS[id].by;
  const query = { labels: "{}", other: "OTHER" };
  return Reflect.apply(api.call, api, [id, { path, query, by: BY[kind] }]);
}

Deno.test("every operation sends its segments to its own place, and nothing else that it is given", async () => {
  for (const [id, names] of await described()) {
    const seen: string[] = [];
    const api = callerOf(({ url }) => {
      seen.push(url);
      return Promise.resolve(new Response("{}", { status: 404 }));
    });
    const path = Object.fromEntries(names.map((name) => [name, GOOD[name]]));
    await callAnyhow(api, id, { ...path, other: "OTHER" });
    const [url = "", ...more] = seen;
    assert.deepEqual(more, [], id);
    const segments = new URL(url).pathname.split("/");
    for (const name of names) assert(segments.includes(`${GOOD[name]}`), id);
    assert(!url.includes("{") && !url.includes("OTHER"), id);
  }
});

Deno.test("no operation sends a segment that could make another call of it", async (t) => {
  const operations = await described();
  assert.deepEqual(
    operations.map(([id]) => id).sort(),
    Object.keys(OPERATIONS).sort(),
  );
  for (const [id, names] of operations) {
    for (const name of names) {
      await t.step(`${id}: ${name}`, async () => {
        const api = callerOf(({ url }) => assert.fail(`called ${url}`));
        const path = Object.fromEntries(names.map((key) => [key, GOOD[key]]));
        const no = OPERATIONS[id].no({ status: "not sent" });
        const given = HOSTILE.filter((value) => value !== GOOD[name]);
        for (const value of given) {
          const answer = await callAnyhow(api, id, { ...path, [name]: value });
          assert.deepEqual(answer, no, String(value));
        }
        delete path[name];
        assert.deepEqual(await callAnyhow(api, id, path), no);
      });
    }
  }
});

Deno.test("a row without a grammar for each segment of its path does not compile", () => {
  const { params, ...row } = OPERATIONS.getPortPreviewUrl;
  const sandboxIdOrName = z.string();
  ({ ...row, params }) satisfies Operation<"getPortPreviewUrl">;
  // @ts-expect-error neither segment has one
  const none: Operation<"getPortPreviewUrl"> = { ...row, params: z.object({}) };
  const one: Operation<"getPortPreviewUrl"> = {
    ...row,
    // @ts-expect-error the port has none
    params: z.object({ path: z.object({ sandboxIdOrName }) }),
  };
  // Nor is the segment sent.
  const question = { path: { sandboxIdOrName: "a", port: 3000 } };
  assert.deepEqual(none.params.parse(question), {});
  assert.deepEqual(one.params.parse(question), {
    path: { sandboxIdOrName: "a" },
  });
});

Deno.test("an operation takes no credential but those of its row, as far as the compiler is asked", async () => {
  const api = callerOf(() => Promise.resolve(new Response("true")));
  const path = { sandboxId: "box" };
  // @ts-expect-error the question is about a user
  const own = api.call("hasSandboxAccess", { path, by: BY.own });
  // @ts-expect-error only the proxy may ask
  const users = api.call("isSandboxPublic", { path, by: BY.user });
  assert.deepEqual(await Promise.all([own, users]), [true, true]);
});
