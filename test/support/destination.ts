/** Destinations, and what their upstreams answer in place of an app. */
import type { Runner } from "../../src/daytona/api.ts";
import type { Destination } from "../../src/resolver/destination.ts";
import type { ProbeClient } from "../../src/resolver/refusals/probe.ts";
import { RunnerRefusals } from "../../src/resolver/refusals/runner_refusals.ts";
import { runnerDestination } from "../../src/resolver/own/runner.ts";

/** An upstream that must not be probed. */
export const NO_UPSTREAM: ProbeClient = {
  request: () => Promise.reject(new Error("nobody is probed")),
};

/** Where port 3000 of a sandbox is on a runner. */
export function destinationOn(runner: Runner, sandboxId: string): Destination {
  return runnerDestination(runner, { sandboxId, sandboxPort: 3000 }, {
    appOrigin: "auto",
    refusals: new RunnerRefusals(NO_UPSTREAM),
    organizationId: undefined,
  });
}

/** A redirect that begins a login, which would return to `returnTo`. */
export function loginRedirect(
  returnTo: string,
  { cookie = "pkce_verifier=v; Path=/", redirect = "/callback" } = {},
): { status: number; headers: [string, string][] } {
  const state = new TextEncoder()
    .encode(JSON.stringify({ returnTo, sandboxId: "box", state: "s" }))
    .toBase64({ alphabet: "base64url", omitPadding: true });
  const parameters = new URLSearchParams({
    redirect_uri: `https://hosted.example${redirect}`,
    state,
  });
  return {
    status: 307,
    headers: [
      ["Location", `https://id.example/auth?${parameters}`],
      ["Set-Cookie", cookie],
    ],
  };
}
