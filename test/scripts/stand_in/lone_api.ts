/** A stand-in API on its own, with one sandbox. */
import { FakeApi } from "../../../scripts/stand_in/api.ts";
import type { ApiSandbox } from "../../../scripts/stand_in/api_state.ts";
import { ManualClock } from "../../support/manual_clock.ts";

/** The access token of alice, who has access to `s1`. */
export const JWT = "alice.j.wt";
const SANDBOX: ApiSandbox = {
  id: "s1",
  public: true,
  authToken: "token",
  runnerId: "r1",
  state: "started",
};

/** An API with one sandbox, and a clock that goes on when a test says so. */
export function startApi(): { api: FakeApi; clock: ManualClock } {
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const api = new FakeApi({
    config: {
      oidc: { issuer: "http://op.test", clientId: "c", audience: "a" },
      proxyTemplateUrl: "http://{{PORT}}-{{sandboxId}}.proxy.test",
      proxyToolboxUrl: "http://proxy.test/toolbox",
      dashboardUrl: "http://proxy.test/dashboard",
    },
    services: new Map([["proxy-key", { role: "proxy" }]]),
    sandboxes: new Map([["s1", { ...SANDBOX }]]),
    runners: new Map([["r1", { proxyUrl: null, apiKey: "runner-key" }]]),
    users: new Map([["alice-key", new Set(["s1"])], ["bob-key", new Set()]]),
    subjects: new Map([["alice", new Set(["s1"])]]),
  }, {
    subjectOf: (token) => Promise.resolve(token === JWT ? "alice" : undefined),
    now: () => clock.now(),
    after: (ms, callback) => clock.after(ms, callback),
  });
  return { api, clock };
}

/** A response, read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Calls an operation. */
export async function call(
  { url }: FakeApi,
  path: string,
  bearer: string,
  { method = "GET", ...headers }: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${bearer}`, ...headers },
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

/** The status of a call. */
export async function statusOf(
  ...args: Parameters<typeof call>
): Promise<number> {
  return (await call(...args)).status;
}
