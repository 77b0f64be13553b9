/** What docs/features/identity.md tells apps to do tells them who their visitors are. */
import assert from "node:assert/strict";
import { createRemoteJWKSet, customFetch, jwtVerify } from "jose";
import { createServer } from "node:http";
import { listenOnLoopback } from "../../../../scripts/stand_in/loopback.ts";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { examplesIn, readDocument } from "../../../support/documents.ts";
import { startGateway, type TestGateway } from "../../../support/gateway.ts";
import { startIdentityGateway, tokenIn } from "./identity_gateway.ts";

const GUIDE = await readDocument("docs/features/identity.md");

/** Its hosts lead to this machine wherever a program runs. */
const DOMAIN = "localhost";

/** A gateway behind a front whose port it knows, its URL, and what it has told an app. */
async function startTelling() {
  await using started = new AsyncDisposableStack();
  const front = createServer();
  const { port } = started.use(await listenOnLoopback(front));
  const base = `${DOMAIN}:${port}`;
  const gateway = started.use(
    await startIdentityGateway(startGateway, { PROXY_DOMAIN: base }),
  );
  front.on("request", async ({ url: path = "" }, response) => {
    response.end((await gateway.send(base, { path })).body);
  });
  const answer = await gateway.send(`3000-locked.${base}`, {
    path: "/echo",
    headers: { authorization: `Bearer ${KEYS.user}` },
  });
  const token = tokenIn(answer) ?? "";
  const owned = started.move();
  return {
    gateway,
    environment: {
      PREVIEW_URL: `http://${base}`,
      DAYTONA_SANDBOX_ID: "locked",
    },
    token,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A key set that is fetched through the gateway. */
function keysAt({ send }: TestGateway) {
  return (url: URL) =>
    createRemoteJWKSet(url, {
      [customFetch]: async (asked) => {
        const { host, pathname } = new URL(asked);
        const { body, status } = await send(host, { path: pathname });
        return new Response(body, { status });
      },
    });
}

Deno.test("an app on Node knows its visitor, nobody without the header, and refuses what is not for it", async () => {
  await using telling = await startTelling();
  const { gateway, environment, token } = telling;
  const [example = ""] = examplesIn(GUIDE, "Node", "js");
  const script = example.replace(/^import .*$/m, "").replace("export ", "");
  function visitorOf(headers: object, env: object = environment) {
    const run = new Function(
      "createRemoteJWKSet",
      "jwtVerify",
      "process",
      "request",
      `${script}; return visitorOf(request);`,
    );
    return run(keysAt(gateway), jwtVerify, { env }, { headers });
  }
  const header = { "x-porthole-identity": token };
  const { via, port } = await visitorOf(header);
  assert.deepEqual([via, port], ["bearer", 3000]);
  assert.equal(await visitorOf({}), undefined);
  const [head = "", claims = ""] = token.split(".");
  const forged = {
    "x-porthole-identity": `${head}.${claims}.${"A".repeat(86)}`,
  };
  await assert.rejects(visitorOf(forged));
  const elsewhere = { ...environment, DAYTONA_SANDBOX_ID: "demo" };
  await assert.rejects(visitorOf(header, elsewhere));
});

/** Debian's, which has the modules that Debian's packages install. */
const PYTHON = "/usr/bin/python3";

/** Runs a script; undefined if there is no Python, or not that module. */
async function runPython(
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  const run = { name: "run", command: PYTHON } as const;
  if ((await Deno.permissions.query(run)).state !== "granted") return undefined;
  try {
    const args = ["-c", script];
    const { success, stdout } = await new Deno.Command(PYTHON, { args, env })
      .output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const hasPyJwt = await runPython("import jwt, cryptography") !== undefined;
const absence = hasPyJwt ? "" : " [no PyJWT on this machine: python3-jwt]";

Deno.test({
  name:
    `an app in Python knows its visitor, and refuses what is not for it${absence}`,
  ignore: !hasPyJwt,
  async fn() {
    await using telling = await startTelling();
    const { environment, token } = telling;
    const [example = ""] = examplesIn(GUIDE, "Python", "python");
    const script = [
      example,
      "import json",
      'told = visitor_of({"X-Porthole-Identity": os.environ["TOKEN"]})',
      "print(json.dumps([told, visitor_of({})]))",
    ].join("\n");
    const env = { ...environment, TOKEN: token };
    const [told, nobody] = JSON.parse(await runPython(script, env) ?? "[]");
    assert.deepEqual([told.via, told.port, nobody], ["bearer", 3000, null]);
    const elsewhere = { ...env, DAYTONA_SANDBOX_ID: "demo" };
    assert.equal(await runPython(script, elsewhere), undefined);
  },
});
