/** The time from the start of the process to its first response. */
import { GATEWAY, HOSTS } from "../contestants.ts";
import type { Reading } from "../drive.ts";
import { figureOf, type Scenario } from "../scenario.ts";
import type { World } from "../world.ts";
import { exchange } from "./raw_http.ts";

const ROUNDS = 5;
const FIRST_ANSWER = "ms";

async function startOnce(world: World): Promise<Reading> {
  const startedAt = performance.now();
  await using target = await GATEWAY.start(world);
  const request = { host: HOSTS.public, target: "/" };
  const start = await exchange(target.port, request);
  const tookMs = performance.now() - startedAt;
  if (!start.startsWith("HTTP/1.1 200 ")) {
    throw new Error(`The first response is ${start.split("\r\n")[0]}`);
  }
  return { [FIRST_ANSWER]: tookMs };
}

/** Times the first response of a gateway whose modules are in V8's code cache. */
export const START: Scenario = {
  name: "start",
  about: "start of the process to its first answer",
  async measure(world) {
    await startOnce(world);
    const rounds: Reading[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push(await startOnce(world));
    }
    const rows = [{ contestant: GATEWAY.name, rounds }];
    const figures = figureOf("first answer", rows, [
      GATEWAY.name,
      FIRST_ANSWER,
    ]);
    return { quantity: FIRST_ANSWER, rows, figures };
  },
};
