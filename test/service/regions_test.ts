/** The gateway as the proxy of a region, in front of an API that guards its regions as the real one does. */
import assert from "node:assert/strict";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { collectLog } from "../support/collected_log.ts";
import {
  BASE,
  DEMO,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../support/gateway.ts";
import { untilReady } from "../support/ready.ts";

const TOKEN = { "x-daytona-preview-token": KEYS.lockedToken };
const BEARER = { authorization: `Bearer ${KEYS.user}` };

/** The requests that a region's proxy serves, by every kind of credential that it can judge. */
const REQUESTS = [
  [DEMO, {}],
  [LOCKED, { headers: TOKEN }],
  [LOCKED, { headers: BEARER }],
  [`3000-${KEYS.signedToken}.${BASE}`, {}],
  [BASE, {
    path: "/toolbox/locked/files?path=/",
    headers: BEARER,
  }],
] as const;

async function statuses(gateway: TestGateway): Promise<number[]> {
  const answers = [];
  for (const [host, options] of REQUESTS) {
    answers.push((await gateway.send(host, options)).status);
  }
  return answers;
}

Deno.test("A6: the proxy of a region opens what is in its region, and is ready", async () => {
  await using gateway = await startGateway({ PROXY_API_KEY: KEYS.regionProxy });
  await untilReady(gateway.port);
  assert.deepEqual(await statuses(gateway), [200, 200, 200, 200, 200]);
  const { api } = gateway.stack;
  assert(api.count("updateLastActivity") > 0);
});

Deno.test("A6: the proxy of a region finds nothing that is in another one", async () => {
  await using gateway = await startGateway({
    PROXY_API_KEY: KEYS.otherRegionProxy,
  });
  await untilReady(gateway.port);
  const answers = await statuses(gateway);
  assert.deepEqual(answers.map((status) => Math.floor(status / 100)), [
    4,
    4,
    4,
    4,
    4,
  ]);
  assert.equal(gateway.stack.api.count("updateLastActivity"), 0);
});

Deno.test("A6: the log says at the start that the gateway is a region's, names the region once it is known, and does not warn of the installation's domain", async () => {
  await using log = await collectLog();
  await using gateway = await startGateway({
    PROXY_API_KEY: KEYS.regionProxy,
    PROXY_DOMAIN: "eu.localhost",
  });
  gateway.service.checkUntilReady();
  const message = "the API knows this gateway as the proxy of a region";
  const first = await log.next(message);
  assert.deepEqual([first.level, first.region], ["INFO", undefined]);
  assert.equal((await gateway.send("3000-demo.eu.localhost")).status, 200);
  const regions = log.records().filter((line) => line.message === message)
    .map(({ region }) => region);
  assert.deepEqual(regions, [undefined, "local"]);
  const warned = log.records().filter(({ message }) =>
    /preview links lead to/.test(String(message))
  );
  assert.deepEqual(warned, []);
});
