import assert from "node:assert/strict";
import { StreamLineWriter } from "../../../../src/observability/line_writer.ts";
import type { Outcome } from "../../../../src/server/exit.ts";
import {
  supervise,
  type SuperviseOptions,
  workerConfig,
} from "../../../../src/server/workers/supervise.ts";
import { configOf } from "../../../support/config.ts";
import { recordedLog } from "../../../support/event_log.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { fakeSignals } from "../../../support/signals.ts";
import { fakeThreads, type FakeWorker } from "./fake_threads.ts";

const ON_LOOPBACK = {
  REDIS_HOST: "127.0.0.1",
  PROXY_HOST: "127.0.0.1",
  PROXY_PORT: "0",
};

/** Starts a supervisor with two fake workers. */
async function startSupervisor(
  env: Record<string, string> = {},
  differences: Partial<SuperviseOptions> = {},
) {
  const { workers, startThread } = fakeThreads();
  const { addSignalListener, send } = fakeSignals();
  const recorded = recordedLog();
  const written: string[] = [];
  const started = Promise.withResolvers<void>();
  const outcome = supervise({
    config: configOf({ ...ON_LOOPBACK, ...env }),
    workers: 2,
    version: "1.2.3",
    entry: import.meta.url,
    addSignalListener,
    lines: new StreamLineWriter(
      new WritableStream({
        write: (batch) => void written.push(new TextDecoder().decode(batch)),
      }),
    ),
    log: recorded.log,
    troubles: { list: () => [] },
    startThread(entry, start) {
      const thread = startThread(entry, start);
      if (workers.length === 2) started.resolve();
      return thread;
    },
    ...differences,
  });
  await Promise.race([started.promise, outcome]);
  return { workers, outcome, send, recorded, written };
}

function end(worker: FakeWorker, outcome: Outcome = { code: 0 }): void {
  worker.send({ kind: "ended", outcome });
}

/** Resolves to the next message to a worker. */
function nextMessage(worker: FakeWorker): Promise<unknown> {
  return new Promise((resolve) => worker.onMessage = resolve);
}

Deno.test("supervise() passes a signal on to every worker, and ends when all of them have ended", async () => {
  const { workers, outcome, send } = await startSupervisor();
  const [first, second] = workers as [FakeWorker, FakeWorker];
  assert.deepEqual(workers.map(({ start }) => start.number), [1, 2]);
  assert(first.start.config.listen.port > 0);
  assert.equal(first.start.config.listen.port, second.start.config.listen.port);

  const heard = Promise.all(workers.map(nextMessage));
  send("SIGTERM");
  const message = { kind: "signal", signal: "SIGTERM" };
  assert.deepEqual(await heard, [message, message]);
  end(first);
  const early = await Promise.race([
    outcome,
    nextMessage(second),
    answer(second),
  ]);
  assert.equal(early, "still here");
  assert(!first.isTerminated);
  end(second);
  assert.deepEqual(await outcome, { code: 0 });
  assert(first.isTerminated && second.isTerminated);
});

/** Resolves once the supervisor has read all earlier messages, which its confirmation of a batch of lines shows. */
async function answer(worker: FakeWorker): Promise<string> {
  const confirmed = nextMessage(worker);
  worker.send({ kind: "lines", batch: new Uint8Array() });
  await confirmed;
  return "still here";
}

Deno.test("supervise() ends with the outcome of the first worker that failed", async () => {
  const failure = { code: 1, reason: "Cannot accept connections." };
  const { workers, outcome } = await startSupervisor();
  const [first, second] = workers as [FakeWorker, FakeWorker];
  end(second, failure);
  assert.deepEqual(await outcome, failure);
  assert(first.isTerminated && second.isTerminated);
});

Deno.test("supervise() ends with code 1 if an error ends a thread, and logs which", async () => {
  const { workers, outcome, recorded } = await startSupervisor();
  workers[1]?.fail(new Error("Out of luck"));
  assert.deepEqual(await outcome, {
    code: 1,
    reason: "Worker 2 failed: Out of luck.",
  });
  const facts = await recorded.next("worker failed");
  assert.deepEqual(facts, { worker: 2, reason: "Out of luck" });
  assert(workers[0]?.isTerminated);
});

Deno.test("supervise() passes on a second signal, but no echo of the first", async () => {
  using clock = fakeClock();
  const { workers, outcome, send } = await startSupervisor();
  const [first, second] = workers as [FakeWorker, FakeWorker];
  send("SIGTERM");
  clock.pass(249);
  send("SIGTERM");
  await answer(first);
  assert.equal(signalsOf(first), 1);
  clock.pass(1);
  send("SIGTERM");
  await answer(first);
  assert.equal(signalsOf(first), 2);
  for (const worker of [first, second]) end(worker, { code: 143 });
  assert.deepEqual(await outcome, { code: 143 });
});

function signalsOf({ heard }: FakeWorker): number {
  return heard.filter(({ kind }) => kind === "signal").length;
}

Deno.test("after a second signal supervise() waits a second for the workers' last log lines", async () => {
  for (const hangs of [false, true]) {
    using clock = fakeClock();
    const { workers, outcome, send } = await startSupervisor();
    const [first] = workers as [FakeWorker];
    send("SIGTERM");
    clock.pass(1000);
    send("SIGINT");
    for (const worker of workers.slice(hangs ? 1 : 0)) {
      end(worker, { code: 130 });
    }
    await answer(first);
    if (hangs) clock.pass(1000);
    assert.deepEqual(await outcome, { code: 130 });
    assert(workers.every(({ isTerminated }) => isTerminated));
  }
});

Deno.test("supervise() writes a worker's log lines, and confirms that they are written", async () => {
  const { workers, outcome, written } = await startSupervisor();
  const [worker] = workers as [FakeWorker];
  const confirmed = nextMessage(worker);
  const batch = new TextEncoder().encode("one\ntwo\n");
  worker.send({ kind: "lines", batch });
  assert.deepEqual(await confirmed, { kind: "written" });
  assert.deepEqual(written, ["one\ntwo\n"]);
  workers.forEach((worker) => end(worker));
  await outcome;
});

Deno.test("supervise() serves the sum of the workers' metrics, and answers 500 while one of them is busy", async () => {
  using clock = fakeClock();
  const { workers, outcome, recorded } = await startSupervisor({
    METRICS_PORT: "0",
  });
  const { metricsPort: port } = await recorded.next("supervising");
  const [first, second] = workers as [FakeWorker, FakeWorker];
  function answerWith(worker: FakeWorker, value: number): void {
    worker.onMessage = () =>
      worker.send({
        kind: "metrics",
        metrics: `# HELP a A.\n# TYPE a counter\na ${value}\n`,
      });
  }
  answerWith(first, 2);
  const asked = nextMessage(second);
  const scraped = fetch(`http://127.0.0.1:${port}/metrics`);
  await asked;
  clock.pass(2000);
  const silent = await scraped;
  assert.equal(silent.status, 500);
  await silent.body?.cancel();

  answerWith(second, 3);
  // The late answer to the first request.
  second.send({ kind: "metrics", metrics: "" });
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  assert.match(await response.text(), /^a 5$/m);
  workers.forEach((worker) => end(worker));
  assert.deepEqual(await outcome, { code: 0 });
});

Deno.test("supervise() serves one status page for all workers", async () => {
  const { workers, outcome, recorded } = await startSupervisor(
    { METRICS_PORT: "0", METRICS_HOST: "127.0.0.1" },
    {
      troubles: {
        list: () => [{ at: 1, level: "error", message: "own", count: 1 }],
      },
    },
  );
  const { metricsPort: port } = await recorded.next("supervising");
  for (const worker of workers) {
    worker.onMessage = ({ kind }) => {
      if (kind === "render_metrics") {
        worker.send({ kind: "metrics", metrics: "porthole_tunnels_open 1\n" });
      } else if (kind === "report") {
        const sandbox = { sandboxId: "box", requestsPerSec: 1, bytesPerSec: 1 };
        worker.send({
          kind: "report",
          report: {
            sandboxes: [{ ...sandbox, tunnels: 2 }],
            limits: [],
            troubles: [],
          },
        });
      }
    };
  }
  const response = await fetch(`http://127.0.0.1:${port}/events`);
  const reader = response.body?.getReader() ?? assert.fail();
  const { value } = await reader.read();
  const event = JSON.parse(new TextDecoder().decode(value).slice(6));
  assert.equal(event.sandboxes[0].tunnels, 4);
  assert.deepEqual(
    event.troubles.map(({ message }: { message: string }) => message),
    ["own"],
  );
  await reader.cancel();
  workers.forEach((worker) => end(worker));
  assert.deepEqual(await outcome, { code: 0 });
});

Deno.test("supervise() starts no worker if a port is taken, shared or not", async () => {
  for (const reusePort of [false, true]) {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0, reusePort });
    const { port } = taken.addr;
    const { workers, outcome } = await startSupervisor({
      PROXY_PORT: String(port),
    });
    assert.deepEqual(await outcome, {
      code: 1,
      reason: `Port ${port} is taken: set PROXY_PORT.`,
    });
    const metrics = await startSupervisor({ METRICS_PORT: String(port) });
    assert.match((await metrics.outcome).reason ?? "", /METRICS_PORT/);
    assert.equal(workers.length + metrics.workers.length, 0);
  }
});

Deno.test({
  name:
    "supervise() starts no worker whose code it may not read, and names the missing permission",
  permissions: { read: [] },
  async fn() {
    const { outcome, workers } = await startSupervisor({}, {
      entry: "file:///opt/porthole/src/worker.ts",
    });
    const { code, reason } = await outcome;
    assert.equal(code, 2);
    assert.match(reason ?? "", /--allow-read=\.\/data,\/opt\/porthole\/src/);
    assert.deepEqual(workers, []);
  },
});

Deno.test("workerConfig() divides the limits of the process among the workers, rounding up", () => {
  const { limits } = workerConfig(
    configOf({
      MAX_CONCURRENT_EXCHANGES: "100",
      MAX_EXCHANGES_PER_SANDBOX: "10",
      MAX_TUNNELS: "1",
      MAX_EXCHANGES_PER_CLIENT: "20",
      MAX_TUNNELS_PER_CLIENT: "5",
      BUFFER_BUDGET_BYTES: "30000000",
      REFUSALS_PER_MINUTE: "300",
    }),
    { workers: 3, port: 4000 },
  );
  assert.equal(limits.concurrentExchanges, 34);
  assert.equal(limits.exchangesPerSandbox, 4);
  assert.equal(limits.tunnels, 1);
  assert.equal(limits.exchangesPerClient, 7);
  assert.equal(limits.tunnelsPerClient, 2);
  assert.equal(limits.bufferBudgetBytes, 10_000_000);
  assert.equal(limits.refusalsPerMinute, 100);
});

Deno.test("workerConfig() sets the port, and leaves the metrics to the supervisor", () => {
  const config = configOf({
    ...ON_LOOPBACK,
    PROXY_PORT: "0",
    METRICS_PORT: "9090",
    WORKERS: "3",
  });
  const given = workerConfig(config, { workers: 3, port: 4000 });
  const { limits: _, ...expected } = config;
  const { limits: __, ...rest } = given;
  assert.deepEqual(rest, {
    ...expected,
    listen: { ...config.listen, port: 4000 },
    metrics: undefined,
    workers: 1,
  });
});
