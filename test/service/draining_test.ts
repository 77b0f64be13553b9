/** What a gateway that is about to stop answers while its port is still open for WebSockets. */
import assert from "node:assert/strict";
import { startStack } from "../../scripts/stand_in/stack.ts";
import { assertEventually } from "../support/assert_eventually.ts";
import { dial } from "../support/dial.ts";
import { DEMO, startGateway, startGatewayOf } from "../support/gateway.ts";
import { KvConnect } from "../support/kv_connect.ts";
import { startMachine } from "../support/machine.ts";
import { rawStream, readResponse, valuesOf } from "../support/raw_client.ts";
import { EchoSocket, handshakeOf } from "../support/raw_websocket.ts";
import { redisTest as test, startRedis } from "../support/redis_server.ts";
import { startRedisTier } from "../support/shared_tier.ts";

const GET = `GET /echo HTTP/1.1\r\nHost: ${DEMO}\r\n\r\n`;

test("one that stops sends new requests elsewhere by 503, on kept connections too, and its WebSockets go on", async () => {
  await using tier = await startRedisTier();
  await using stack = await startStack();
  await using _other = await startMachine(stack, tier);
  await using machine = await startMachine(stack, tier, {
    SHUTDOWN_TIMEOUT_SEC: "60",
  });
  const { port } = machine;
  const tunnel = await EchoSocket.open(
    await dial({ scheme: "http", port }),
    handshakeOf(DEMO, "/ws"),
  );
  assert(tunnel instanceof EchoSocket);
  using kept = rawStream(await dial({ scheme: "http", port }));
  await kept.write(GET);
  assert.equal((await readResponse(kept)).status, 200);

  const stopped = machine.stop();
  await machine.record("draining");
  let status = 0;
  while (status !== 503) status = (await machine.ask(DEMO)).status;
  await kept.write(GET);
  const refused = await readResponse(kept);
  assert.equal(refused.status, 503);
  assert.deepEqual(valuesOf(refused.fields, "x-porthole-error"), [
    "draining",
  ]);
  assert.deepEqual(valuesOf(refused.fields, "connection"), ["close"]);
  const post = { method: "POST", path: "/upload", body: "hello" };
  assert.equal((await machine.ask(DEMO, post)).status, 200);
  assert.equal(await tunnel.echo("still there?"), "still there?");
  // Nothing is left then.
  tunnel[Symbol.dispose]();
  assert.equal((await stopped).code, 0);
});

Deno.test("a gateway that does not know whether others share its database serves requests until its port closes", async () => {
  await using service = new KvConnect();
  for (const settings of [{}, { CACHE_URL: service.url }]) {
    await using gateway = await startGateway(settings);
    await gateway.service.refuseNew();
    assert.equal((await gateway.send(DEMO)).status, 200);
  }
});

test("so does one that is alone at its Redis, until another one comes", async () => {
  await using server = await startRedis();
  await using stack = await startStack();
  const settings = { CACHE_URL: `redis://127.0.0.1:${server.port}` };
  await using gateway = await startGatewayOf(stack, settings);
  await gateway.service.refuseNew();
  assert.equal((await gateway.send(DEMO)).status, 200);
  await using _other = await startGatewayOf(stack, settings);
  await assertEventually(async () => {
    await gateway.service.refuseNew();
    return (await gateway.send(DEMO)).code === "draining";
  }, "the other one is there");
});
