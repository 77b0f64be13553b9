/** Where no secret of a share is ever seen, and what is told of shares instead, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { BASE, LOCKED, startGateway } from "../../../support/gateway.ts";
import { startRecordsGateway } from "../../../support/records_api.ts";
import {
  askApi,
  follow,
  makeShare,
  MEMBERS,
  NAVIGATION,
  press,
} from "./share_gateway.ts";

const PASSCODE = "open sesame";

Deno.test("no log, metric or app sees a share's secret, passcode or code, and each event has its line and its count", async () => {
  await using log = await collectLog();
  const { lines } = log;
  await using gateway = await startRecordsGateway(startGateway, MEMBERS, {
    lines,
  });
  const share = await makeShare(gateway, KEYS.user, { passcode: PASSCODE });
  const { id, secret } = share;
  await gateway.send(BASE, { path: `/s/${id}`, headers: NAVIGATION });
  await press(gateway, { id, secret: "x".repeat(43) });
  await press(gateway, share);
  await press(gateway, share, { passcode: "not this" });
  const pressed = await press(gateway, share, { passcode: PASSCODE });
  const arrived = await follow(gateway, pressed);
  const { searchParams } = new URL(String(pressed.json()["location"]));
  const code = String(searchParams.get("porthole_token"));
  const cookie = arrived.headers.get("set-cookie")?.split(";")[0] ?? "";
  const shown = await gateway.send(LOCKED, {
    path: `/echo?porthole_token=${code}&a=1`,
    headers: {
      cookie,
      "x-porthole-token": code,
      "referer": `http://${LOCKED}/?porthole_token=${code}`,
      "sec-fetch-mode": "cors",
    },
  });
  assert.equal(shown.status, 200);
  assert.match(shown.body, /"referer"/i);
  assert.equal(arrived.headers.get("referrer-policy"), "no-referrer");
  await askApi(gateway, KEYS.user, { method: "DELETE", path: `/${id}` });
  const records = log.records();
  const seen = [
    JSON.stringify(records),
    shown.body,
    gateway.service.renderMetrics(),
    arrived.headers.get("location"),
  ].join("\n");
  for (const text of [secret, PASSCODE, "not this", code.slice(3), cookie]) {
    assert(!seen.includes(text), text);
  }

  const messages = records.filter((line) =>
    line["id"] === id || line["grant"] === id
  ).map(({ message, code, via, kind }) => [message, code ?? via ?? kind]);
  assert.deepEqual(messages, [
    ["record made", "shares"],
    ["access refused", "share_invalid"],
    ["access refused", "passcode_wrong"],
    ["grant used", "share"],
    ["record ended", "shares"],
  ]);
  assert(records.some(({ by }) => by === "share"));
  for (
    const [outcome, count] of [
      ["made", 1],
      ["refused", 2],
      ["admitted", 2],
      ["ended", 1],
    ]
  ) {
    const line =
      `porthole_grants_total{via="share",outcome="${outcome}"} ${count}\n`;
    assert(seen.includes(line), line);
  }
});
