import assert from "node:assert/strict";
import type { Runner } from "../../../../src/daytona/api.ts";
import { DaemonProbe } from "../../../../src/resolver/refusals/daemon_probe.ts";
import type {
  UpstreamRequest,
  UpstreamResponse,
} from "../../../../src/upstream/http1/message.ts";
import { UpstreamError } from "../../../../src/upstream/upstream_error.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { destinationOn } from "../../../support/destination.ts";
import { turn } from "../../../support/upstream.ts";

const RUNNER: Runner = {
  proxyUrl: "http://runner.internal:3000/base/",
  apiUrl: null,
  apiKey: "runner-secret",
};

const DESTINATION = destinationOn(RUNNER, "box");

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

const PORT = { sandboxId: "box", sandboxPort: 3000 };
const IN_USE = "/base/sandboxes/box/toolbox/port/3000/in-use";
const APP = "/base/sandboxes/box/toolbox/proxy/3000/";

function json(value: unknown, status = 200): UpstreamResponse {
  const body = new TextEncoder().encode(JSON.stringify(value));
  return { status, headers: [], body };
}

Deno.test("a port is in use if the daemon says so, whatever the app answers", async () => {
  for (const isInUse of [true, false]) {
    const { probe, requests } = setUp(() => json({ isInUse }));
    assert.equal(await probe.isListening(PORT, DESTINATION), isInUse);
    assert.deepEqual(
      requests.map(({ method, target }) => [method, target]),
      [["GET", IN_USE]],
    );
  }
});

Deno.test("a daemon that answers without end is not listened to", async () => {
  let reads = 0;
  let isCancelled = false;
  const probe = new DaemonProbe({
    request({ target }) {
      if (target === APP) return Promise.resolve(EMPTY_502);
      const body = {
        read() {
          assert(++reads < 100, "read on and on");
          return Promise.resolve(new Uint8Array(1024).fill(0x20));
        },
        cancel() {
          isCancelled = true;
        },
      };
      return Promise.resolve({ status: 200, headers: [], body });
    },
  });
  assert.equal(await probe.isListening(PORT, DESTINATION), false);
  assert(isCancelled);
});

Deno.test("an app is asked, for nothing, where its daemon does not say whether it listens", async () => {
  const silent = [
    json({ message: "port out of range" }, 400),
    json({}, 404),
    json({ isInUse: "yes" }),
    json("true"),
    { status: 200, headers: [], body: new TextEncoder().encode("<html>") },
    EMPTY_502,
    undefined,
  ];
  for (const daemon of silent) {
    for (
      const [app, listens] of [
        [json({}, 404), true],
        [EMPTY_502, false],
        [undefined, false],
      ] as const
    ) {
      const requests: UpstreamRequest[] = [];
      const probe = new DaemonProbe({
        request(request) {
          requests.push(request);
          const answer = request.target === IN_USE ? daemon : app;
          return answer === undefined
            ? Promise.reject(new UpstreamError("connection_lost", ""))
            : Promise.resolve(answer);
        },
      });
      assert.equal(await probe.isListening(PORT, DESTINATION), listens);
      assert.deepEqual(
        requests.map(({ method, target }) => [method, target]),
        [["GET", IN_USE], ["HEAD", APP]],
      );
    }
  }
});

Deno.test("where no daemon can be asked, its app is", async () => {
  const { probe, requests } = setUp(() => json({}, 404));
  const destination = { ...DESTINATION, toolboxPrefix: undefined };
  assert.equal(await probe.isListening(PORT, destination), true);
  assert.deepEqual(requests.map(({ target }) => target), [APP]);
});

Deno.test("a daemon's answer about a port that is not complete in time is none", async () => {
  using clock = fakeClock();
  let isCancelled = false;
  const { probe } = setUp(() =>
    isCancelled ? EMPTY_502 : {
      status: 200,
      headers: [],
      body: {
        read: () => new Promise(() => {}),
        cancel: () => void (isCancelled = true),
      },
    }
  );
  const asked = probe.isListening(PORT, DESTINATION);
  await turn();
  clock.pass(1000);
  assert.equal(await asked, false);
  assert(isCancelled);
});
