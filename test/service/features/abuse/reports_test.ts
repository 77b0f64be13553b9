/** Reports of previews, and the operator's webhook, tested on the complete service. */
import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import { listenOnLoopback } from "../../../../scripts/stand_in/loopback.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import {
  BASE,
  DEMO,
  startGateway,
  type TestGateway,
} from "../../../support/gateway.ts";

/** The operator's webhook. */
interface Webhook extends AsyncDisposable {
  readonly settings: { readonly REPORT_WEBHOOK_URL: string };
  readonly heard: {
    readonly headers: IncomingHttpHeaders;
    readonly body: Record<string, unknown>;
  }[];
  status: number;
}

async function startWebhook(): Promise<Webhook> {
  const heard: Webhook["heard"] = [];
  const webhook = { heard, status: 204 };
  const server = createServer(async (request, response) => {
    heard.push({
      headers: request.headers,
      body: JSON.parse(await text(request)),
    });
    response.writeHead(webhook.status, { location: "/elsewhere" }).end();
  });
  const listening = await listenOnLoopback(server);
  const url = `http://127.0.0.1:${listening.port}/hook?key=secret`;
  return Object.assign(webhook, {
    settings: { REPORT_WEBHOOK_URL: url },
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  });
}

const REPORT = {
  url: `http://${DEMO}/login?token=secret#top`,
  reason: "It asks for the password of my bank.",
};

/** Sends the form. */
function report(
  { send }: Pick<TestGateway, "send">,
  fields: Readonly<Record<string, string>> = REPORT,
  headers: Readonly<Record<string, string>> = {},
) {
  return send(BASE, {
    method: "POST",
    path: "/report",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      ...headers,
    },
    body: new URLSearchParams(fields).toString(),
  });
}

Deno.test("a report reaches the operator's webhook, without the address's query", async () => {
  await using webhook = await startWebhook();
  await using gateway = await startGateway(webhook.settings);
  const page = await gateway.send(BASE, { path: "/report" });
  assert.deepEqual([page.status, page.code], [200, null]);
  assert.match(page.body, /<form method="post">/);
  const answer = await report(gateway, { ...REPORT, contact: "a@b.example" });
  assert.equal(answer.status, 200);
  assert.match(answer.body, /Thank you/);
  const [{ headers, body } = assert.fail("nothing heard")] = webhook.heard;
  assert.equal(headers["content-type"], "application/json");
  const { requestId, reportedAt, ...told } = body;
  assert.deepEqual(told, {
    event: "preview.reported",
    url: `http://${DEMO}/login`,
    sandbox: "demo",
    port: 3000,
    reason: REPORT.reason,
    contact: "a@b.example",
  });
  assert.equal(typeof requestId, "string");
  assert(!Number.isNaN(Date.parse(String(reportedAt))));
});

Deno.test("what names no preview here, says nothing or comes from another site is passed on to nobody", async () => {
  await using webhook = await startWebhook();
  await using gateway = await startGateway(webhook.settings);
  for (
    const [fields, headers, code] of [
      [{ ...REPORT, url: "https://example.com/" }, {}, "invalid_request"],
      [{ ...REPORT, url: `http://${BASE}/` }, {}, "invalid_request"],
      [{ ...REPORT, url: "demo" }, {}, "invalid_request"],
      [{ ...REPORT, reason: "" }, {}, "invalid_request"],
      [{ url: REPORT.url }, {}, "invalid_request"],
      [{ ...REPORT, reason: "x".repeat(2001) }, {}, "invalid_request"],
      [{ ...REPORT, reason: "x".repeat(20_000) }, {}, "form_too_long"],
      [REPORT, { origin: `http://${DEMO}` }, "cross_site_request"],
      [REPORT, { "sec-fetch-site": "same-site" }, "cross_site_request"],
    ] as const
  ) {
    const answer = await report(gateway, fields, headers);
    assert.equal(answer.code, code, JSON.stringify([fields, headers]));
  }
  assert.deepEqual(webhook.heard, []);
});

Deno.test("one address reports five times an hour, and is told when it may again", async () => {
  using clock = fakeClock();
  clock.pass(1);
  await using webhook = await startWebhook();
  await using gateway = await startGateway(webhook.settings);
  for (let time = 0; time < 5; time++) {
    assert.equal((await report(gateway)).status, 200);
  }
  const { status, code, headers } = await report(gateway);
  assert.deepEqual([status, code], [429, "too_many_reports"]);
  assert.equal(headers.get("retry-after"), "720");
  assert.equal(webhook.heard.length, 5);
  clock.pass(720_000);
  assert.equal((await report(gateway)).status, 200);
});

Deno.test("all together report sixty times in a minute, and who is refused by that has lost none of their own", async () => {
  using clock = fakeClock();
  clock.pass(1);
  await using webhook = await startWebhook();
  await using gateway = await startGateway({
    ...webhook.settings,
    TRUSTED_PROXIES: "127.0.0.1",
  });
  const reportBy = async (client: number) => {
    const headers = { "x-forwarded-for": `192.0.2.${client}` };
    return (await report(gateway, REPORT, headers)).code;
  };
  for (let client = 1; client <= 60; client++) {
    assert.equal(await reportBy(client), null);
  }
  for (let time = 0; time < 5; time++) {
    assert.equal(await reportBy(100), "too_many_reports");
  }
  clock.pass(60_000);
  for (let time = 0; time < 5; time++) {
    assert.equal(await reportBy(100), null);
  }
});

Deno.test("a webhook that fails or leads elsewhere is told, and its address stays out of the log", async () => {
  await using log = await collectLog();
  await using webhook = await startWebhook();
  await using gateway = await startGateway(webhook.settings);
  for (const status of [500, 302]) {
    webhook.status = status;
    const answer = await report(gateway);
    const told = [answer.status, answer.code];
    assert.deepEqual(told, [503, "report_unavailable"], String(status));
  }
  await webhook[Symbol.asyncDispose]();
  assert.equal((await report(gateway)).code, "report_unavailable");
  assert.doesNotMatch(JSON.stringify(log.records()), /secret/);
});

Deno.test("without a webhook there are no reports", async () => {
  await using gateway = await startGateway();
  assert.equal((await report(gateway)).code, "route_not_found");
  const { code } = await gateway.send(BASE, { path: "/report" });
  assert.equal(code, "route_not_found");
});
