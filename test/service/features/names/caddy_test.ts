/** The files for Caddy in scripts/deploy, in front of a gateway with names; Caddy's own authority is in place of a public one. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { connect, type TLSSocket } from "node:tls";
import type { Listener } from "../../../../src/downstream/http/listen.ts";
import { listenForMetrics } from "../../../../src/server/metrics_server.ts";
import { recordedLog } from "../../../support/event_log.ts";
import { freePorts } from "../../../support/free_port.ts";
import { startGateway, type TestGateway } from "../../../support/gateway.ts";
import { testsThatNeed } from "../../../support/needs_program.ts";
import { startServerProcess } from "../../../support/server_process.ts";
import { textFile } from "../../../support/text_file.ts";

const ROOT = new URL("../../../../", import.meta.url);

/** A certificate for the base domain and its wildcard, of another authority than Caddy's. */
const TLS = new URL("test/scripts/doctor_tls/", ROOT);
const WILDCARD_CA = await Deno.readTextFile(new URL("ca.pem", TLS));

const BASE = "preview.test";
const ALIAS = `shop.${BASE}`;
const DOMAIN = "shop.customer.test";

const test = await testsThatNeed("caddy");

/** A Caddy in front of a gateway. */
interface Fronted extends AsyncDisposable {
  /** The hosts that Caddy has asked about, with the status of the answer. */
  readonly asked: readonly string[];
  /** Caddy's authority, PEM. */
  readonly ca: string;
  /** Connects to Caddy for a name; rejects if the certificate is not for it, or not of that authority. */
  connect(servername: string, ca: string): Promise<TLSSocket>;
  /** What is answered for a path of a name, over a certificate of that authority. */
  get(servername: string, ca: string, path?: string): Promise<string>;
}

/** Starts both, with an alias and a custom domain for an app on port 8000 of the public sandbox. */
async function startFronted(
  name: "Caddyfile" | "Caddyfile.rolling" = "Caddyfile",
): Promise<Fronted> {
  await using started = new AsyncDisposableStack();
  const target = { sandbox: "demo", port: 8000 };
  const names = started.use(
    await textFile(JSON.stringify({ [ALIAS]: target, [DOMAIN]: target })),
  );
  const gateway = started.use(
    await startGateway({
      PROXY_DOMAIN: BASE,
      PROXY_PROTOCOL: "https",
      TRUSTED_PROXIES: "127.0.0.1",
      NAMES: "operator",
      NAMES_FILE: names.path,
    }),
  );
  await gateway.serve(({ headers, url }, response) =>
    response.end(`app at ${headers["x-forwarded-host"]}${url}`)
  );
  const asked: string[] = [];
  const metrics = started.use(listenForAsks(gateway, asked));
  await Deno.mkdir("data/test", { recursive: true });
  const folder = await Deno.makeTempDir({ dir: `${Deno.cwd()}/data/test` });
  started.defer(() => Deno.remove(folder, { recursive: true }));
  const [port = 0, plain = 0, own = 0, away = 0] = freePorts(4);
  const ports = { gateway: gateway.port, metrics: metrics.port, own, away };
  const changes = name === "Caddyfile" ? single(ports) : rolling(ports);
  const file = `${folder}/Caddyfile`;
  await Deno.writeTextFile(
    file,
    await caddyfile(name, { port, plain }, changes),
  );
  started.use(
    await startServerProcess({
      command: ["caddy", "run", "--config", file, "--adapter", "caddyfile"],
      env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
      port,
      onErrorLine() {},
      timeoutMs: 30_000,
    }),
  );
  const ca = await Deno.readTextFile(
    `${folder}/caddy/pki/authorities/local/root.crt`,
  );
  const connectTo = (servername: string, ca: string) =>
    shakeHands({ host: "127.0.0.1", port, servername, ca });
  const owned = started.move();
  return {
    asked,
    ca,
    connect: connectTo,
    get: async (servername, ca, path = "/") =>
      await ask(await connectTo(servername, ca), `${servername}:${port}`, path),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The listener for metrics, which notes what it is asked. */
function listenForAsks(
  { service }: TestGateway,
  asked: string[],
): Pick<Listener, "port"> & AsyncDisposable {
  const page = service.metricsPages["/tls/ask"] ?? assert.fail();
  const listener = listenForMetrics({ hostname: "127.0.0.1", port: 0 }, {
    render: () => "",
    pages: {
      "/tls/ask"(request) {
        const response = page(request);
        const host = new URL(request.url).searchParams.get("domain");
        asked.push(`${host} ${response.status}`);
        return response;
      },
    },
    log: recordedLog().log,
  }) ?? assert.fail();
  return {
    port: listener.port,
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

/** Where a gateway is on 127.0.0.1, and what else the rolling file listens on and looks for. */
type Ports = Readonly<Record<"gateway" | "metrics" | "own" | "away", number>>;

/** What is different here from a file of the repository. */
type Changes = readonly (readonly [string, string])[];

/** In Caddyfile: where the gateway is. */
function single({ gateway, metrics }: Ports): Changes {
  return [
    ["http://127.0.0.1:9464/", `http://127.0.0.1:${metrics}/`],
    [" 127.0.0.1:4000 ", ` 127.0.0.1:${gateway} `],
  ];
}

/** In Caddyfile.rolling: where the two gateways are, of which the first is away. */
function rolling({ gateway, metrics, own, away }: Ports): Changes {
  return [
    ["http://127.0.0.1:9400/tls", `http://127.0.0.1:${own}/tls`],
    ["http://127.0.0.1:9400 {", `http://127.0.0.1:${own} {`],
    [" gateway-1:9464 ", ` 127.0.0.1:${away} `],
    [" gateway-2:9464 ", ` 127.0.0.1:${metrics} `],
    [" gateway-1:4000 ", ` 127.0.0.1:${away} `],
    [" gateway-2:4000 ", ` 127.0.0.1:${gateway} `],
  ];
}

/** A file of the repository, for these ports, and with Caddy's own authority. */
async function caddyfile(
  name: string,
  { port, plain }: Readonly<Record<"port" | "plain", number>>,
  changes: Changes,
): Promise<string> {
  const text = await Deno.readTextFile(
    new URL(`scripts/deploy/${name}`, ROOT),
  );
  const options = `{
	admin off
	skip_install_trust
	local_certs
	default_bind 127.0.0.1
	http_port ${plain}
	https_port ${port}`;
  const all: Changes = [
    ...changes,
    ["\n{", `\n${options}`],
    ["\npreview.example.com, *.preview.example.com ", `\n${BASE}, *.${BASE} `],
    ["tls /etc/tls/cert.pem", `tls ${new URL("cert.pem", TLS).pathname}`],
    [" /etc/tls/key.pem\n", ` ${new URL("key.pem", TLS).pathname}\n`],
  ];
  return all.reduce((changed, [from, to]) => {
    assert(changed.includes(from), from);
    return changed.replace(from, to);
  }, text);
}

async function shakeHands(
  options: {
    readonly host: string;
    readonly port: number;
    readonly servername: string;
    readonly ca: string;
  },
): Promise<TLSSocket> {
  const socket = connect({ ...options, ALPNProtocols: ["http/1.1"] });
  try {
    await once(socket, "secureConnect");
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** The status and the body of an answer. */
async function ask(
  socket: TLSSocket,
  host: string,
  path: string,
): Promise<string> {
  const sent = request({
    path,
    headers: { host, connection: "close" },
    createConnection: () => socket,
  });
  const answered = once(sent, "response");
  sent.end();
  try {
    const [response] = await answered;
    return `${response.statusCode} ${await text(response)}`;
  } finally {
    socket.destroy();
  }
}

test("Caddy gets a certificate for a custom domain that the gateway has, and none for any other host", async () => {
  await using front = await startFronted();
  const { ca, asked } = front;
  const answer = await front.get(DOMAIN, ca, "/a?b");
  assert.match(answer, new RegExp(`^200 app at ${DOMAIN}:\\d+/a\\?b$`));
  assert.deepEqual(new Set(asked), new Set([`${DOMAIN} 200`]));

  const others = [
    "other.customer.test",
    `www.${DOMAIN}`,
    `deep.${ALIAS}`,
    "customer.test",
  ];
  for (const host of others) {
    await assert.rejects(front.connect(host, ca), Error, host);
    assert(asked.includes(`${host} 403`), host);
  }
});

test("aliases and preview hosts have the wildcard's certificate, about which Caddy asks nobody", async () => {
  await using front = await startFronted();
  for (const host of [ALIAS, `8000-demo.${BASE}`]) {
    const answer = await front.get(host, WILDCARD_CA);
    assert.match(answer, new RegExp(`^200 app at ${host}:\\d+/$`));
  }
  const made = await front.get(`not-there.${BASE}`, WILDCARD_CA);
  assert.match(made, /^4\d\d /);
  assert.deepEqual(front.asked, []);
});

test("visitors reach no /tls/ask through Caddy: the base domain has none, and a name passes it to the app", async () => {
  await using front = await startFronted();
  const path = `/tls/ask?domain=${DOMAIN}`;
  assert.match(await front.get(BASE, WILDCARD_CA, path), /^404 /);
  assert.match(await front.get(ALIAS, WILDCARD_CA, path), /^200 app at /);
  assert.deepEqual(front.asked, []);
});

test("where one of two gateways is away, Caddy asks the other one", async () => {
  await using front = await startFronted("Caddyfile.rolling");
  assert.match(
    await front.get(DOMAIN, front.ca),
    /^200 app at shop\.customer/,
  );
  await assert.rejects(front.connect("other.customer.test", front.ca));
  assert.deepEqual(
    new Set(front.asked),
    new Set([`${DOMAIN} 200`, "other.customer.test 403"]),
  );
});
