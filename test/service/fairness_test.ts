import assert from "node:assert/strict";
import { startStack } from "../../scripts/stand_in/stack.ts";
import { addSandbox } from "../support/add_sandbox.ts";
import { BASE, DEMO } from "../support/gateway.ts";
import { type GatewayProcess, startProcess } from "../support/process.ts";
import { type FloodOrder, FLOODS } from "./floods.ts";

const HOSTILE = `3000-hostile.${BASE}`;

/** Enough to see that it goes on, and to be amid the flood. */
const ROUNDS = 3;

/** One of each kind, since each takes a whole processor while it lasts: `deno task attack` runs them all. */
const KINDS = new Set([
  "S1-pongs",
  "S1-empty-fragments",
  "S10-chunks",
  "S10-uploads",
  "S14-client-pongs",
]);

/** A flood that goes on by itself while the gateway is asked to stop. */
const LAST_FLOOD = "S10-chunks";

/** The thread of the hostile. */
class Flooder implements Disposable {
  readonly #worker = new Worker(import.meta.resolve("./flooder.ts"), {
    type: "module",
  });

  /** The next message of the thread. */
  next(): Promise<unknown> {
    return new Promise((resolve) =>
      this.#worker.addEventListener("message", ({ data }) => resolve(data), {
        once: true,
      })
    );
  }

  async tell(message: FloodOrder | "stop"): Promise<void> {
    const done = this.next();
    this.#worker.postMessage(message);
    await done;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/** Asks for `/health` and a preview, again and again. */
async function visit(gateway: GatewayProcess): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const answers = await Promise.all([
      gateway.ask(BASE, { path: "/health" }),
      gateway.ask(DEMO),
    ]);
    assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
  }
}

Deno.test("S1, S10, S14: whatever floods the gateway, others are answered, and SIGTERM is heard", async (t) => {
  using flooder = new Flooder();
  const appPort = await flooder.next();
  assert(typeof appPort === "number");
  await using stack = await startStack();
  addSandbox(stack, "hostile", appPort);
  await using gateway = await startProcess({
    environment: {
      ...stack.environment,
      PROXY_PORT: "0",
      SHUTDOWN_TIMEOUT_SEC: "1",
    },
  });
  const { port } = gateway;
  const hosts = { hostile: HOSTILE, innocent: DEMO };
  const floods = FLOODS.filter(({ name }) => KINDS.has(name));
  assert.equal(floods.length, KINDS.size);
  for (const { name, about } of floods) {
    await t.step(`${name}: ${about}`, async () => {
      await flooder.tell({ name, port, ...hosts });
      await visit(gateway);
      await flooder.tell("stop");
    });
  }
  await flooder.tell({ name: LAST_FLOOD, port, ...hosts });
  const exit = gateway.stop();
  await gateway.record("draining");
  assert.equal((await exit).code, 0);
});
