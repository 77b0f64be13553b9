import assert from "node:assert/strict";
import {
  isEmptyBadGateway,
  mayBeRefusal,
  refusalOf,
} from "../../../../src/resolver/refusals/runner_messages.ts";

function refusal(
  statusCode: number,
  message: string,
  path = "/sandboxes/box/toolbox/proxy/3000/",
): string {
  return JSON.stringify({
    statusCode,
    message,
    code: "X",
    path,
    method: "GET",
  });
}

Deno.test("isEmptyBadGateway() knows the empty 502 of a hop", () => {
  const empty: [string, string] = ["Content-Length", "0"];
  assert(isEmptyBadGateway({ status: 502, headers: [empty, ["Date", "x"]] }));
  assert(!isEmptyBadGateway({ status: 503, headers: [empty] }));
  assert(
    !isEmptyBadGateway({ status: 502, headers: [["Content-Length", "3"]] }),
  );
  assert(!isEmptyBadGateway({ status: 502, headers: [] }));
  // An app's own empty 502 has fields of its own.
  assert(
    !isEmptyBadGateway({ status: 502, headers: [empty, ["Server", "nginx"]] }),
  );
});

Deno.test("mayBeRefusal() only suspects small JSON with a status that runners refuse with", () => {
  const json: [string, string] = [
    "content-type",
    "application/json; charset=utf-8",
  ];
  const small: [string, string] = ["content-length", "120"];
  assert(mayBeRefusal({ status: 404, headers: [json, small] }));
  assert(!mayBeRefusal({ status: 200, headers: [json, small] }));
  assert(!mayBeRefusal({ status: 404, headers: [json] }));
  assert(
    !mayBeRefusal({ status: 404, headers: [json, ["content-length", "9999"]] }),
  );
  assert(
    !mayBeRefusal({
      status: 404,
      headers: [["content-type", "text/html"], small],
    }),
  );
});

Deno.test("refusalOf() names a runner's refusals", () => {
  assert.equal(
    refusalOf(
      404,
      refusal(404, "not found: sandbox container not found: box"),
      "box",
    ),
    "container_not_found",
  );
  assert.equal(
    refusalOf(
      400,
      refusal(400, "bad request: no IP address found. Is the Sandbox started?"),
      "box",
    ),
    "sandbox_stopped",
  );
  assert.equal(
    refusalOf(401, refusal(401, "unauthorized: invalid token"), "box"),
    "runner_refused",
  );
});

Deno.test("refusalOf() leaves an app's own answers alone", () => {
  for (
    const [status, body] of [
      [404, '{"message":"sandbox container not found"}'],
      [404, "not json"],
      [404, "null"],
      [404, refusal(404, "page not found")],
      [404, refusal(404, "container not found", "/api/users")],
      [404, refusal(404, "container not found", "/sandboxes/other/x")],
      [400, refusal(400, "bad request: name is missing")],
      [401, refusal(403, "unauthorized: invalid token")],
    ] as const
  ) assert.equal(refusalOf(status, body, "box"), undefined, body);
});
