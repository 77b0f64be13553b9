/** The conformance suite against a gateway in another process, as operators run it. */
import assert from "node:assert/strict";
import { KEYS } from "../../../scripts/stand_in/stack.ts";
import { freePort } from "../../support/free_port.ts";
import { startProcess } from "../../support/process.ts";
import { type Ended, runScript } from "../../support/run_script.ts";
import { textFile } from "../../support/text_file.ts";
import { PORTHOLE_ENVIRONMENT } from "../target.ts";
import { parseOptions } from "./options.ts";
import { summarize, table } from "./summary.ts";

function runConformance(...args: string[]): Promise<Ended> {
  const script = "test/conformance/run/main.ts";
  return runScript("conformance", script, { args });
}

/** Runs the suite over the network against a gateway that is told of its runner by the stand-in API. */
async function runOverNetwork(
  environment: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<Ended> {
  // The gateway has to know them before the suite listens on them.
  const [api, runner] = [freePort(), freePort()]
    .map((port) => `127.0.0.1:${port}`);
  assert(api !== undefined && runner !== undefined);
  await using gateway = await startProcess({
    environment: {
      ...PORTHOLE_ENVIRONMENT,
      DAYTONA_API_URL: `http://${api}/api`,
      PROXY_API_KEY: KEYS.service,
      PROXY_DOMAIN: "proxy.localhost",
      PROXY_PROTOCOL: "http",
      PROXY_HOST: "127.0.0.1",
      PROXY_PORT: "0",
      ...environment,
    },
  });
  return await runConformance(
    ...["--target", `http://127.0.0.1:${gateway.port}`, "--porthole"],
    ...["--runner", runner, "--api", api, ...args],
  );
}

Deno.test("the suite runs over the network against a gateway that is told of its runner by the stand-in API", async () => {
  const ended = await runOverNetwork({}, "smuggling", "cookies");
  const { code, out, err } = ended;

  assert.equal(code, 0, out + err);
  assert.match(out, /^cookies_test\.ts +\d+ +0 +0$/m);
  assert.match(out, /^smuggling_test\.ts +\d+ +0 +0$/m);
  assert.match(out, /^all +\d{2,} +0 +0$/m);
});

Deno.test("every case holds at a name of the sandbox's port, which differs from its preview host in nothing but the host", async () => {
  const name = "shop.proxy.localhost";
  const names = { [name]: { sandbox: "demo", port: 3000 } };
  await using file = await textFile(JSON.stringify(names));
  const environment = { NAMES: "operator", NAMES_FILE: file.path };
  const ended = await runOverNetwork(environment, "--host", name);
  const { code, out, err } = ended;

  assert.equal(code, 0, out + err);
  assert.match(out, /^all +\d{3,} +0 +0$/m);
});

Deno.test("a command line that cannot be used is exit code 2 and the usage", async () => {
  const { code, out, err } = await runConformance("--target", "https://x");
  assert.equal(code, 2);
  assert.equal(out, "");
  assert.match(err, /^--target must be plain http\nusage: deno task conf/);
});

Deno.test("parseOptions() fills in what a sandbox's name decides", () => {
  assert.deepEqual(
    parseOptions([
      ...["--target", "http://10.0.0.1:8080", "--runner", "10.0.0.2:3999"],
      ...["--sandbox", "box", "smuggling"],
    ]),
    {
      files: ["smuggling"],
      target: {
        gateway: "10.0.0.1:8080",
        runner: "10.0.0.2:3999",
        sandbox: "box",
        host: "3000-box.proxy.localhost",
        prefix: "/sandboxes/box/toolbox/proxy/3000",
        isPorthole: false,
      },
    },
  );
});

Deno.test("parseOptions() refuses options that it cannot use", () => {
  const target = ["--target", "http://x:1"];
  const cases: [args: string[], problem: RegExp][] = [
    [["--target", "x"], /Invalid URL/],
    [["--target", "https://x:1"], /plain http/],
    [target, /requires --runner/],
    [[...target, "--runner", "3999"], /--runner is not HOST:PORT/],
    [[...target, "--runner", "x:0"], /--runner is not HOST:PORT/],
    [[...target, "--runner", "x:1", "--api", "y"], /--api is not HOST:PORT/],
    [["--verbose"], /verbose/],
  ];
  for (const [args, problem] of cases) {
    assert.throws(() => parseOptions(args), problem, args.join(" "));
  }
});

Deno.test("summarize() counts the cases of each file", () => {
  const files = summarize(
    `<testsuites><testsuite name="./test/a_test.ts" tests="3">
      <testcase name="1"><failure message="x">y</failure></testcase>
      <testcase name="2"></testcase><testcase name="3"><skipped/></testcase>
    </testsuite><testsuite name="./test/b_test.ts" tests="1">
      <testcase name="1"></testcase>
    </testsuite></testsuites>`,
  );
  assert.deepEqual(files, [
    { file: "a_test.ts", passed: 1, failed: 1, ignored: 1 },
    { file: "b_test.ts", passed: 1, failed: 0, ignored: 0 },
  ]);
  assert.equal(
    table(files),
    "           passed  failed ignored\n" +
      "a_test.ts       1       1       1\n" +
      "b_test.ts       1       0       0\n" +
      "all             2       1       1\n",
  );
});
