/** A name that nobody knows whose it is any more, on the complete service, whoever keeps names. */
import assert from "node:assert/strict";
import type { FeatureModule } from "../../../../src/gateway/feature_module.ts";
import { FEATURES } from "../../../../src/modules.ts";
import { BASE, DEMO } from "../../../support/gateway.ts";
import { nameSource } from "../../../support/names.ts";
import { readResponse } from "../../../support/raw_client.ts";
import { handshakeOf } from "../../../support/raw_websocket.ts";
import { testInBothWorlds as test } from "../../../support/worlds.ts";

const GONE = `gone.${BASE}`;

const keeper: FeatureModule = {
  name: "keeper of a suspended name",
  create: () => ({
    resolve: nameSource({
      [GONE]: { sandboxId: "demo", port: 3000, isSuspended: true },
    }),
  }),
};

test("a suspended name is unavailable to browsers, programs and WebSockets, and its pages are no longer the sandbox's", async (startGateway) => {
  await using gateway = await startGateway({}, {
    features: [...FEATURES, keeper],
  });
  const page = { accept: "text/html", "sec-fetch-mode": "navigate" };
  for (const headers of [{}, page]) {
    for (const host of [GONE, `${GONE}.`, `${GONE.toUpperCase()}:8443`]) {
      const { status, code } = await gateway.send(host, { headers });
      assert.deepEqual([status, code], [503, "name_suspended"], host);
    }
  }
  using stream = await gateway.open(handshakeOf(GONE, "/ws"));
  assert.equal((await readResponse(stream, "GET")).status, 503);
  assert.equal(gateway.stack.runner.seen.length, 0);

  const origin = `http://${GONE}`;
  const read = await gateway.send(DEMO, { path: "/echo", headers: { origin } });
  assert.equal(read.status, 200);
  const credentials = read.headers.get("access-control-allow-credentials");
  assert.equal(credentials, null);
});
