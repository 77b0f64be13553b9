import assert from "node:assert/strict";
import { PreviewExchange } from "../../../src/gateway/sandbox_exchange.ts";
import { withParameter } from "../../../src/http/query_parameter.ts";
import {
  exchangeServices,
  incomingRequest,
  PREVIEW_HOST,
} from "../../support/exchange.ts";

/** The preview's exchange for a request-target, where features have these parameters. */
function previewOf(
  target: string,
  ownParameters: readonly string[] = ["OUR_CODE", "OUR_WISH"],
): PreviewExchange {
  const { services } = exchangeServices({ ownParameters });
  const incoming = { ...incomingRequest(), target };
  return new PreviewExchange(incoming, PREVIEW_HOST, services);
}

Deno.test("a feature's parameter is taken out of a preview's address again byte for byte", () => {
  for (const target of ["/", "/?", "/a?b", "/a?b&", "//x/?%20+&&=", "/?a=%"]) {
    const x = previewOf(withParameter(target, "OUR_CODE", "a.b-c"));
    assert.equal(x.target, target);
    assert.equal(x.appTarget, target);
    assert.deepEqual([...x.ownParameters], [["OUR_CODE", "a.b-c"]]);
  }
});

Deno.test("all of a feature's parameters are taken out however they are spelt, and the first value counts", () => {
  const x = previewOf("/a?OUR_WISH&b&OUR%5FCODE=1%2B1&OUR_CODE=2&OUR_CODES=3");
  assert.equal(x.target, "/a?b&OUR_CODES=3");
  assert.deepEqual(
    new Map(x.ownParameters),
    new Map([["OUR_CODE", "1+1"], ["OUR_WISH", ""]]),
  );
});

Deno.test("a parameter of no feature is the app's", () => {
  const target = "/a?OUR_CODE=1";
  for (
    const x of [previewOf(target, []), previewOf(target, ["OUR_WISH"])]
  ) {
    assert.equal(x.target, target);
    assert.equal(x.appTarget, target);
    assert.equal(x.ownParameters.size, 0);
  }
});

Deno.test("a feature's parameter is no preview token, whose removal alone redirects a browser", () => {
  assert.equal(previewOf("/?OUR_CODE=1").redirectsWithoutToken, false);
  const both = previewOf("/?OUR_CODE=1&DAYTONA_SANDBOX_AUTH_KEY=t&a");
  assert.equal(both.redirectsWithoutToken, true);
  assert.equal(both.appTarget, "/?a");
});

Deno.test("an app gets all headers that features add for its visitor, in their order", () => {
  const x = previewOf("/");
  assert.equal(x.added, undefined);
  x.add([["x-first", "1"]]);
  x.add([["x-second", "2"], ["x-third", "3"]]);
  assert.deepEqual(x.added, [
    ["x-first", "1"],
    ["x-second", "2"],
    ["x-third", "3"],
  ]);
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
    const { services } = exchangeServices({
      grants: { owns: (secret) => secret === "ours" },
    });
    const incoming = incomingRequest({}, { authorization: `Bearer ${sent}` });
    const x = new PreviewExchange(incoming, PREVIEW_HOST, services);
    x.checkLimits();
    x.grant({ sandboxId: "box", ...guest }, () => Promise.resolve(true));
    const what = `${sent} by ${guest.by}`;
    assert.equal(x.dropsAuthorization, isDropped, what);
  }
});
