import { setImmediate } from "node:timers";
import { stillNeeded } from "./canary.ts";

/** Most reads that one turn of the event loop would take if Deno yielded. */
const FEW_READS = 16;

Deno.test("canary: reads of what has arrived keep the event loop from turning", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const [sender, receiver] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port }),
    listener.accept(),
  ]);
  await sender.write(new Uint8Array(10_000));
  sender.close();
  await receiver.read(new Uint8Array(1)); // it has arrived
  let reads = 0;
  let readsPerTurn: number | undefined;
  setImmediate(() => readsPerTurn = reads);
  const buffer = new Uint8Array(1);
  while (readsPerTurn === undefined && await receiver.read(buffer) !== null) {
    reads++;
  }
  receiver.close();
  stillNeeded((readsPerTurn ?? Infinity) > FEW_READS, {
    mended: "reads that starve the event loop",
    remove: "src/lib/fair_turn.ts",
  });
});
