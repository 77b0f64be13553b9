import assert from "node:assert/strict";
import { Refusal } from "../../../../src/resolver/refusals/refusal.ts";
import { RunnerRefusals } from "../../../../src/resolver/refusals/runner_refusals.ts";
import type { UpstreamResponse } from "../../../../src/upstream/http1/message.ts";
import { destinationOn, NO_UPSTREAM } from "../../../support/destination.ts";

const DESTINATION = destinationOn({
  proxyUrl: "http://runner.internal:3000",
  apiUrl: null,
  apiKey: "runner-secret",
}, "box");

const GET = { method: "GET", sandboxId: "box", sandboxPort: 3000 };

const EMPTY_502: UpstreamResponse = {
  status: 502,
  headers: [["content-length", "0"]],
  body: null,
};

function json(status: number, message: string): UpstreamResponse {
  const path = "/sandboxes/box/toolbox/proxy/3000/";
  const body = JSON.stringify({ statusCode: status, message, path });
  return {
    status,
    headers: [
      ["content-type", "application/json"],
      ["content-length", String(body.length)],
    ],
    body: new TextEncoder().encode(body),
  };
}

/** The refusals of a runner that answers probes so, and the targets that were probed. */
function refusalsOf(answers: Record<string, UpstreamResponse>) {
  const probed: string[] = [];
  const refusals = new RunnerRefusals({
    request({ method, target }) {
      probed.push(`${method} ${target}`);
      const name = target.slice("/sandboxes/box/toolbox".length);
      return Promise.resolve(answers[name] ?? assert.fail(target));
    },
  });
  return { refusals, probed };
}

function told(judged: UpstreamResponse | Refusal): unknown {
  return judged instanceof Refusal
    ? [judged.kind, judged.error.code]
    : judged.status;
}

Deno.test("each refusal says what it means for the way to the sandbox, and an app's own answer passes", async () => {
  const refusals = new RunnerRefusals(NO_UPSTREAM);
  for (
    const [response, expected] of [
      [json(404, "container not found"), ["not_there", "container_not_found"]],
      [json(401, "unauthorized"), ["not_accepted", "runner_refused"]],
      [json(400, "Is the Sandbox started?"), ["final", "sandbox_stopped"]],
      [json(404, "no such page"), 404],
      [{ ...EMPTY_502, headers: [] }, 502],
    ] as const
  ) {
    assert(refusals.mayRefuse(response));
    const judged = await refusals.judge(response, GET, DESTINATION);
    assert.deepEqual(told(judged), expected);
  }
  assert(!refusals.mayRefuse(json(200, "container not found")));
});

Deno.test("an empty 502 is of a closed port if the daemon answers, and of a daemon that is down otherwise", async () => {
  const up = { status: 200, headers: [], body: null };
  for (
    const [daemon, sandboxPort, expected] of [
      [up, 3000, ["dropped", "port_closed"]],
      [EMPTY_502, 3000, ["final", "toolbox_unreachable"]],
      [up, "toolbox", ["final", "toolbox_unreachable"]],
    ] as const
  ) {
    const { refusals } = refusalsOf({ "/version": daemon });
    const asked = { ...GET, sandboxPort };
    const judged = await refusals.judge(EMPTY_502, asked, DESTINATION);
    assert.deepEqual(told(judged), expected);
  }
});

Deno.test("what refuses a HEAD is told by a GET, once for all that ask at a time", async () => {
  const head = { ...json(404, ""), body: null };
  for (
    const [version, expected] of [
      [json(404, "container not found"), ["not_there", "container_not_found"]],
      [json(200, "1.0"), 404],
    ] as const
  ) {
    const { refusals, probed } = refusalsOf({ "/version": version });
    const asked = { ...GET, method: "HEAD" };
    const judged = await Promise.all(
      [1, 2].map(() => refusals.judge(head, asked, DESTINATION)),
    );
    assert.deepEqual(judged.map(told), [expected, expected]);
    assert.deepEqual(probed, ["GET /sandboxes/box/toolbox/version"]);
  }
});

Deno.test("a handshake that is dropped was the app's to refuse if something listens on the port", async () => {
  const up = { status: 200, headers: [], body: null };
  for (
    const [isInUse, expected] of [
      [true, ["final", "app_refused_websocket"]],
      [false, ["dropped", "port_closed"]],
    ] as const
  ) {
    const body = new TextEncoder().encode(JSON.stringify({ isInUse }));
    const { refusals } = refusalsOf({
      "/version": up,
      "/port/3000/in-use": { ...up, body },
    });
    const dropped = await refusals.judge(EMPTY_502, GET, DESTINATION);
    assert(dropped instanceof Refusal);
    const judged = await refusals.judgeHandshake(dropped, GET, DESTINATION);
    assert.deepEqual(told(judged), expected);
  }
});
