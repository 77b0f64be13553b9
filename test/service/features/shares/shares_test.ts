/** Share links: what they open and what they do not, and who makes them, tested on the complete service. */
import assert from "node:assert/strict";
import { HOSTED_KEYS } from "../../../../scripts/stand_in/hosted_stack.ts";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { collectLog } from "../../../support/collected_log.ts";
import {
  BASE,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../../../support/gateway.ts";
import { NAMED_WORLDS as WORLDS } from "../../../support/named_worlds.ts";
import {
  askApi,
  follow,
  makeShare,
  NAVIGATION,
  openedBy,
  OWN_PAGE,
  press,
  startShareGateway,
} from "./share_gateway.ts";

/** Defines a test for each world, with the key of a member there. */
function test(
  name: string,
  body: (gateway: TestGateway, memberKey: string) => Promise<void>,
): void {
  for (const { suffix, startGateway, memberKey } of WORLDS) {
    Deno.test(name + suffix, async () => {
      await using gateway = await startShareGateway(startGateway);
      await body(gateway, memberKey);
    });
  }
}

test(
  "a press opens the shared port, at the path that was shared",
  async (gateway, key) => {
    const share = await makeShare(gateway, key, { path: "/echo?a=1#top" });
    const pressed = await press(gateway, share);
    assert.equal(pressed.status, 200, pressed.body);
    assert.equal(pressed.headers.get("cache-control"), "no-store");
    const arrived = await follow(gateway, pressed);
    assert.equal(arrived.status, 303);
    assert.equal(
      arrived.headers.get("location"),
      `http://${LOCKED}/echo?a=1`,
    );
    const cookie = arrived.headers.get("set-cookie")?.split(";")[0] ?? "";
    const headers = { cookie };
    const { status, body } = await gateway.send(LOCKED, {
      path: "/echo",
      headers,
    });
    assert.equal(status, 200);
    assert.doesNotMatch(body, /porthole|ps_/);
    assert(!body.includes(share.secret));
  },
);
