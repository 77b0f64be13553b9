/** `deno task bench`: how many requests a second the gateway passes on, beside a plain fetch proxy, in one run. */
import { RUNNER_ID, type Stack, startStack } from "../../test/stack/stack.ts";
import { load } from "./load.ts";
import { confineSelf, cpuTimeMs, isInstalled } from "./machine.ts";
import { formatReport, type Sample } from "./report.ts";
import {
  DIRECT,
  FETCH_PROXY,
  GATEWAY,
  GATEWAY_TOKEN,
  type Scenario,
} from "./scenarios.ts";
import { startTarget, type Target } from "./target.ts";

/** In the order of every round; the rates of the others are compared with the first one's. */
const SCENARIOS = [GATEWAY, FETCH_PROXY, GATEWAY_TOKEN, DIRECT];

const CONNECTIONS = 64;
const WARM_UP_SEC = 1;
const ROUND_SEC = 3;
const ROUNDS = 3;

/** A proxy has a processor to itself; load, runner and API share the other one. */
const PROXY_CPU = 0;
const LOAD_CPU = 1;

async function print(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
}

/** Makes the API say that all sandboxes are on the stub runner. */
function moveSandboxes({ api }: Stack, runner: Target): void {
  const known = api.state.runners.get(RUNNER_ID);
  if (known === undefined) throw new TypeError("The stack has no runner");
  const proxyUrl = `http://127.0.0.1:${runner.port}`;
  api.state.runners.set(RUNNER_ID, { ...known, proxyUrl });
}

async function measure(
  { headers }: Scenario,
  { target: { pid, port }, seconds }: { target: Target; seconds: number },
): Promise<Sample> {
  const before = await cpuTimeMs(pid);
  const { requests, requestsPerSec } = await load({
    port,
    headers,
    connections: CONNECTIONS,
    seconds,
  });
  const after = await cpuTimeMs(pid);
  const cpuMicrosPerRequest = before === undefined || after === undefined
    ? undefined
    : (after - before) * 1000 / requests;
  return { requestsPerSec, cpuMicrosPerRequest };
}

async function bench(started: AsyncDisposableStack): Promise<void> {
  const isPinned = await confineSelf(LOAD_CPU);
  const runner = started.use(
    await startTarget({ args: ["-P=bench", "scripts/bench/stub_runner.ts"] }),
  );
  const stack = started.use(await startStack());
  moveSandboxes(stack, runner);
  const world = {
    runner,
    stack,
    proxyCpu: isPinned ? PROXY_CPU : undefined,
  };

  const contestants = [];
  for (const scenario of SCENARIOS) {
    const target = started.use(await scenario.start(world));
    await measure(scenario, { target, seconds: WARM_UP_SEC });
    contestants.push({ scenario, target, samples: [] as Sample[] });
  }
  await print(
    `${ROUNDS} rounds of ${ROUND_SEC} s, ${CONNECTIONS} connections, 1 KiB a response; ` +
      (isPinned
        ? `proxies on CPU ${PROXY_CPU}, the rest on CPU ${LOAD_CPU}\n`
        : "not pinned to processors\n"),
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const { scenario, target, samples } of contestants) {
      samples.push(await measure(scenario, { target, seconds: ROUND_SEC }));
    }
  }
  await print(
    formatReport(
      contestants.map(({ scenario: { name }, samples }) => ({ name, samples })),
    ),
  );
}

async function main(): Promise<void> {
  if (!await isInstalled("wrk")) {
    return await print(
      "Nothing measured: this needs wrk, on Debian and Ubuntu `apt-get install wrk`, on macOS `brew install wrk`.",
    );
  }
  await using started = new AsyncDisposableStack();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, async () => {
      await started.disposeAsync();
      Deno.exit(1);
    });
  }
  await bench(started);
}

await main();
