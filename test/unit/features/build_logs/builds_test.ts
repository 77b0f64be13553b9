/** Which runner holds a build log, given the answers of an API on 127.0.0.1. */
import assert from "node:assert/strict";
import { BuildResolver } from "../../../../src/features/build_logs/builds.ts";
import { clientAt, stubApi } from "../../daytona/api_stub.ts";

const SANDBOX = "0b6f2c1e-7d3a-4f58-9a41-2f6f0c9d1e77";
const USER = { bearer: "dtn_user", clientAddress: "203.0.113.9" };
const RUNNER_ID = "5f8a7c1e-95de-4b9c-8f0b-9e6d6a6b1c2d";
const RUNNER = {
  proxyUrl: "http://runner.internal:3000",
  apiUrl: "http://runner.internal:3001",
  apiKey: "runner-secret",
};
const REF = "registry/built:1";

Deno.test("logOf() needs only the members of the API's answers that it reads", async () => {
  await using api = stubApi(({ url }) =>
    Response.json(
      url.includes("/runners/")
        ? RUNNER
        : url.includes("/snapshots/")
        ? { ref: REF, initialRunnerId: RUNNER_ID }
        : { runnerId: RUNNER_ID, buildInfo: { snapshotRef: REF } },
    )
  );
  const builds = new BuildResolver(clientAt(api.baseUrl));
  const expected = { runner: RUNNER, snapshotRef: REF };
  assert.deepEqual(
    await builds.logOf({ of: "sandbox", id: SANDBOX }, USER),
    expected,
  );
  assert.deepEqual(
    await builds.logOf({ of: "snapshot", id: "snap" }, USER),
    expected,
  );
});

Deno.test("logOf() returns null for a sandbox that was not built, and for a build whose runner is gone", async () => {
  await using api = stubApi(({ url }) =>
    url.includes("/runners/")
      ? new Response(null, { status: 404 })
      : Response.json(
        url.includes("/snapshots/")
          ? { ref: REF, initialRunnerId: RUNNER_ID }
          : { runnerId: RUNNER_ID },
      )
  );
  const builds = new BuildResolver(clientAt(api.baseUrl));
  assert.equal(await builds.logOf({ of: "sandbox", id: SANDBOX }, USER), null);
  assert.equal(await builds.logOf({ of: "snapshot", id: "snap" }, USER), null);
});

Deno.test("logOf() returns null for a build that the user may not see, or that no runner has started", async () => {
  await using api = stubApi(({ url }) =>
    url.includes("/snapshots/")
      ? Response.json({ ref: REF, initialRunnerId: null })
      : new Response(null, { status: 404 })
  );
  const builds = new BuildResolver(clientAt(api.baseUrl));
  assert.equal(await builds.logOf({ of: "sandbox", id: SANDBOX }, USER), null);
  assert.equal(await builds.logOf({ of: "snapshot", id: "snap" }, USER), null);
});
