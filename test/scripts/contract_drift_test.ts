import assert from "node:assert/strict";
import { parse } from "yaml";
import { findDrift } from "../../scripts/contract/drift.ts";
import { type Json, object } from "../../scripts/contract/json.ts";

const SLICE: Json = parse(
  await Deno.readTextFile(
    new URL("../../openapi/daytona.yaml", import.meta.url),
  ),
);

type Edit = readonly [path: readonly string[], value: Json | undefined];

/** A copy in which the member at a path has another value, or is removed. */
function edited(document: Json, [path, value]: Edit): Json {
  const [name, ...rest] = path;
  if (name === undefined) return value ?? {};
  if (Array.isArray(document)) {
    const copy = [...document];
    const index = Number(name);
    if (rest.length > 0) copy[index] = edited(copy[index], [rest, value]);
    else if (value === undefined) copy.splice(index, 1);
    else copy[index] = value;
    return copy;
  }
  const { [name]: old, ...others } = object(document);
  if (rest.length === 0 && value === undefined) return others;
  return { ...object(document), [name]: edited(old ?? {}, [rest, value]) };
}

/** The drift found after these edits, one line each. */
function driftAfter(...edits: Edit[]): string[] {
  const full = edits.reduce(edited, SLICE);
  assert.notDeepEqual(full, SLICE);
  return findDrift(SLICE, full).map(({ operation, kind, detail }) =>
    `${operation}: ${kind}: ${detail}`
  );
}

const paths = (...path: string[]) => ["paths", ...path];
const schemas = (...path: string[]) => ["components", "schemas", ...path];
const PUBLIC = "/preview/{sandboxId}/public";
const ACCESS = "/preview/{sandboxId}/access";
const VALIDATE = "/preview/{sandboxId}/validate/{authToken}";
const PUBLIC_NODE = object(object(SLICE)["paths"])[PUBLIC] ?? null;

Deno.test("findDrift() finds nothing between a description and itself", () => {
  assert.deepEqual(findDrift(SLICE, SLICE), []);
});

Deno.test("findDrift() names an operation that is gone", () => {
  assert.deepEqual(driftAfter([paths(PUBLIC), undefined]), [
    `isSandboxPublic: operation gone: there is neither that operationId nor GET ${PUBLIC}`,
  ]);
  assert.equal(findDrift(SLICE, {}).length, 10);
});

Deno.test("findDrift() names an operation that moved to another path or method", () => {
  assert.deepEqual(
    driftAfter(
      [paths(PUBLIC), undefined],
      [paths("/sandbox/{sandboxId}/is-public"), PUBLIC_NODE],
    ),
    [`isSandboxPublic: operation moved: from GET ${PUBLIC} to GET /sandbox/{sandboxId}/is-public`],
  );
  assert.deepEqual(
    driftAfter([paths(PUBLIC), { post: object(PUBLIC_NODE)["get"] ?? null }]),
    [`isSandboxPublic: operation moved: from GET ${PUBLIC} to POST ${PUBLIC}`],
  );
});

Deno.test("findDrift() names an operation with another operationId", () => {
  assert.deepEqual(
    driftAfter([paths(PUBLIC, "get", "operationId"), "getIsPublic"]),
    ["isSandboxPublic: operation renamed: it is now getIsPublic"],
  );
});

Deno.test("findDrift() names two operations that changed places", () => {
  assert.deepEqual(
    driftAfter(
      [paths(PUBLIC, "get", "operationId"), "hasSandboxAccess"],
      [paths(ACCESS, "get", "operationId"), "isSandboxPublic"],
    ),
    [
      `isSandboxPublic: operation moved: from GET ${PUBLIC} to GET ${ACCESS}`,
      `hasSandboxAccess: operation moved: from GET ${ACCESS} to GET ${PUBLIC}`,
    ],
  );
});

Deno.test("findDrift() sees through the global prefix of a running API", () => {
  const prefixed = Object.entries(object(object(SLICE)["paths"])).map(
    ([path, item]) => [`/api${path}`, item],
  );
  const full = edited(SLICE, [["paths"], Object.fromEntries(prefixed)]);
  assert.deepEqual(findDrift(SLICE, full), []);
  const moved = edited(full, [paths(`/api${PUBLIC}`), undefined]);
  const again = edited(moved, [paths("/v2/public/{sandboxId}"), PUBLIC_NODE]);
  assert.deepEqual(findDrift(SLICE, again).map(({ kind }) => kind), [
    "operation moved",
  ]);
});

Deno.test("findDrift() names a path parameter by its position", () => {
  const node = object(object(SLICE)["paths"])[VALIDATE] ?? null;
  assert.deepEqual(
    driftAfter(
      [paths(VALIDATE), undefined],
      [
        paths("/preview/{sandboxId}/validate/{token}"),
        edited(node, [["get", "parameters", "1", "name"], "token"]),
      ],
    ),
    ["isValidAuthToken: parameter renamed: path parameter authToken is now token"],
  );
});

Deno.test("findDrift() names a parameter that is gone, required, new and required, or of another type", () => {
  const SANDBOX = paths("/sandbox/{sandboxIdOrName}", "get", "parameters");
  assert.deepEqual(driftAfter([[...SANDBOX, "0"], undefined]), [
    "getSandbox: parameter gone: header parameter X-Daytona-Organization-ID",
  ]);
  const organization = {
    in: "header",
    name: "x-daytona-organization-id",
    schema: { type: "string" },
  };
  assert.deepEqual(
    driftAfter([[...SANDBOX, "0"], { ...organization, required: true }]),
    ["getSandbox: parameter required: header parameter X-Daytona-Organization-ID"],
  );
  assert.deepEqual(driftAfter([[...SANDBOX, "0"], organization]), []);
  const region = { in: "query", name: "region", schema: { type: "string" } };
  assert.deepEqual(
    driftAfter([[...SANDBOX, "2"], { ...region, required: true }]),
    ["getSandbox: parameter required: new query parameter region"],
  );
  assert.deepEqual(driftAfter([[...SANDBOX, "2"], region]), []);
  const PORT = paths(
    "/preview/{signedPreviewToken}/{port}/sandbox-id",
    "get",
    "parameters",
    "1",
    "schema",
  );
  const operation = "getSandboxIdFromSignedPreviewUrlToken";
  assert.deepEqual(driftAfter([PORT, { type: "string" }]), [
    `${operation}: parameter type changed: path parameter port: number instead of string`,
  ]);
});

Deno.test("findDrift() reads the parameters of a path item, and lets the operation's own win", () => {
  const own = object(object(PUBLIC_NODE)["get"])["parameters"] ?? null;
  assert.deepEqual(
    driftAfter(
      [paths(PUBLIC, "get", "parameters"), undefined],
      [paths(PUBLIC, "parameters"), own],
    ),
    [],
  );
  const verbose = { in: "query", name: "verbose", schema: { type: "boolean" } };
  assert.deepEqual(
    driftAfter(
      [paths(PUBLIC, "parameters"), [{ ...verbose, required: true }]],
      [paths(PUBLIC, "get", "parameters", "1"), verbose],
    ),
    [],
  );
});

Deno.test("findDrift() names a body that has to be sent now", () => {
  const BODY = paths(
    "/sandbox/{sandboxId}/last-activity",
    "post",
    "requestBody",
  );
  const content = { "application/json": { schema: { type: "object" } } };
  assert.deepEqual(driftAfter([BODY, { content }]), []);
  assert.deepEqual(driftAfter([BODY, { content, required: true }]), [
    "updateLastActivity: body required: it must be sent now",
  ]);
});

Deno.test("findDrift() names a success that is gone, and overlooks refusals", () => {
  const RESPONSES = paths(
    "/sandbox/{sandboxId}/last-activity",
    "post",
    "responses",
  );
  assert.deepEqual(driftAfter([RESPONSES, { "204": {}, "404": {} }]), [
    "updateLastActivity: response gone: status 201; there is 204, 404",
  ]);
  assert.deepEqual(driftAfter([RESPONSES, { "201": {} }]), []);
  assert.deepEqual(driftAfter([RESPONSES, { "2XX": {} }]), []);
});

Deno.test("findDrift() names a media type that is gone", () => {
  const CONTENT = paths("/config", "get", "responses", "200", "content");
  const schema = { type: "string" };
  assert.deepEqual(driftAfter([CONTENT, { "text/html": { schema } }]), [
    "ConfigController_getConfig: content gone: 200 application/json; there is text/html",
  ]);
});

Deno.test("findDrift() names a field that is gone or of another type, and where it is", () => {
  const CONFIG = "ConfigController_getConfig";
  assert.deepEqual(
    driftAfter([schemas("OidcConfig", "properties", "issuer"), undefined]),
    [`${CONFIG}: field gone: 200 .oidc.issuer: no longer present`],
  );
  assert.deepEqual(
    driftAfter([schemas("OidcConfig", "properties", "issuer"), {
      type: "object",
    }]),
    [`${CONFIG}: type changed: 200 .oidc.issuer: object instead of string`],
  );
  assert.deepEqual(
    driftAfter([schemas("Runner", "properties", "apiKey"), undefined]),
    ["getRunnerBySandboxId", "getRunnerFullById"].map((operation) =>
      `${operation}: field gone: 200 .apiKey: no longer present`
    ),
  );
  assert.deepEqual(
    driftAfter([schemas("DaytonaConfiguration", "properties", "oidc"), {
      $ref: "#/components/schemas/Nowhere",
    }]),
    [`${CONFIG}: type changed: 200 .oidc: anything instead of object`],
  );
});

Deno.test("findDrift() names a field that may be missing or null now", () => {
  const REF = schemas("BuildInfo", "properties", "snapshotRef");
  assert.deepEqual(driftAfter([schemas("BuildInfo", "required"), []]), [
    "getSandbox: type changed: 200 .buildInfo.snapshotRef: may be missing",
  ]);
  const ways: Json[] = [
    { type: "string", nullable: true },
    { type: ["string", "null"] },
    { oneOf: [{ type: "string" }, { type: "null" }] },
    { anyOf: [{ type: "null" }, { type: "string" }] },
  ];
  for (const way of ways) {
    assert.deepEqual(
      driftAfter([REF, way]),
      ["getSandbox: type changed: 200 .buildInfo.snapshotRef: may be null"],
      JSON.stringify(way),
    );
  }
});

Deno.test("findDrift() sees through references, allOf and enumerations", () => {
  const RUNNER = schemas("Sandbox", "properties", "runnerId");
  const values = { type: "string", enum: ["r1", "r2"] };
  const Id: Edit = [schemas("RunnerId"), values];
  const Other: Edit = [schemas("RunnerId"), { enum: [1, 2] }];
  const $ref = "#/components/schemas/RunnerId";
  for (const way of [{ $ref }, { allOf: [{ $ref }] }]) {
    assert.deepEqual(driftAfter(Id, [RUNNER, way]), []);
    assert.deepEqual(driftAfter(Other, [RUNNER, way]), [
      "getSandbox: type changed: 200 .runnerId: number instead of string",
    ]);
  }
  const BUILD = schemas("Sandbox", "properties", "buildInfo");
  assert.deepEqual(
    driftAfter([BUILD, {
      allOf: [
        { $ref: "#/components/schemas/BuildInfo" },
        { properties: { imageName: { type: "string" } } },
      ],
    }]),
    [],
  );
  assert.deepEqual(
    driftAfter([BUILD, { oneOf: [{ type: "object" }, { type: "string" }] }]),
    ["getSandbox: type changed: 200 .buildInfo: one of several instead of object"],
  );
});

Deno.test("findDrift() names values that the slice's enumeration does not know", () => {
  const RUNNER = schemas("Sandbox", "properties", "runnerId");
  const slice = edited(SLICE, [RUNNER, { type: "string", enum: ["a", "b"] }]);
  function details(schema: Json): string[] {
    return findDrift(slice, edited(SLICE, [RUNNER, schema])).map(({ detail }) =>
      detail
    );
  }
  assert.deepEqual(details({ type: "string", enum: ["b"] }), []);
  assert.deepEqual(details({ type: "string", enum: ["a", "c", "d"] }), [
    '200 .runnerId: may be "c", "d"',
  ]);
  assert.deepEqual(details({ type: "string" }), [
    "200 .runnerId: may be any value",
  ]);
});

Deno.test("findDrift() compares the members of arrays, and takes an integer for a number", () => {
  const RUNNER = schemas("Sandbox", "properties", "runnerId");
  const numbers = { type: "array", items: { type: "number" } };
  const slice = edited(SLICE, [RUNNER, numbers]);
  function details(type: string): string[] {
    const items = { type: "array", items: { type } };
    return findDrift(slice, edited(SLICE, [RUNNER, items])).map(({ detail }) =>
      detail
    );
  }
  assert.deepEqual(details("integer"), []);
  assert.deepEqual(details("string"), [
    "200 .runnerId[]: string instead of number",
  ]);
});

Deno.test("findDrift() survives a schema that contains itself", () => {
  const $ref = "#/components/schemas/BuildInfo";
  assert.deepEqual(driftAfter([schemas("BuildInfo"), { $ref }]), [
    "getSandbox: type changed: 200 .buildInfo: anything instead of object",
  ]);
  assert.deepEqual(driftAfter([schemas("BuildInfo"), { allOf: [{ $ref }] }]), [
    "getSandbox: type changed: 200 .buildInfo: anything instead of object",
  ]);
});

Deno.test("findDrift() names changed security by what reaches the wire", () => {
  const SECURITY = paths(PUBLIC, "get", "security");
  assert.deepEqual(driftAfter([SECURITY, [{ bearer: [] }, { other: [] }]]), []);
  assert.deepEqual(driftAfter([SECURITY, undefined]), [
    "isSandboxPublic: security changed: no credential instead of http bearer",
  ]);
  assert.deepEqual(driftAfter([SECURITY, [{}, { bearer: [] }]]), [
    "isSandboxPublic: security changed: no credential instead of http bearer",
  ]);
  assert.deepEqual(
    driftAfter([SECURITY, [{ key: [] }]], [
      ["components", "securitySchemes", "key"],
      { type: "apiKey", in: "header", name: "X-Key" },
    ]),
    [
      "isSandboxPublic: security changed: apikey header x-key instead of http bearer",
    ],
  );
  assert.deepEqual(
    driftAfter([SECURITY, [{ bearer: [], key: [] }]]),
    [
      "isSandboxPublic: security changed: http bearer + key instead of http bearer",
    ],
  );
  assert.deepEqual(driftAfter([["security"], [{ bearer: [] }]]), [
    "ConfigController_getConfig: security changed: http bearer instead of no credential",
  ]);
  assert.deepEqual(
    driftAfter([SECURITY, [{ jwt: [] }]], [
      ["components", "securitySchemes", "jwt"],
      { type: "http", scheme: "Bearer" },
    ]),
    [],
  );
});
