/** A stand-in for Daytona's API that knows one public sandbox, whose runner the test cases play. */
import { addressOf } from "../../test/conformance/raw_runner.ts";
import { type FakeApi, startFakeApi } from "../stand_in/api.ts";
import type { ApiState } from "../stand_in/api_operations.ts";
import { KEYS, RUNNER_ID } from "../stand_in/stack.ts";

/** What the stand-in knows. */
export interface StandInApiOptions {
  /** Where it listens, `host:port`. */
  readonly api: string;
  /** Where the runner listens, `host:port`. */
  readonly runner: string;
  readonly sandbox: string;
  /** The authority of the preview of port 3000. */
  readonly host: string;
}

/** Starts the stand-in; it expects the test stack's service key. */
export function startStandInApi(
  { api: authority, ...options }: StandInApiOptions,
): AsyncDisposable {
  const api = startFakeApi(stateOf(options), {
    now: Date.now,
    subjectOf: () => Promise.resolve(undefined),
  });
  const front = Deno.serve(
    { ...addressOf(authority), onListen() {} },
    (request) => forward(api, request),
  );
  return {
    async [Symbol.asyncDispose]() {
      await front.shutdown();
      await api[Symbol.asyncDispose]();
    },
  };
}

/** The fake API chooses its own port, so requests to the given one are forwarded. */
async function forward(api: FakeApi, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const { method, headers, body } = request;
  const response = await fetch(new URL(pathname + search, api.url), {
    ...{ method, headers },
    body: method === "POST" ? await new Response(body).arrayBuffer() : null,
  });
  return new Response(response.body, response);
}

function stateOf(
  { runner, sandbox, host }: Omit<StandInApiOptions, "api">,
): ApiState {
  const base = host.slice(host.indexOf(".") + 1);
  // Clients generated from Daytona's description insist on its required fields.
  const config = {
    ...{ version: "0.0.0", environment: "test", announcements: {} },
    oidc: { issuer: "http://127.0.0.1:9", clientId: "none", audience: "none" },
    proxyTemplateUrl: `http://{{PORT}}-{{sandboxId}}.${base}`,
    proxyToolboxUrl: `http://${base}/toolbox`,
    ...{ dashboardUrl: `http://${base}`, defaultSnapshot: "none" },
    ...{ linkedAccountsEnabled: false, maintananceMode: false },
    maxAutoArchiveInterval: 43_200,
  };
  const runnerFull = {
    ...{ id: RUNNER_ID, name: "conformance", apiKey: KEYS.runner },
    ...{ proxyUrl: `http://${runner}`, apiUrl: `http://${runner}` },
    ...{ cpu: 1, memory: 1, disk: 1, region: "local", tags: [] },
    ...{ state: "ready", unschedulable: false, runnerClass: "container" },
    ...{ version: "0", apiVersion: "0" },
    ...{ createdAt: CREATED_AT, updatedAt: CREATED_AT },
  };
  const known = {
    ...{ id: sandbox, public: true, runnerId: RUNNER_ID, state: "started" },
    authToken: `${sandbox}-token`,
  };
  return {
    config,
    serviceKey: KEYS.service,
    sandboxes: new Map([[sandbox, known]]),
    runners: new Map([[RUNNER_ID, runnerFull]]),
    snapshots: new Map(),
    signedTokens: new Map(),
    users: new Map(),
    subjects: new Map(),
  };
}

const CREATED_AT = "2023-10-01T12:00:00Z";
