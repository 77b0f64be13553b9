/** Daytona's API for a gateway elsewhere: it knows one public sandbox, whose runner the test cases play. */
import { FakeApi } from "../../../scripts/stand_in/api.ts";
import { KEYS, RUNNER_ID } from "../../../scripts/stand_in/stack.ts";
import { addressOf } from "../raw_runner.ts";
import type { TargetOptions } from "./options.ts";

/** Starts the API on `api`, `host:port`; it expects the stack's service key. */
export function startDaytona(
  { api, runner, sandbox, host }: TargetOptions & { readonly api: string },
): FakeApi {
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
  return new FakeApi({
    config,
    services: new Map([[KEYS.service, { role: "proxy" }]]),
    sandboxes: new Map([[sandbox, known]]),
    runners: new Map([[RUNNER_ID, runnerFull]]),
  }, {
    subjectOf: () => Promise.resolve(undefined),
    address: addressOf(api),
  });
}

const CREATED_AT = "2023-10-01T12:00:00Z";
