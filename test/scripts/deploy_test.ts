/** The deployment files. No image is built: the steps of the Dockerfile are performed by hand. */
import assert from "node:assert/strict";
import { ALL_SETTINGS, SECTIONS } from "../../src/modules.ts";
import meta from "../../deno.json" with { type: "json" };
import { healthTarget } from "../../scripts/deploy/healthcheck.ts";
import { startStack } from "../../scripts/stand_in/stack.ts";
import { parseConfig, SETTINGS } from "../../src/config/config.ts";
import { runtimeEnvironment } from "../support/process.ts";
import {
  readComposeService,
  readDeployFile,
  readDockerfile,
  readEnvExample,
  readUnit,
} from "./deploy_files.ts";

const ROOT = new URL("../../", import.meta.url);

/** Variables of the runtime, which are not our settings. */
const RUNTIME_VARIABLES = new Set([
  "DENO_DIR",
  "DENO_KV_DEFAULT_PATH",
  "DENO_NO_PROMPT",
  "DENO_NO_UPDATE_CHECK",
  "MALLOC_MMAP_THRESHOLD_",
]);

/** The values that everybody has to fill in. */
const FILLED_IN = {
  DAYTONA_API_URL: "https://daytona.example.com/api",
  PROXY_API_KEY: "service-key",
  PROXY_DOMAIN: "preview.example.com",
};

async function copy(from: URL, to: URL): Promise<void> {
  if ((await Deno.stat(from)).isFile) {
    await Deno.mkdir(new URL(".", to), { recursive: true });
    return await Deno.copyFile(from, to);
  }
  for await (const { name } of Deno.readDir(from)) {
    await copy(new URL(`${from}/${name}`), new URL(`${to}/${name}`));
  }
}

/** A temporary folder with only what the Dockerfile copies. */
async function imageFolder(): Promise<{ root: URL } & AsyncDisposable> {
  const root = new URL(`data/test/deploy-${crypto.randomUUID()}/`, ROOT);
  await Deno.mkdir(new URL("data", root), { recursive: true });
  for (const path of (await readDockerfile()).copied) {
    await copy(new URL(path, ROOT), new URL(path, root));
  }
  return {
    root,
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

function spawn(
  [program = "", ...args]: readonly string[],
  options: { cwd: URL; env: Readonly<Record<string, string>> },
): Deno.ChildProcess {
  return new Deno.Command(program, {
    args,
    cwd: options.cwd,
    clearEnv: true,
    env: { ...runtimeEnvironment(), NO_COLOR: "1", ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Runs the image's health check. */
async function checkHealth(
  env: Readonly<Record<string, string>>,
  cwd = ROOT,
  args: readonly string[] = [],
): Promise<{ code: number; said: string }> {
  const { healthcheck } = await readDockerfile();
  const command = [...healthcheck, ...args];
  const { code, stdout } = await spawn(command, { cwd, env }).output();
  return { code, said: new TextDecoder().decode(stdout) };
}

/** Starts a server on a free port that answers `/health`. */
function startAnswering(
  status: number,
  tls: { cert: string; key: string } | object = {},
): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, ...tls },
    ({ url }) =>
      new Response(null, { status: url.endsWith("/health") ? status : 404 }),
  );
}

Deno.test("the image, put together by hand, serves, is healthy, and ends with 0 on SIGTERM", async () => {
  await using stack = await startStack();
  await using folder = await imageFolder();
  const { command, env } = await readDockerfile();
  const { DENO_DIR: _, ...variables } = env;
  const { CACHE_URL: __, ...configuration } = stack.environment;
  const database = new URL("data/cache.sqlite", folder.root);
  await using child = spawn(command, {
    cwd: folder.root,
    env: {
      ...variables,
      DENO_KV_DEFAULT_PATH: database.pathname,
      ...configuration,
      PROXY_PORT: "0",
      SHUTDOWN_DELAY_SEC: "0",
    },
  });
  const messages: string[] = [];
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const { message, port } = JSON.parse(line);
      messages.push(message);
      if (message !== "listening") continue;
      const env = { PROXY_PORT: String(port) };
      const { code, said } = await checkHealth(env, folder.root);
      assert.equal(code, 0, said);
      child.kill("SIGTERM");
    }
  }
  assert.equal((await child.status).code, 0);
  assert.equal(messages.at(-1), "stopped");
  assert((await Deno.stat(database)).isFile);
});

Deno.test("the image, put together by hand, has a doctor", async () => {
  await using folder = await imageFolder();
  const { stdout } = await spawn(
    [
      "deno",
      "run",
      "--cached-only",
      "-P=doctor",
      "scripts/doctor.ts",
      "--json",
    ],
    { cwd: folder.root, env: {} },
  ).output();
  const { findings } = JSON.parse(new TextDecoder().decode(stdout));
  assert.equal(findings[0].name, "configuration");
});

/** What the documents say of running it. */
const PAGES = await Promise.all(
  [
    "README.md",
    ...["container", "systemd", "kubernetes", "tls", "hosted"]
      .map((name) => `docs/run/${name}.md`),
  ].map((path) => Deno.readTextFile(new URL(path, ROOT))),
);

Deno.test("the image is made of named versions, and of the Deno that the documents start", async () => {
  const { all } = await readDockerfile();
  for (const image of all("FROM")) {
    assert.match(
      image,
      /^(node:\d+\.\d+\.\d+-trixie-slim AS \w+|debian:13\.\d+-slim)$/,
    );
  }
  const named = PAGES.join("\n").matchAll(/deno@([\d.]+)/g);
  const [version, ...others] = new Set([...named].map(([, name]) => name));
  assert.deepEqual(others, []);
  assert.match(
    all("RUN").join("\n"),
    new RegExp(`--ignore-scripts deno@${version} `),
  );
});

Deno.test("the image's build context is exactly the files that it copies", async () => {
  const { copied } = await readDockerfile();
  const [first, ...others] = (await readDeployFile("Dockerfile.dockerignore"))
    .split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  assert.equal(first, "*");
  assert.deepEqual(others, copied.map((path) => `!${path}`));
});

Deno.test("the image writes to its volume only, as no user of the machine, and speaks on the default port", async () => {
  const { all, env } = await readDockerfile();
  assert.deepEqual(all("VOLUME"), ["/app/data"]);
  assert.match(env.DENO_KV_DEFAULT_PATH ?? "", /^\/app\/data\//);
  assert.deepEqual(all("USER"), ["65532:65532"]);
  assert.deepEqual(all("EXPOSE"), [SETTINGS.PROXY_PORT.default]);
  assert.deepEqual(new Set(Object.keys(env)), RUNTIME_VARIABLES);
});

Deno.test("healthTarget() has the defaults of the gateway", () => {
  const port = Number(SETTINGS.PROXY_PORT.default);
  assert.deepEqual(healthTarget({}), { port, isTls: false });
  const blank = { PROXY_PORT: " ", ENABLE_TLS: "false" };
  assert.deepEqual(healthTarget(blank), { port, isTls: false });
  const given = { PROXY_PORT: " 8443 ", ENABLE_TLS: "true" };
  assert.deepEqual(healthTarget(given), { port: 8443, isTls: true });
});

Deno.test("the health check fails on any other answer than 200", async () => {
  await using server = startAnswering(503);
  const env = { PROXY_PORT: String(server.addr.port) };
  const check = await checkHealth(env);
  assert.deepEqual(check, { code: 1, said: "GET /health: 503\n" });
  const other = await checkHealth(env, ROOT, ["/ready"]);
  assert.deepEqual(other, { code: 1, said: "GET /ready: 404\n" });
});

Deno.test("the health check fails where there is no answer", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const hungUp = listener.accept().then((connection) => connection.close());
  const PROXY_PORT = String(listener.addr.port);
  const { code, said } = await checkHealth({ PROXY_PORT });
  await hungUp;
  assert.equal(code, 1);
  assert.match(said, /^GET \/health: \D+$/);
});

Deno.test("the health check takes the gateway's certificate for any name", async () => {
  const files = new URL("../support/tls/", import.meta.url);
  await using server = startAnswering(200, {
    cert: await Deno.readTextFile(new URL("other_host_cert.pem", files)),
    key: await Deno.readTextFile(new URL("key.pem", files)),
  });
  const PROXY_PORT = String(server.addr.port);
  const { code, said } = await checkHealth({ PROXY_PORT, ENABLE_TLS: "true" });
  assert.equal(code, 0, said);
});

Deno.test("the compose service is this version, configured without a mistake", async () => {
  const { image, environment, ports, ...service } = await readComposeService();
  assert.equal(image, `porthole:${meta.version}`);
  for (const name of Object.keys(environment)) {
    assert(name in ALL_SETTINGS, name);
  }
  const result = parseConfig(environment, SECTIONS);
  assert(result.ok);
  const { config } = result;
  assert.deepEqual(ports, [`${config.listen.port}:${config.listen.port}`]);
  assert.equal(service.read_only, true);
  assert.equal(config.cache.location.kind, "redis");
  const graceMs = 1000 * Number.parseInt(service.stop_grace_period);
  assert(graceMs > config.limits.shutdownTimeoutMs);
});

Deno.test("the env file is complete once its three required values are filled in", async () => {
  const { set } = await readEnvExample();
  assert.deepEqual(set, {
    DAYTONA_API_URL: "",
    PROXY_API_KEY: "",
    PROXY_DOMAIN: "",
  });
  assert.equal(parseConfig(set, SECTIONS).ok, false);
  const result = parseConfig({ ...set, ...FILLED_IN }, SECTIONS);
  assert(result.ok, JSON.stringify(result));
});

Deno.test("every value that the env file shows can be used, alone and with all others", async () => {
  const { shown } = await readEnvExample();
  assert(Object.keys(shown).length > 10);
  const { DAYTONA_API_KEY, LOGIN_ALLOW, ...proxys } = shown;
  assert(DAYTONA_API_KEY !== undefined && LOGIN_ALLOW !== undefined);
  for (const [name, value] of Object.entries(proxys)) {
    assert(name in ALL_SETTINGS, name);
    assert.doesNotMatch(value, /["'#]|^\s|\s$/, name);
    // These need each other.
    const others = /^(?:TLS_|ENABLE_TLS$|WAKE_)/.test(name) ? proxys : {};
    const result = parseConfig(
      { ...FILLED_IN, ...others, [name]: value },
      SECTIONS,
    );
    assert(result.ok, JSON.stringify(result));
  }
  const all = parseConfig({ ...FILLED_IN, ...proxys }, SECTIONS);
  assert(all.ok, JSON.stringify(all));
  const { WAKE_API_KEYS: _, ...hosteds } = shown;
  const hosted = parseConfig({
    ...hosteds,
    PROXY_DOMAIN: FILLED_IN.PROXY_DOMAIN,
    PREVIEW_WARNING_ENABLED: "true",
  }, SECTIONS);
  assert(hosted.ok, JSON.stringify(hosted));
});

Deno.test("the documents and the unit call the env file by one name", async () => {
  const text = PAGES.join("\n");
  const names = text.matchAll(/--env-file=(\S+)/g);
  assert.deepEqual(
    new Set([...names].map(([, name]) => name)),
    new Set(["porthole.env"]),
  );
  assert.match(
    text,
    /^cp scripts\/deploy\/porthole\.env\.example porthole\.env/m,
  );
  const path = (await readUnit()).value("EnvironmentFile");
  assert.equal(path, "/etc/porthole/porthole.env");
  assert(text.includes(` porthole.env ${path}\n`));
});

Deno.test("the Caddyfile leads to the default port, for the base domain and its wildcard", async () => {
  const text = await readDeployFile("Caddyfile");
  const { default: port } = SETTINGS.PROXY_PORT;
  assert.match(
    text,
    new RegExp(`^\\treverse_proxy 127\\.0\\.0\\.1:${port} \\{$`, "m"),
  );
  assert.match(text, /^(\S+), \*\.\1 \{$/m);
  assert.match(text, /^\t\tflush_interval 1ms$/m);
  const [, keepAliveSec] = /^\t\t\tkeepalive (\d+)s$/m.exec(text) ?? [];
  assert(Number(keepAliveSec) < Number(SETTINGS.SHUTDOWN_DELAY_SEC.default));
});

Deno.test("the Caddyfile gets certificates on demand for what the gateway says is a name, on its listener for metrics", async () => {
  const text = await readDeployFile("Caddyfile");
  const [, address] = /^\t\task http:\/\/(\S+)\/tls\/ask$/m.exec(text) ?? [];
  const { METRICS_HOST, METRICS_PORT } = (await readEnvExample()).shown;
  assert.equal(address, `${METRICS_HOST}:${METRICS_PORT}`);
  assert.match(text, /^https:\/\/ \{\n\ttls \{\n\t\ton_demand\n\t\}$/m);
});

Deno.test("the systemd unit sets what there is, and grants what it sets", async () => {
  const { value, env } = await readUnit();
  for (const name of Object.keys(env)) {
    assert(name in ALL_SETTINGS || RUNTIME_VARIABLES.has(name), name);
  }
  const [, set = ""] = /-P=(\S+)/.exec(value("ExecStart")) ?? [];
  assert(set in meta.permissions, set);
  const [, writable] = /--allow-write=(\S+)/.exec(value("ExecStart")) ?? [];
  assert.equal(writable, `/var/lib/${value("StateDirectory")}`);
  assert.equal(env.DENO_KV_DEFAULT_PATH, `${writable}/cache.sqlite`);
  assert(Number(value("TimeoutStopSec")) > Number(env.SHUTDOWN_TIMEOUT_SEC));
});

Deno.test("the systemd template differs from the unit by what several gateways on one port need", async () => {
  const [single, template] = await Promise.all(
    ["porthole.service", "porthole@.service"].map(readUnit),
  );
  assert(single !== undefined && template !== undefined);
  const only = (one: readonly string[], other: readonly string[]) =>
    one.filter((line) => !other.includes(line))
      .map((line) => line.replace(/=.*/, "="));
  assert.deepEqual(only(single.lines, template.lines), [
    "Description=",
    "Environment=", // where a KV file is
    "ExecStart=",
    "StateDirectory=",
    "StateDirectoryMode=",
  ]);
  assert.deepEqual(only(template.lines, single.lines), [
    "Description=",
    "ExecStart=",
    "User=",
  ]);
  // Linux shares a port among processes of one user only.
  assert.equal(template.value("DynamicUser"), "yes");
  assert.doesNotMatch(template.value("User"), /%/);
});

Deno.test("the systemd template starts gateways that share a port, each with its instance as the port of its metrics", async () => {
  const { value, env } = await readUnit("porthole@.service");
  const [program, ...args] = value("ExecStart").split(" ");
  assert.equal(program, "/usr/bin/env");
  const command = args.findIndex((each) => !each.includes("="));
  const set = args.slice(0, command).map((each) =>
    each.replace("%i", "9464").split("=")
  );
  assert.equal(args[command], "/usr/local/bin/deno");
  assert(args.includes("-P=start"));
  const result = parseConfig({
    ...env,
    ...FILLED_IN,
    CACHE_URL: "redis://127.0.0.1",
    METRICS_PORT: "9000", // as porthole.env may say
    ...Object.fromEntries(set),
  }, SECTIONS);
  assert(result.ok, JSON.stringify(result));
  assert.equal(result.config.listen.reusePort, true);
  assert.equal(result.config.metrics?.port, 9464);
});
