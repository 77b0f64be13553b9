import assert from "node:assert/strict";
import { parse } from "yaml";
import type { Description } from "../../scripts/contract/description.ts";
import { compare } from "../../scripts/contract/drift.ts";
import { lineDiff } from "../../scripts/contract/line_diff.ts";
import { rewrite } from "../../scripts/contract/rewrite.ts";
import { type Ended, runScript } from "../support/run_script.ts";

const ROOT = new URL("../../", import.meta.url);
const PATH = "openapi/daytona.yaml";
const SLICE = await Deno.readTextFile(new URL(PATH, ROOT));

/** The slice, with texts replaced, as a description of an API that has changed. */
function changed(edits: Readonly<Record<string, string>>): Description {
  const text = Object.entries(edits).reduce((before, [from, to]) => {
    assert(before.includes(from), `nothing to replace: ${from}`);
    return before.replaceAll(from, to);
  }, SLICE);
  return parse(text);
}

/** The lines that a rewriting changes, without those around them. */
function editsOf(text: string): string[] {
  return lineDiff(SLICE, text).filter((line) => /^[-+]/.test(line))
    .map((line) => line.replace(/^(.) +/, "$1 "));
}

Deno.test("rewrite() leaves a slice that agrees as it is, whatever else there is", async () => {
  const more = changed({
    '{ $ref: "#/components/schemas/OidcConfig" }':
      "{ description: theirs, allOf: [{ $ref: '#/components/schemas/OidcConfig' }] }",
    "audience: { type: string }":
      "audience: { type: string, example: a }\n        region: { type: string }",
    "  /snapshots/{id}:":
      "  /more:\n    get: { operationId: more }\n  /snapshots/{id}:",
    "state:\n          type: string":
      "state:\n          type: string\n          enum: [started, stopped]",
  });
  const odd = `# odd\n${SLICE.replace("tags: [config]", "tags:   [ config ]")}`;
  for (const full of [more, JSON.parse(JSON.stringify(more))]) {
    assert.deepEqual(await rewrite(odd, full), {
      text: odd,
      changes: [],
      problems: [],
      absent: [],
    });
  }
});

Deno.test("rewrite() takes over what has changed, and keeps order, words and comments", async () => {
  const cases: [
    why: string,
    edits: Record<string, string>,
    changes: string[],
    lines: string[],
  ][] = [
    [
      "an operation that was renamed",
      { "operationId: isSandboxPublic": "operationId: isPublic" },
      ["isSandboxPublic: renamed to isPublic"],
      ["- operationId: isSandboxPublic", "+ operationId: isPublic"],
    ],
    [
      "an operation that was moved, in an API that prefixes all",
      {
        "\n  /": "\n  /api/",
        "/api/preview/{sandboxId}/public:": "/api/public/{sandboxId}:",
      },
      ["isSandboxPublic: moved to GET /api/public/{sandboxId}"],
      ["- /preview/{sandboxId}/public:", "+ /public/{sandboxId}:"],
    ],
    [
      "another method",
      { "post:": "put:" },
      [
        "startSandbox: moved to PUT /sandbox/{sandboxIdOrName}/start",
        "recoverSandbox: moved to PUT /sandbox/{sandboxIdOrName}/recover",
        "updateLastActivity: moved to PUT /sandbox/{sandboxId}/last-activity",
      ],
      ["- post:", "+ put:", "- post:", "+ put:", "- post:", "+ put:"],
    ],
    [
      "a path parameter with another name",
      { authToken: "token" },
      [
        "isValidAuthToken: moved to GET /preview/{sandboxId}/validate/{token}",
        "isValidAuthToken: path parameter authToken: gone",
        "isValidAuthToken: path parameter token: must not be missing",
      ],
      [
        "- /preview/{sandboxId}/validate/{authToken}:",
        "+ /preview/{sandboxId}/validate/{token}:",
        "- - name: authToken",
        "+ - name: token",
        "- description: The preview token that the caller presented.",
      ],
    ],
    [
      "a parameter that must be sent now",
      {
        "- name: port\n          in: query\n          required: false":
          "- name: port\n          in: query\n          required: true",
        "        - name: sandboxIdOrName":
          "        - { name: region, in: query, required: true, schema: { type: array, items: { enum: [a], type: string } } }\n        - name: sandboxIdOrName",
      },
      [
        "isPreviewWarningEnabled: query parameter port: must not be missing",
        "getSandbox: query parameter region: must not be missing",
        "startSandbox: query parameter region: must not be missing",
        "recoverSandbox: query parameter region: must not be missing",
        "getPortPreviewUrl: query parameter region: must not be missing",
      ],
      [
        "- required: false",
        "+ required: true",
        "+ - name: region",
        "+ in: query",
        "+ required: true",
        "+ schema: { type: array, items: { type: string, enum: [a] } }",
        "+ - name: region",
        "+ in: query",
        "+ required: true",
        "+ schema: { type: array, items: { type: string, enum: [a] } }",
        "+ - name: region",
        "+ in: query",
        "+ required: true",
        "+ schema: { type: array, items: { type: string, enum: [a] } }",
        "+ - name: region",
        "+ in: query",
        "+ required: true",
        "+ schema: { type: array, items: { type: string, enum: [a] } }",
      ],
    ],
    [
      "a parameter of another type",
      { "schema: { type: number }": "schema: { type: string, enum: [x] }" },
      [
        'isPreviewWarningEnabled: query parameter port: "x" instead of number',
        'getSandboxIdFromSignedPreviewUrlToken: path parameter port: "x" instead of number',
        'getPortPreviewUrl: path parameter port: "x" instead of number',
      ],
      [
        "- schema: { type: number }",
        "+ schema: { type: string, enum: [x] }",
        "- schema: { type: number }",
        "+ schema: { type: string, enum: [x] }",
        "- schema: { type: number }",
        "+ schema: { type: string, enum: [x] }",
      ],
    ],
    [
      "members of a response that may be null or missing",
      {
        "audience: { type: string }":
          "audience: { type: string, nullable: true }",
        "required: [issuer, clientId, audience]":
          "required: [issuer, audience]",
        "required: [snapshotRef]": "",
        '{ $ref: "#/components/schemas/BuildInfo" }':
          '{ nullable: true, allOf: [{ $ref: "#/components/schemas/BuildInfo" }] }',
      },
      [
        "ConfigController_getConfig: response 200.content.application/json.oidc.clientId: may be missing",
        "ConfigController_getConfig: response 200.content.application/json.oidc.audience: may be null",
        "getSandbox: response 200.content.application/json.buildInfo.snapshotRef: may be missing",
        "getSandbox: response 200.content.application/json.buildInfo: may be null",
      ],
      [
        "- required: [issuer, clientId, audience]",
        "+ required: [issuer, audience]",
        "- audience: { type: string }",
        "+ audience: { type: string, nullable: true }",
        '- buildInfo: { $ref: "#/components/schemas/BuildInfo" }',
        "+ buildInfo:",
        "+ allOf:",
        '+ - { $ref: "#/components/schemas/BuildInfo" }',
        "+ nullable: true",
        "- required: [snapshotRef]",
      ],
    ],
    [
      "a member of another type, whose words stay",
      {
        "enabled: { type: boolean }":
          "enabled: { type: string, enum: [yes, no] }",
        "dashboardUrl:\n          type: string":
          "dashboardUrl:\n          type: object",
      },
      [
        "ConfigController_getConfig: response 200.content.application/json.dashboardUrl: Record<string, never> instead of string",
        'isPreviewWarningEnabled: response 200.content.application/json.enabled: "yes" | "no" instead of boolean',
      ],
      [
        "- type: string",
        "+ type: object",
        "- enabled: { type: boolean }",
        "+ enabled: { type: string, enum: [yes, no] }",
      ],
    ],
    [
      "a bare answer of another type",
      { "schema: { type: boolean }": "schema: { type: string }" },
      [
        "isSandboxPublic: response 200.content.application/json: string instead of boolean",
        "isValidAuthToken: response 200.content.application/json: string instead of boolean",
        "hasSandboxAccess: response 200.content.application/json: string instead of boolean",
      ],
      ["- schema: { type: boolean }", "+ schema: { type: string }"],
    ],
    [
      "another credential",
      {
        "tags: [snapshots]\n      security: [{ bearer: [] }]":
          "tags: [snapshots]",
        "tags: [config]": "tags: [config]\n      security: [{ bearer: [] }]",
      },
      [
        "ConfigController_getConfig: credential: bearer instead of none",
        "getSnapshot: credential: none instead of bearer",
      ],
      [
        "+ security: [{ bearer: [] }]",
        "- security: [{ bearer: [] }]",
        "+ security: []",
      ],
    ],
  ];
  const comments = (text: string) => text.match(/^ *#.*$/gm);
  for (const [why, edits, changes, lines] of cases) {
    const full = changed(edits);
    const { text, ...rest } = await rewrite(SLICE, full);
    assert.deepEqual(rest, { changes, problems: [], absent: [] }, why);
    assert.deepEqual(editsOf(text), lines, why);
    assert.deepEqual(comments(text), comments(SLICE), why);
    assert.deepEqual((await compare(parse(text), full)).drift, [], why);
  }
});

Deno.test("rewrite() completes an operation that names only its id and what is read of its answer", async () => {
  const sketch = SLICE.replace(
    "paths:\n",
    `paths:
  /somewhere:
    get:
      operationId: getThing
      summary: A thing.
      tags: [sandbox]
      responses:
        "200":
          description: It.
          content: { application/json: { schema: { type: string } } }

`,
  );
  const full = parse(
    sketch.replace("/somewhere:", "/things/{id}:").replace(
      "summary: A thing.",
      `security: [{ bearer: [] }]
      parameters:
        - { name: id, in: path, required: true, schema: { type: string } }`,
    ),
  );
  const { text, problems } = await rewrite(sketch, full);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    lineDiff(sketch, text).filter((line) => /^[-+]/.test(line)),
    [
      "-  /somewhere:",
      "+  /things/{id}:",
      "+      security: [{ bearer: [] }]",
      "+      parameters:",
      "+        - name: id",
      "+          in: path",
      "+          required: true",
      "+          schema: { type: string }",
    ],
  );
});

Deno.test("rewrite() names what only a person can decide", async () => {
  const body = "response 200.content.application/json";
  const cases: Record<string, Record<string, string>> = {
    "isSandboxPublic: gone": {
      "/preview/{sandboxId}/public": "/other",
      isSandboxPublic: "other",
    },
    [`getSnapshot: ${body}.initialRunnerId: gone`]: {
      "initialRunnerId:": "id:",
    },
    "updateLastActivity: response 201: gone": { '"201"': '"204"' },
    "getSandbox: header parameter X-Daytona-Organization-ID: gone; startSandbox: header parameter X-Daytona-Organization-ID: gone; recoverSandbox: header parameter X-Daytona-Organization-ID: gone":
      {
        'parameters:\n        - $ref: "#/components/parameters/OrganizationId"\n        - name: sandboxIdOrName':
          "parameters:\n        - name: sandboxIdOrName",
      },
    "getSnapshot: requestBody: must not be missing": {
      "tags: [snapshots]":
        "requestBody: { required: true, content: { text/plain: {} } }\n      tags: [snapshots]",
    },
    "getSnapshot: credential: another instead of bearer": {
      "tags: [snapshots]\n      security: [{ bearer: [] }]":
        "tags: [snapshots]\n      security: [{ other: [] }]",
    },
    [`getSnapshot: ${body}.ref: string | number instead of string`]: {
      "ref: { type: string }":
        "ref: { oneOf: [{ type: string }, { type: number }] }",
    },
  };
  for (const [problem, edits] of Object.entries(cases)) {
    const { problems } = await rewrite(SLICE, changed(edits));
    assert.deepEqual(problems, problem.split("; "));
  }
});

Deno.test("rewrite() does not rewrite for one operation what suits another no longer", async () => {
  const shared = '- $ref: "#/components/parameters/SandboxId"\n';
  const own =
    "- { name: sandboxId, in: path, required: true, schema: { type: number } }\n";
  const tail = '      responses:\n        "201":';
  const { problems } = await rewrite(
    SLICE,
    changed({ [`${shared}${tail}`]: `${own}${tail}` }),
  );
  assert.match(
    problems[0] ?? "",
    /^isSandboxPublic: path parameter sandboxId: string instead of number, once it/,
  );
});

Deno.test("lineDiff() shows what differs with its surroundings, and nothing of equal texts", () => {
  const numbers = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
  const text = `${numbers.join("\n")}\n`;
  assert.deepEqual(lineDiff(text, text), []);
  assert.deepEqual(lineDiff(text, text.replace("5", "five\nfive")), [
    ...["@@", " 3", " 4", "-5", "+five", "+five", " 6", " 7", "@@"],
  ]);
  assert.deepEqual(lineDiff(text, text.replace("1\n", "")), [
    ...["-1", " 2", " 3", "@@"],
  ]);
  assert.deepEqual(lineDiff("1\n", "1\n2\n"), [" 1", "+2"]);
});

function gen(...args: string[]): Promise<Ended> {
  return runScript("scripts", "scripts/generate.ts", { args });
}

Deno.test("gen --from changes nothing if its description agrees", async () => {
  const { code, out, err } = await gen("--from", PATH);
  assert.deepEqual([code, out, err], [0, "openapi/daytona.yaml agrees.\n", ""]);
});

Deno.test("gen --from writes nothing and exits 1 if something is gone, with 2 if it cannot read the description", async () => {
  await using api = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ url }) =>
      url.endsWith("/api-json")
        ? Response.json(
          changed({ getSnapshot: "getOther", "/snapshots/": "/other/" }),
        )
        : new Response("nothing here", { status: 404 }),
  );
  const base = `http://127.0.0.1:${api.addr.port}`;
  const gone = await gen("--from", `${base}/api-json`);
  assert.deepEqual([gone.code, gone.out], [1, ""]);
  assert.match(gone.err, /^Nothing is written,[^]*\n\ngetSnapshot: gone\n$/);
  const unreadable: [args: string[], message: RegExp][] = [
    [["--from"], /^usage: /],
    [["--from", PATH, PATH], /^usage: /],
    [["--check", "--from", PATH], /^usage: /],
    [["--help"], /^usage: /],
    [["--from", "no/file"], /^Cannot read no\/file: NotFound/],
    [["--from", "deno.json"], /^Cannot read deno\.json: .*openapi: 3\.x/],
    [["--from", "scripts/generate.ts"], /YAMLParseError/],
    [["--from", `${base}/`], /^Cannot read .* status 404$/m],
  ];
  for (const [args, message] of unreadable) {
    const { code, out, err } = await gen(...args);
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, message);
  }
  assert.equal(await Deno.readTextFile(new URL(PATH, ROOT)), SLICE);
});
