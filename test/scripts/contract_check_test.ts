import assert from "node:assert/strict";
import { parse } from "yaml";
import { compare } from "../../scripts/contract/drift.ts";
import { type Ended, runScript } from "../support/run_script.ts";

const ROOT = new URL("../../", import.meta.url);
const PATH = "openapi/daytona.yaml";
const SLICE = await Deno.readTextFile(new URL(PATH, ROOT));

/** The texts of a description to replace, in this order, and what replaces each of their occurrences. */
type Edits = Readonly<Record<string, string>>;

function edited(text: string, edits: Edits): string {
  return Object.entries(edits).reduce((before, [from, to]) => {
    assert(before.includes(from), `nothing to replace: ${from}`);
    return before.replaceAll(from, to);
  }, text);
}

/** The drift of an edited description from the slice. */
async function driftAfter(edits: Edits, slice = SLICE): Promise<string[]> {
  const { drift } = await compare(parse(slice), parse(edited(slice, edits)));
  return drift.map(({ text }) => text);
}

const BODY = "200.content.application/json";
const BUILD = `{ $ref: "#/components/schemas/BuildInfo" }`;
const OTHER = `{ $ref: "#/components/schemas/Snapshot" }`;
const REGION = "in: query, name: region, schema: { type: string }";
const TEXT = "content: { text/plain: { schema: { type: string } } }";
const AUDIENCE = "audience: { type: string }";
const LAST = "- name: sandboxIdOrName";
const TAGS = "tags: [snapshots]";
const SECURITY = `${TAGS}\n      security: [{ bearer: [] }]`;

Deno.test("compare() overlooks whatever breaks no caller", async () => {
  const harmless = {
    "a parameter takes any value": { "{ type: number }": "{}" },
    "a new parameter": { [LAST]: `- { ${REGION} }\n        ${LAST}` },
    "a new body": { [TAGS]: `requestBody: { ${TEXT} }` },
    "another refusal": { '"403"': '"410"' },
    "a new member": {
      [AUDIENCE]: `${AUDIENCE}\n        more: { type: string }`,
    },
    "fewer values": { [AUDIENCE]: "audience: { enum: [a, b] }" },
    "more in an object": { [BUILD]: `{ allOf: [${BUILD}, ${OTHER}] }` },
    "a further credential": { "bearer: [] }]": "bearer: [] }, { other: [] }]" },
    "a scheme's name": { "bearer: []": "jwt: []", "    bearer:": "    jwt:" },
    "the global prefix of a running API": { "\n  /": "\n  /api/" },
  };
  for (const [why, edits] of Object.entries(harmless)) {
    assert.deepEqual(await driftAfter(edits), [], why);
  }
});

Deno.test("compare() finds operations that are gone, renamed or moved", async () => {
  const path = "/preview/{sandboxId}/public";
  const id = "isSandboxPublic";
  assert.deepEqual(await driftAfter({ [path]: "/other", [id]: "other" }), [
    `${id}: gone`,
  ]);
  assert.deepEqual(await driftAfter({ [id]: "isPublic" }), [
    `${id}: renamed to isPublic`,
  ]);
  assert.deepEqual(await driftAfter({ [path]: "/public/{sandboxId}" }), [
    `${id}: moved to GET /public/{sandboxId}`,
  ]);
  const get = `get:\n      operationId: ${id}`;
  assert.deepEqual(await driftAfter({ [get]: get.replace("get", "put") }), [
    `${id}: moved to PUT ${path}`,
  ]);
  const swapped = {
    [id]: "swap",
    hasSandboxAccess: id,
    swap: "hasSandboxAccess",
  };
  assert.deepEqual(await driftAfter(swapped), [
    `${id}: moved to GET /preview/{sandboxId}/access`,
    `hasSandboxAccess: moved to GET ${path}`,
  ]);
  const versioned = { "\n  /": "\n  /api/", "/api/config": "/api/v2/config" };
  assert.deepEqual(await driftAfter(versioned), [
    "ConfigController_getConfig: moved to GET /api/v2/config",
  ]);
  assert.deepEqual(await driftAfter({ authToken: "token" }), [
    "isValidAuthToken: moved to GET /preview/{sandboxId}/validate/{token}",
    "isValidAuthToken: path parameter authToken: gone",
    "isValidAuthToken: path parameter token: must not be missing",
  ]);
});

Deno.test("compare() lets what the slice marks as optional be gone, but not differ", async () => {
  const without = {
    "operationId: getSigningKey": "operationId: other",
    "/signing-key:": "/other:",
    "ssoOidc:": "sso:",
  };
  const slice = parse(SLICE);
  assert.deepEqual(await compare(slice, parse(edited(SLICE, without))), {
    drift: [],
    absent: ["getSigningKey"],
  });
  const sso = "SsoOidcConfig:\n      type: object";
  const ways = {
    "/signing-key:": "/key:",
    [sso]: "SsoOidcConfig:\n      nullable: true\n      type: object",
    "required: [issuer, clientId]": "",
  };
  const place = `ConfigController_getConfig: response ${BODY}.ssoOidc`;
  assert.deepEqual(await driftAfter(ways), [
    `${place}.issuer: may be missing`,
    `${place}.clientId: may be missing`,
    `${place}: may be null`,
    "getSigningKey: moved to GET /preview/{sandboxId}/key",
  ]);
});

Deno.test("compare() finds what a request must have or must not have now", async () => {
  const header = "header parameter X-Daytona-Organization-ID";
  assert.deepEqual(await driftAfter({ "in: header": "in: query" }), [
    `getSandbox: ${header}: gone`,
    `startSandbox: ${header}: gone`,
    `recoverSandbox: ${header}: gone`,
    `getSnapshot: ${header}: gone`,
  ]);
  assert.deepEqual(await driftAfter({ "required: false": "required: true" }), [
    "isPreviewWarningEnabled: query parameter port: must not be missing",
    `getSandbox: ${header}: must not be missing`,
    `startSandbox: ${header}: must not be missing`,
    `recoverSandbox: ${header}: must not be missing`,
    `getSnapshot: ${header}: must not be missing`,
  ]);
  const ports = [
    "isPreviewWarningEnabled: query parameter port",
    "getSandboxIdFromSignedPreviewUrlToken: path parameter port",
    "getPortPreviewUrl: path parameter port",
  ];
  const types = {
    "type: string": "string instead of number",
    "enum: [80, 443]": "80 | 443 instead of number",
  };
  for (const [type, drift] of Object.entries(types)) {
    assert.deepEqual(
      await driftAfter({ "type: number": type }),
      ports.map((port) => `${port}: ${drift}`),
    );
  }
  const required = {
    "/config:": `/config:\n    parameters: [{ ${REGION}, required: true }]`,
    [LAST]: `- { ${REGION}, required: true }\n        ${LAST}`,
    [TAGS]: `requestBody: { required: true, ${TEXT} }`,
  };
  assert.deepEqual(await driftAfter(required), [
    "ConfigController_getConfig: query parameter region: must not be missing",
    "getSandbox: query parameter region: must not be missing",
    "startSandbox: query parameter region: must not be missing",
    "recoverSandbox: query parameter region: must not be missing",
    "getPortPreviewUrl: query parameter region: must not be missing",
    "getSnapshot: requestBody: must not be missing",
  ]);
});

Deno.test("compare() finds what a response no longer has", async () => {
  const gone = {
    '"201"': '"204"',
    [`"200": { $ref: "#/components/responses/Yes" }\n        "401"`]:
      '"200": {}\n        "401"',
    "application/json:\n              schema: { type: string }":
      "text/plain: {}",
    "audience:": "aud:",
    "runnerId:": "node:",
    "required: [snapshotRef]": "",
  };
  assert.deepEqual(await driftAfter(gone), [
    `ConfigController_getConfig: response ${BODY}.oidc.audience: gone`,
    "hasSandboxAccess: response 200.content: gone",
    `getSigningKey: response ${BODY}: gone`,
    `getSandboxIdFromSignedPreviewUrlToken: response ${BODY}: gone`,
    `getSandbox: response ${BODY}.runnerId: gone`,
    `getSandbox: response ${BODY}.buildInfo.snapshotRef: may be missing`,
    "updateLastActivity: response 201: gone",
  ]);
  const withDefault = {
    "required: [snapshotRef]": "",
    "snapshotRef: {": "snapshotRef: { default: none,",
  };
  assert.deepEqual(await driftAfter(withDefault), [
    `getSandbox: response ${BODY}.buildInfo.snapshotRef: may be missing`,
  ]);
});

Deno.test("compare() finds members of a response with another type", async () => {
  const place = `ConfigController_getConfig: response ${BODY}.oidc.audience`;
  const audiences = {
    "{ type: number }": "number instead of string",
    "{}": "unknown instead of string",
    "{ type: string, nullable: true }": "may be null",
    '{ type: [string, "null"] }': "may be null",
  };
  for (const [schema, drift] of Object.entries(audiences)) {
    const edits = { [AUDIENCE]: `audience: ${schema}` };
    assert.deepEqual(await driftAfter(edits), [`${place}: ${drift}`]);
  }
  const build = `getSandbox: response ${BODY}.buildInfo`;
  const builds = {
    [`oneOf: [${BUILD}, { type: "null" }]`]: ": may be null",
    [`oneOf: [${BUILD}, ${OTHER}]`]: ".snapshotRef: gone",
    "oneOf: [{ type: string }, { type: object }]":
      ": string | Record<string, never> instead of { snapshotRef: string; }",
    "$ref: '#/components/schemas/Circle'":
      ": any instead of { snapshotRef: string; }",
  };
  const circle = "Circle: { allOf: [{ $ref: '#/components/schemas/Circle' }] }";
  for (const [schema, drift] of Object.entries(builds)) {
    const edits = {
      [BUILD]: `{ ${schema} }`,
      "  schemas:": `  schemas:\n    ${circle}`,
    };
    assert.deepEqual(await driftAfter(edits), [`${build}${drift}`]);
  }
});

Deno.test("compare() compares enumerations and the items of arrays", async () => {
  const items = "{ properties: { a: {}, b: { enum: [1, 2] } } }";
  const slice = edited(SLICE, {
    "ref: { type: string }": `ref: { type: array, items: ${items} }`,
  });
  const place = `getSnapshot: response ${BODY}.ref[]`;
  assert.deepEqual(await driftAfter({ "[1, 2]": "[1]" }, slice), []);
  assert.deepEqual(
    await driftAfter(
      { "a: {}, b: { enum: [1, 2": "b: { enum: [1, 2, 3" },
      slice,
    ),
    [
      `${place}.a: gone`,
      `${place}.b: 1 | 2 | 3 instead of 1 | 2`,
    ],
  );
});

Deno.test("compare() finds that an operation takes another credential", async () => {
  const credentials = {
    "[]": "none instead of bearer",
    "[{}, { bearer: [] }]": "none instead of bearer",
    "[{ other: [] }]": "another instead of bearer",
    "[{ bearer: [], other: [] }]": "another instead of bearer",
  };
  for (const [security, drift] of Object.entries(credentials)) {
    const found = await driftAfter({ [SECURITY]: `security: ${security}` });
    assert.deepEqual(found, [`getSnapshot: credential: ${drift}`]);
  }
  const all = { "\npaths:": "\nsecurity: [{ bearer: [] }]\npaths:" };
  assert.deepEqual(await driftAfter(all), [
    "ConfigController_getConfig: credential: bearer instead of none",
  ]);
});

function run(...args: string[]): Promise<Ended> {
  return runScript("scripts", "scripts/contract_check.ts", { args });
}

Deno.test("contract_check exits 0 for a file that agrees, 1 after listing the drift of a running API", async () => {
  const { code, out } = await run(PATH);
  assert.deepEqual([code, out], [0, "All 17 operations agree.\n"]);
  await using api = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => Response.json({ openapi: "3.0.0", info: {}, paths: {} }),
  );
  const url = `http://127.0.0.1:${api.addr.port}/api-json`;
  const drifted = await run(url);
  assert.equal(drifted.code, 1);
  assert.match(drifted.out, /^(\w+: gone\n){15}$/);
});

Deno.test("contract_check exits 2 if it cannot compare", async () => {
  await using api = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("nothing here", { status: 404 }),
  );
  const cases: [args: string[], message: RegExp][] = [
    [[], /^usage: /m],
    [[PATH, PATH], /^usage: /m],
    [["no/file"], /^Cannot compare with no\/file: NotFound/m],
    [["deno.json"], /expected `openapi: 3\.x`$/m],
    [["scripts/generate.ts"], /YAMLParseError/],
    [[`http://127.0.0.1:${api.addr.port}/`], /status 404$/m],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = await run(...args);
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, message);
  }
});
