/** The page of the base domain, tested on the complete service. */
import assert from "node:assert/strict";
import { BASE, DEMO, startGateway } from "../../../support/gateway.ts";
import { startLoginGateway } from "../../../support/login_gateway.ts";
import { SESSION_SCOPES } from "../../../support/session_scopes.ts";

Deno.test("the base domain's page leads to a preview, and is not there with BASE_PAGE=false, or where no previews are", async () => {
  await using gateway = await startGateway({}, {
    links: [{ url: "http://x.test/", text: "Something to see" }],
  });
  const page = await gateway.send(BASE);
  assert.equal(page.status, 200);
  assert.match(page.body, /Something to see/);
  const opened = await gateway.send(BASE, {
    path: "/open?port=3000&sandbox=demo",
  });
  assert.equal(opened.status, 303);
  assert.equal(opened.headers.get("location"), `http://${DEMO}/`);

  for (
    const setting of [{ BASE_PAGE: "false" }, { TOOLBOX_ONLY_MODE: "true" }]
  ) {
    await using without = await startGateway(setting);
    for (const path of ["/", "/open?port=3000&sandbox=demo"]) {
      const answer = await without.send(BASE, { path });
      assert.equal(answer.status, 404);
      assert.equal(answer.json().code, "route_not_found");
    }
  }
});

for (const scope of SESSION_SCOPES) {
  Deno.test(`the base domain's page says who has logged in for '${scope}', and nobody once they have logged out`, async () => {
    await using gateway = await startLoginGateway({ SESSION_SCOPE: scope });
    const browser = gateway.browser();
    const base = gateway.at("");
    const stranger = await browser.open(base);
    assert.doesNotMatch(stranger.page.body, /Logged in as/);
    await browser.openAs("alice", gateway.at("3000-locked"));
    const named = /Logged in as <span class="name">alice[^<,]*</;
    assert.match((await browser.open(base)).page.body, named);
    const refused = await browser.open(gateway.at("", "/open?port=0"));
    assert.match(refused.page.body, named);
    const question = await browser.open(gateway.at("", "/logout"));
    await browser.submit(question.page);
    assert.doesNotMatch((await browser.open(base)).page.body, /Logged in as/);
  });
}
