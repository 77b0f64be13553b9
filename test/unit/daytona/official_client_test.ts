/** The official client as an independent reference: both clients make the same calls, and their requests must agree. */

import {
  ApiKeysApi,
  ConfigApi,
  Configuration,
  OrganizationsApi,
  PreviewApi,
  RunnersApi,
  SandboxApi,
  SnapshotsApi,
} from "@daytonaio/api-client";
import assert from "node:assert/strict";
import { DaytonaApi } from "../../../src/daytona/api.ts";
import { API_KEY, clientAt, type Seen, stubApi } from "./api_stub.ts";

const ID = "0b6f2c1e-7d3a-4f58-9a41-2f6f0c9d1e77";
const RUNNER_ID = "5f8a7c1e-95de-4b9c-8f0b-9e6d6a6b1c2d";
const ORGANIZATION_ID = "c0ffee00-1111-4222-8333-444455556666";
const TOKEN = "k3v9x0q2m7d1z8w4";
const USER = {
  bearer: "dtn_user",
  clientAddress: "203.0.113.9",
  organizationId: ORGANIZATION_ID,
};

/** One operation: the call by our client, and by the official one. */
interface Pair {
  readonly operation: keyof DaytonaApi;
  readonly ours: (api: DaytonaApi) => Promise<unknown>;
  readonly theirs: (configuration: Configuration) => Promise<unknown>;
  /** The credential of the official client, which has one for all calls. */
  readonly bearer: string;
}

const PAIRS: Pair[] = [
  {
    operation: "isSandboxPublic",
    bearer: API_KEY,
    ours: (api) => api.isSandboxPublic(ID),
    theirs: (config) => new PreviewApi(config).isSandboxPublic(ID),
  },
  {
    operation: "isPreviewToken",
    bearer: API_KEY,
    ours: (api) => api.isPreviewToken(ID, "a_b-C9"),
    theirs: (config) => new PreviewApi(config).isValidAuthToken(ID, "a_b-C9"),
  },
  {
    operation: "hasSandboxAccess",
    bearer: USER.bearer,
    ours: (api) =>
      api.hasSandboxAccess(ID, { ...USER, organizationId: undefined }),
    theirs: (config) => new PreviewApi(config).hasSandboxAccess(ID),
  },
  {
    operation: "isOwnedByUser",
    bearer: USER.bearer,
    ours: (api) => api.isOwnedByUser(USER),
    theirs: (config) => new ApiKeysApi(config).getCurrentApiKey(),
  },
  {
    operation: "sandboxIdOfSignedToken",
    bearer: API_KEY,
    ours: (api) => api.sandboxIdOfSignedToken(TOKEN, 3000),
    theirs: (config) =>
      new PreviewApi(config).getSandboxIdFromSignedPreviewUrlToken(TOKEN, 3000),
  },
  {
    operation: "wantsPreviewWarning",
    bearer: API_KEY,
    ours: (api) => api.wantsPreviewWarning(ID),
    theirs: (config) => new PreviewApi(config).isPreviewWarningEnabled(ID),
  },
  {
    operation: "signingKeyOfSandbox",
    bearer: API_KEY,
    ours: (api) => api.signingKeyOfSandbox(ID),
    theirs: (config) => new PreviewApi(config).getSigningKey(ID),
  },
  {
    operation: "runnerOfSandbox",
    bearer: API_KEY,
    ours: (api) => api.runnerOfSandbox(ID),
    theirs: (config) => new RunnersApi(config).getRunnerBySandboxId(ID),
  },
  {
    operation: "runnerById",
    bearer: API_KEY,
    ours: (api) => api.runnerById(RUNNER_ID),
    theirs: (config) => new RunnersApi(config).getRunnerFullById(RUNNER_ID),
  },
  {
    operation: "sandboxById",
    bearer: API_KEY,
    ours: (api) => api.sandboxById(ID),
    theirs: (config) => new SandboxApi(config).getSandbox(ID),
  },
  {
    operation: "startSandbox",
    bearer: API_KEY,
    ours: (api) => api.startSandbox(ID, { kind: "own" }),
    theirs: (config) => new SandboxApi(config).startSandbox(ID),
  },
  {
    operation: "recoverSandbox",
    bearer: API_KEY,
    ours: (api) => api.recoverSandbox(ID, { kind: "own" }),
    theirs: (config) => new SandboxApi(config).recoverSandbox(ID),
  },
  {
    operation: "previewUrlOf",
    bearer: API_KEY,
    ours: (api) => api.previewUrlOf(ID, 3000),
    theirs: (config) => new SandboxApi(config).getPortPreviewUrl(ID, 3000),
  },
  {
    operation: "regionProxyUrls",
    bearer: API_KEY,
    ours: (api) => api.regionProxyUrls(),
    theirs: (config) => new OrganizationsApi(config).listAvailableRegions(),
  },
  {
    operation: "sandbox",
    bearer: USER.bearer,
    ours: (api) => api.sandbox(ID, USER),
    theirs: (config) => new SandboxApi(config).getSandbox(ID, ORGANIZATION_ID),
  },
  {
    operation: "snapshot",
    bearer: USER.bearer,
    ours: (api) => api.snapshot("my-snapshot", USER),
    theirs: (config) =>
      new SnapshotsApi(config).getSnapshot("my-snapshot", ORGANIZATION_ID),
  },
  {
    operation: "updateLastActivity",
    bearer: API_KEY,
    ours: (api) => api.updateLastActivity(ID),
    theirs: (config) => new SandboxApi(config).updateLastActivity(ID),
  },
  {
    operation: "config",
    bearer: API_KEY,
    ours: (api) => api.config(),
    theirs: (config) => new ConfigApi(config).configControllerGetConfig(),
  },
];

/** An answer that every operation can read. */
function answerTo({ url }: Request): Response {
  if (/\/(public|access)$|\/validate\//.test(url)) return new Response("true");
  if (url.endsWith("/sandbox-id")) return new Response(ID);
  if (url.endsWith("/signing-key")) return Response.json("a-signing-key");
  if (url.endsWith("/regions")) return Response.json([]);
  return Response.json({
    sandboxId: ID,
    url: "http://3000-box.test",
    token: "token",
    id: ID,
    items: [],
    public: false,
    enabled: false,
    proxyUrl: "http://runner.internal",
    apiKey: "runner-key",
  });
}

/** The parts that must agree on the wire. Bodies need not: a newer API takes an optional one with the last activity. */
function essence({ method, target, headers }: Seen) {
  return {
    method,
    target,
    authorization: headers.get("authorization"),
    organization: headers.get("x-daytona-organization-id"),
  };
}

for (const { operation, bearer, ours, theirs } of PAIRS) {
  Deno.test(`${operation}() sends what the official client sends`, async () => {
    await using api = stubApi(answerTo);
    const { baseUrl } = api;
    await ours(clientAt(baseUrl));
    await theirs(new Configuration({ basePath: baseUrl, accessToken: bearer }));
    const [our, their] = api.seen;
    assert.ok(our && their && api.seen.length === 2);
    assert.deepEqual(essence(our), essence(their));
  });
}

Deno.test("every operation is compared with the official client", () => {
  // probeKey() is isSandboxPublic(), and probeRole() updateLastActivity(), about a sandbox that does not exist; probeOwners() is
  // isOwnedByUser() about our key; organizationOf() asks nothing.
  const others = new Set([
    "constructor",
    "organizationOf",
    "probeKey",
    "probeOwners",
    "probeRole",
  ]);
  assert.deepEqual(
    PAIRS.map(({ operation }) => operation).sort(),
    Object.getOwnPropertyNames(DaytonaApi.prototype)
      .filter((name) => !others.has(name)).sort(),
  );
});
