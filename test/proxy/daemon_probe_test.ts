import assert from "node:assert/strict";
import type { Runner } from "../../src/daytona/api.ts";
import { DaemonProbe } from "../../src/proxy/daemon_probe.ts";
import { runnerDestination } from "../../src/resolver/runner.ts";
import type {
  UpstreamRequest,
  UpstreamResponse,
} from "../../src/upstream/http1/message.ts";
import { UpstreamError } from "../../src/upstream/upstream_error.ts";
import { fakeClock } from "../support/fake_clock.ts";

const RUNNER: Runner = {
  proxyUrl: "http://runner.internal:3000/base/",
  apiUrl: null,
  apiKey: "runner-secret",
};

const DESTINATION = runnerDestination(RUNNER, "box", 3000, "auto");

/** A probe whose requests are answered by `answer`. */
function setUp(answer: () => UpstreamResponse | Promise<UpstreamResponse>) {
  const requests: UpstreamRequest[] = [];
  const probe = new DaemonProbe({
    async request(request) {
      requests.push(request);
      return await answer();
    },
  });
  return { requests, probe };
}

const EMPTY_502: UpstreamResponse = {
  status: 502,
  headers: [["content-length", "0"]],
  body: null,
};

Deno.test("a daemon is up unless a hop answers for it, or where nobody can say", async () => {
  for (
    const [answer, isUp] of [
      [() => ({ status: 200, headers: [], body: null }), true],
      [() => ({ status: 404, headers: [], body: null }), true],
      [() => EMPTY_502, false],
      [() => {
        throw new UpstreamError("connection_lost", "");
      }, true],
    ] as const
  ) {
    const { probe, requests } = setUp(answer);
    assert.equal(await probe.isUp("box", DESTINATION), isUp);
    const [request] = requests;
    assert.equal(request?.target, "/base/sandboxes/box/toolbox/version");
    assert.deepEqual(request?.headers, [
      ["host", "runner.internal:3000"],
      ["x-daytona-authorization", "Bearer runner-secret"],
    ]);
  }
});

Deno.test("a daemon's answer is not read, and its connection not kept", async () => {
  let isCancelled = false;
  const { probe } = setUp(() => ({
    status: 200,
    headers: [],
    body: {
      read: () => new Promise(() => {}),
      cancel() {
        isCancelled = true;
      },
    },
  }));
  await probe.isUp("box", DESTINATION);
  assert(isCancelled);
});

Deno.test("a daemon is asked once in a while, however many closed ports are tried", async () => {
  using clock = fakeClock();
  clock.pass(1); // lru-cache takes the time 0 for none
  const { probe, requests } = setUp(() => EMPTY_502);
  await Promise.all([
    probe.isUp("box", DESTINATION),
    probe.isUp("box", DESTINATION),
  ]);
  assert.equal(requests.length, 1);
  await probe.isUp("other", DESTINATION);
  assert.equal(requests.length, 2);
  clock.pass(2000);
  await probe.isUp("box", DESTINATION);
  assert.equal(requests.length, 2);
  clock.pass(1);
  await probe.isUp("box", DESTINATION);
  assert.equal(requests.length, 3);
});
