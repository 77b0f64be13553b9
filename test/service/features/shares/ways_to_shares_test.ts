/** Other features' pages that lead a member to the share links of a sandbox, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { FEATURES } from "../../../../src/service.ts";
import { BASE, startGateway } from "../../../support/gateway.ts";
import { startShareGateway } from "./share_gateway.ts";

/** Features whose pages lead there, if they are there. */
const others = new Set(FEATURES.map(({ name }) => name));

/** Whether there are any, by the switch. */
const SWITCHED = [["members", true], ["off", false]] as const;

if (others.has("inspect")) {
  Deno.test("the owner's view leads to the share links of its sandbox, where there may be any", async () => {
    for (const [SHARES, isOn] of SWITCHED) {
      await using gateway = await startShareGateway(startGateway, { SHARES });
      const { status, body } = await gateway.send(BASE, {
        path: "/inspect/locked",
        headers: { authorization: `Bearer ${KEYS.user}` },
      });
      assert.equal(status, 200);
      const link = '<a href="/access/locked#shares">Share</a>';
      assert.equal(body.includes(link), isOn);
    }
  });
}

if (others.has("base_page")) {
  Deno.test("the base domain's page leads to the share links of the sandbox that it names, where there may be any", async () => {
    for (const [SHARES, isOn] of SWITCHED) {
      await using gateway = await startShareGateway(startGateway, { SHARES });
      const { body } = await gateway.send(BASE);
      const page = "/access/#shares";
      assert.equal(body.includes(`value="${page}">Share</button>`), isOn);
      const query = new URLSearchParams({ sandbox: " Locked ", page });
      const { headers } = await gateway.send(BASE, { path: `/open?${query}` });
      const location = isOn ? "/access/locked#shares" : null;
      assert.equal(headers.get("location"), location);
    }
  });
}
