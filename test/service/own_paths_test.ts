/** The paths of preview hosts that are a feature's, on the wire: only what begins with them as it came. */
import assert from "node:assert/strict";
import type { FeatureModule } from "../../src/gateway/feature_module.ts";
import { Exchange } from "../../src/gateway/exchange.ts";
import { ownRoute } from "../../src/gateway/route.ts";
import { FEATURES } from "../../src/modules.ts";
import { HANDSHAKE } from "../conformance/ws.ts";
import { DEMO, startGateway } from "../support/gateway.ts";
import { exchangeRaw } from "../support/raw_client.ts";

/** One that answers everything there with the method and target. */
const OWN_PATHS: FeatureModule = {
  name: "own_paths",
  create: () => ({
    answer: {
      onOwnPath(received, _, services) {
        const route = ownRoute("preview", received);
        const x = new Exchange(received, route, services);
        const { method, target } = received;
        return {
          exchange: x,
          async handle() {
            await x.checkLimits();
            return await x.answer(new Response(`ours: ${method} ${target}`));
          },
        };
      },
    },
  }),
};
const OPTIONS = { features: [...FEATURES, OWN_PATHS] };

Deno.test("targets below /.porthole/ are a feature's in origin form and in absolute form, by each method and as a handshake", async () => {
  await using gateway = await startGateway({}, OPTIONS);
  const { seen } = gateway.stack.runner;
  for (
    const [line, body] of [
      ["GET /.porthole/a?b", "ours: GET /.porthole/a?b"],
      [`GET http://${DEMO}/.porthole/a`, "ours: GET /.porthole/a"],
      ["GET /.porthole/../a", "ours: GET /.porthole/../a"],
      ["HEAD /.porthole/a", ""],
      ["OPTIONS /.porthole/a", "ours: OPTIONS /.porthole/a"],
      ["DELETE /.porthole/", "ours: DELETE /.porthole/"],
    ] as const
  ) {
    const head = `${line} HTTP/1.1\r\nHost: ${DEMO}\r\nConnection: close`;
    const answer = await exchangeRaw(
      await gateway.connect(),
      `${head}\r\n\r\n`,
    );
    const [fields = "", content] = answer.split("\r\n\r\n");
    assert.match(fields, /^HTTP\/1\.1 200 /);
    assert.equal(content, body, line);
  }
  using stream = await gateway.open(
    ["GET /.porthole/ws HTTP/1.1", `Host: ${DEMO}`, ...HANDSHAKE, "", ""]
      .join("\r\n"),
  );
  assert.match(await stream.readUntil("\r\n"), /^HTTP\/1\.1 200 /);
  assert.deepEqual(seen, []);
});

Deno.test("other spellings of such a path are the app's", async () => {
  await using gateway = await startGateway({}, OPTIONS);
  for (
    const path of [
      "/.porthole",
      "/%2eporthole/a",
      "/.porthole%2fa",
      "/.PORTHOLE/a",
      "//.porthole/a",
      "/echo/.porthole/a",
      "/echo?/.porthole/a",
    ]
  ) {
    const before = gateway.stack.runner.seen.length;
    const answer = await gateway.send(DEMO, { path });
    assert.doesNotMatch(answer.body, /^ours/, path);
    assert.equal(gateway.stack.runner.seen.length, before + 1, path);
  }
});
