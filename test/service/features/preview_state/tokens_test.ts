/** Machine tokens at the state of previews, where there are such tokens, on the complete service. */
import assert from "node:assert/strict";
import { FEATURES } from "../../../../src/modules.ts";
import { BASE } from "../../../support/gateway.ts";
import { recordsFile } from "../../../support/records_file.ts";
import { WORLDS } from "../../../support/worlds.ts";

const ignore = FEATURES.every(({ name }) => name !== "machine_tokens");

for (const { suffix, memberKey, startGateway } of WORLDS) {
  Deno.test({
    name:
      `a token for a port waits for its preview, and neither asks about others nor starts the sandbox${suffix}`,
    ignore,
    async fn() {
      await using records = await recordsFile();
      await using gateway = await startGateway({
        MACHINE_TOKENS: "members",
        WAKE: "press",
        ...records.environment,
      });
      const { body } = await gateway.send(BASE, {
        method: "POST",
        path: "/api/v1/tokens",
        headers: {
          authorization: `Bearer ${memberKey}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({
          sandbox: "locked",
          ports: [3000],
          expiresInSec: 60,
        }),
      });
      const { token } = JSON.parse(body);
      for (
        const headers of [
          { "x-porthole-token": token },
          { authorization: `Bearer ${token}` },
        ]
      ) {
        const ask = async (preview: string, method = "GET") => {
          const path = `/api/v1/previews/${preview}`;
          const answer = await gateway.send(BASE, { method, path, headers });
          return [answer.status, answer.code ?? JSON.parse(answer.body).ready];
        };
        assert.deepEqual(await ask("locked/3000?wait=60"), [200, true]);
        assert.deepEqual(await ask("locked/3001"), [401, "grant_invalid"]);
        assert.deepEqual(await ask("demo/3000"), [401, "grant_invalid"]);
        const start = await ask("locked/3000/start", "POST");
        assert.deepEqual(start, [401, "login_required"]);
      }
      assert.equal(gateway.stack.api.count("startSandbox"), 0);
    },
  });
}
