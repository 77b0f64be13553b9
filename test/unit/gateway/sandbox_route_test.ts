import assert from "node:assert/strict";
import type { PreviewExchange } from "../../../src/gateway/preview_route.ts";
import { requestToSandbox } from "../../../src/gateway/sandbox_route.ts";
import { withParameter } from "../../../src/http/query_parameter.ts";
import { previewOf } from "../../support/exchange.ts";

/** The preview's exchange for a request-target, where features have these parameters. */
function askedFor(
  target: string,
  ownParameters: readonly string[] = ["OUR_CODE", "OUR_WISH"],
): PreviewExchange {
  return previewOf({}, { target, services: { ownParameters } });
}

Deno.test("a feature's parameter is taken out of a preview's address again byte for byte", () => {
  for (const target of ["/", "/?", "/a?b", "/a?b&", "//x/?%20+&&=", "/?a=%"]) {
    const x = askedFor(withParameter(target, "OUR_CODE", "a.b-c"));
    assert.equal(x.received.target, target);
    assert.equal(x.route.appTarget, target);
    assert.deepEqual([...x.route.ownParameters], [["OUR_CODE", "a.b-c"]]);
  }
});

Deno.test("all of a feature's parameters are taken out however they are spelt, and the first value counts", () => {
  const x = askedFor("/a?OUR_WISH&b&OUR%5FCODE=1%2B1&OUR_CODE=2&OUR_CODES=3");
  assert.equal(x.received.target, "/a?b&OUR_CODES=3");
  assert.deepEqual(
    new Map(x.route.ownParameters),
    new Map([["OUR_CODE", "1+1"], ["OUR_WISH", ""]]),
  );
});

Deno.test("a parameter of no feature is the app's", () => {
  const target = "/a?OUR_CODE=1";
  for (
    const x of [askedFor(target, []), askedFor(target, ["OUR_WISH"])]
  ) {
    assert.equal(x.received.target, target);
    assert.equal(x.route.appTarget, target);
    assert.equal(x.route.ownParameters.size, 0);
  }
});

Deno.test("a feature's parameter is no preview token, whose removal alone redirects a browser", () => {
  assert.equal(askedFor("/?OUR_CODE=1").route.redirectsWithoutToken, false);
  const both = askedFor("/?OUR_CODE=1&DAYTONA_SANDBOX_AUTH_KEY=t&a");
  assert.equal(both.route.redirectsWithoutToken, true);
  assert.equal(both.route.appTarget, "/?a");
});

Deno.test("an app gets no Authorization that is the credential used, or only the gateway's business", () => {
  const bearer = { kind: "grant", place: "bearer" };
  const header = { kind: "grant", place: "header" };
  for (
    const [sent, guest, isDropped] of [
      ["key", { by: "bearer", credential: { kind: "bearer" } }, true],
      ["grant", { by: "ticket", credential: bearer }, true],
      ["app's", { by: "ticket", credential: header }, false],
      ["ours", { by: "ticket", credential: header }, true],
      ["app's", { by: "public" }, false],
      ["ours", { by: "public" }, true],
    ] as const
  ) {
    const grants = { owns: (secret: string) => secret === "ours" };
    const fields = { authorization: `Bearer ${sent}` };
    const x = previewOf(fields, { services: { grants } });
    x.checkLimits();
    x.grant({ sandboxId: "box", ...guest }, () => Promise.resolve(true));
    const { dropsAuthorization } = requestToSandbox(x, { grants });
    assert.equal(dropsAuthorization, isDropped, `${sent} by ${guest.by}`);
  }
});
