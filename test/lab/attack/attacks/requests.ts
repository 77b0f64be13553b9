/** What is tried with the request itself: its address, headers, framing and number. */
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import {
  type Field,
  type RawResponse,
  valuesOf,
} from "../../../support/raw_client.ts";
import { handshakeOf } from "../../../support/raw_websocket.ts";
import { type Attack, BASE, HOSTILE, hostOf, type Stage } from "../attack.ts";
import { attack, gainsOf, RESERVED, statusOf } from "../attempts.ts";

const PREFIX = `/sandboxes/${HOSTILE}/toolbox/proxy/3000/`;
const HOST = hostOf(HOSTILE);
const LOCKED = hostOf("locked");

async function ports(stage: Stage): Promise<string[]> {
  const spellings = [
    "02280",
    "+2280",
    "00022222",
    "0x8e8",
    "2280.0",
    "22222e0",
  ];
  return [
    ...await gainsOf(spellings, async (port) => {
      const { status } = await stage.ask({ host: `${port}-demo.${BASE}` });
      return status < 400;
    }),
    ...await gainsOf(RESERVED, async (port) => {
      const { status } = await stage.ask({ host: hostOf("demo", port) });
      return status !== 401;
    }),
  ];
}

async function paths(stage: Stage): Promise<string[]> {
  const targets = [
    "/../../../../other/toolbox/",
    "/%2e%2e/%2e%2e/%2e%2e/other/destroy",
    "/.%2e/%2E./x",
    "/a/../../../../x",
    "/a/%2e%2e/%2e%2e/%2e%2e/x?q",
    "//../../x",
  ];
  const before = stage.app.seen.length;
  await Promise.all(targets.flatMap((target) =>
    [
      `GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`,
      handshakeOf(HOST, target),
      `GET /toolbox/demo${target} HTTP/1.1\r\nHost: ${BASE}\r\nAuthorization: Bearer ${KEYS.user}\r\nConnection: close\r\n\r\n`,
    ].map(stage.raw)
  ));
  const seen = [
    ...stage.app.seen.slice(before),
    ...stage.stack.runner.seen.map(({ target }) => `GET ${target} `),
  ];
  return seen.filter((line) => {
    const target = line.split(" ")[1] ?? "";
    const [path = ""] = target.split("?");
    const climbs = path.split("/").some((segment) =>
      /^(?:\.|%2e){1,2}$/i.test(segment)
    );
    const isInside = target.startsWith(PREFIX) ||
      /^\/sandboxes\/[\w-]+\/toolbox\//.test(target);
    return climbs || !isInside;
  }).map((line) => `a runner got ${line}`);
}

async function headers(stage: Stage): Promise<string[]> {
  const { body } = await stage.ask({
    host: HOST,
    path: "/echo",
    headers: {
      "Connection":
        "X-Daytona-Authorization, X-Forwarded-Host, X-Forwarded-For, close",
      "X-Daytona-Authorization": "Bearer forged",
      "X_Daytona_Authorization": "Bearer forged",
      "X-Forwarded-Host": "forged.example",
      "X_Forwarded_For": "203.0.113.66",
      "X-Forwarded_Proto": "forged",
    },
  });
  const lines = body.split("\r\n");
  const [key, ...more] = lines.filter((line) =>
    /^x[-_]daytona[-_]authorization:/i.test(line)
  );
  return [
    ...lines.filter((line) => /forged|203\.0\.113\.66/.test(line)),
    ...more.map((line) => `twice: ${line}`),
    ...key?.endsWith(KEYS.runner) ? [] : ["the runner's key is lost"],
    ...lines.some((line) => /^x-forwarded-host:/i.test(line))
      ? []
      : ["X-Forwarded-Host is lost"],
  ];
}

async function redirects(stage: Stage): Promise<string[]> {
  const places = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    `${stage.scheme}://3000-locked.${BASE}.evil.example/`,
    `${stage.scheme}://3000-locked.${BASE}@evil.example/`,
    "javascript:alert(1)",
  ];
  const gains = await gainsOf(places, async (place) => {
    const { status } = await stage.ask({
      host: `${BASE}:${stage.port}`,
      path: `/login?return_to=${encodeURIComponent(place)}`,
    });
    return status !== 400;
  });
  const { fields } = await stage.ask({
    host: "3000-locked.evil.example",
    headers: { "Accept": "text/html", "Sec-Fetch-Mode": "navigate" },
  });
  const [location] = valuesOf(fields, "location");
  if (location !== undefined) {
    gains.push(`an unknown host leads to ${location}`);
  }
  return gains;
}

async function smuggling(stage: Stage): Promise<string[]> {
  const inner = `GET /smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
  const heads = [
    `Content-Length: ${inner.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    "Content-Length: 0\r\nContent-Length: 60\r\n\r\n",
    "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    " Content-Length: 0\r\n\r\n",
    "Content-Length: +0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
  ];
  const before = stage.app.seen.length;
  for (const head of heads) {
    await stage.raw(`POST / HTTP/1.1\r\nHost: ${HOST}\r\n${head}${inner}`);
  }
  return stage.app.seen.slice(before).filter((line) =>
    line.includes("smuggled")
  ).map(() => "a request within a request ran");
}

async function hosts(stage: Stage): Promise<string[]> {
  const end = "Connection: close\r\n\r\n";
  const requests = [
    `GET / HTTP/1.1\r\nHost: ${HOST}\r\nHost: ${LOCKED}\r\n${end}`,
    `GET http://${LOCKED}/ HTTP/1.1\r\nHost: ${HOST}\r\n${end}`,
    `GET / HTTP/1.1\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: ${HOST}/x\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: a@${HOST}\r\n${end}`,
  ];
  return await gainsOf(
    requests,
    async (request) => statusOf(await stage.raw(request)) !== 400,
  );
}

/** As much as `Deno.serve` takes of a head, of what takes a careless parser seconds. */
const LONG_HOST = `a.${"-.".repeat(30_000)}${BASE}`;

async function longHosts(stage: Stage): Promise<string[]> {
  const request =
    `GET / HTTP/1.1\r\nHost: ${LONG_HOST}\r\nConnection: close\r\n\r\n`;
  const gains: string[] = [];
  while (!stage.signal.aborted) {
    const answer = await stage.raw(request);
    if (!stage.signal.aborted && statusOf(answer) !== 400) {
      gains.push(`its answer is ${answer.slice(0, 30)}`);
    }
  }
  return gains;
}

async function labels(stage: Stage): Promise<string[]> {
  const { api } = stage.stack;
  const before = api.calls.length;
  const { calls } = api;
  for (let i = 0; i < 20; i++) {
    await Promise.all(Array.from({ length: 50 }, () =>
      stage.ask({
        host: hostOf(crypto.randomUUID()),
        headers: { "X-Forwarded-For": "198.51.100.1" },
      })));
  }
  const asked = calls.length - before;
  // Three calls for each of 300 refusals a minute, of those under way at once, and of what refills while they are spent.
  return asked > 1200 ? [`${asked} calls of the API for 1,000 requests`] : [];
}

async function truncation(stage: Stage): Promise<string[]> {
  const { isComplete, body } = await stage.ask({
    host: HOST,
    path: "/truncated",
  });
  return isComplete || body.length === 100
    ? ["a truncated body looks complete"]
    : [];
}

async function addresses(stage: Stage): Promise<string[]> {
  const { api, runner } = stage.stack;
  const secrets = [
    new URL(api.url).host,
    new URL(runner.url).host,
    KEYS.service,
    KEYS.runner,
  ];
  const answers: RawResponse[] = [];
  api.outage = 503;
  try {
    answers.push(await stage.ask({ host: hostOf(crypto.randomUUID()) }));
  } finally {
    api.outage = undefined;
  }
  answers.push(await stage.ask({ host: hostOf("demo", 1) }));
  answers.push(await stage.ask({ host: hostOf("stopped") }));
  return answers.flatMap(({ fields, body }) => {
    const text = [...fields.map((field: Field) => field.join(": ")), body]
      .join("\n");
    return secrets.filter((secret) => text.includes(secret));
  });
}

async function forwarded(stage: Stage): Promise<string[]> {
  let refusals = 0;
  for (let i = 0; i < 10; i++) {
    await Promise.all(Array.from({ length: 40 }, async (_, j) => {
      const { status } = await stage.ask({
        host: hostOf(crypto.randomUUID()),
        headers: { "X-Forwarded-For": `203.0.113.${i}, 198.51.100.${j}` },
      });
      if (status === 429) refusals++;
    }));
  }
  return refusals === 0 ? ["invented addresses have budgets of their own"] : [];
}

async function injection(stage: Stage): Promise<string[]> {
  const break_ = "%0d%0aInjected:%20yes%0d%0a%0d%0a";
  const questions = [
    { host: BASE, path: `/login?return_to=${break_}` },
    { host: LOCKED, path: `/${break_}?${break_}` },
    { host: BASE, path: `/${break_}` },
    { host: LOCKED, path: `/?DAYTONA_SANDBOX_AUTH_KEY=${break_}` },
  ];
  return await gainsOf(questions, async (question) => {
    const response = await stage.ask({
      ...question,
      headers: { "Accept": "text/html", "Sec-Fetch-Mode": "navigate" },
    });
    return valuesOf(response.fields, "injected").length > 0;
  });
}

async function keyAsPath(stage: Stage): Promise<string[]> {
  const keys = [
    "../../demo/public",
    "..%2f..%2fdemo%2fpublic",
    "?",
    "#",
    "a/b",
  ];
  return await gainsOf(keys, async (key) => {
    const { status } = await stage.ask({
      host: LOCKED,
      headers: { "X-Daytona-Preview-Token": key },
    });
    return status !== 401;
  });
}

/** The attacks. */
export const requests: readonly Attack[] = [
  attack(
    "A5-ports",
    "a client spells a reserved port otherwise, or asks for it without a credential",
    ports,
  ),
  attack(
    "A8-redirects",
    "a login returns to another site, or an unknown host begins one (A9, A43)",
    redirects,
  ),
  attack(
    "A10-headers",
    "a client sets, removes or respells what the gateway tells the runner (A11, S14)",
    headers,
    // Clients are no proxies.
    { settings: { TRUSTED_PROXIES: "" } },
  ),
  attack(
    "A12-forwarded",
    "a client invents the addresses of others, each with a budget",
    forwarded,
    { settings: { TRUSTED_PROXIES: "" } },
  ),
  attack(
    "A14-paths",
    "a client climbs out of a sandbox's path, by HTTP, WebSocket and toolbox",
    paths,
  ),
  attack(
    "A16-smuggling",
    "a client hides a request in the body of another one",
    smuggling,
  ),
  attack(
    "A17-injection",
    "a client puts a line break into what the gateway repeats",
    injection,
  ),
  attack(
    "A24-labels",
    "a client asks for 1,000 sandboxes that do not exist",
    labels,
  ),
  attack(
    "A34-hosts",
    "a client names two hosts, or none",
    hosts,
  ),
  attack(
    "A39-long-hosts",
    "a client sends a Host of 60 kB that nearly looks like a preview's, one after the other",
    longHosts,
  ),
  attack(
    "A40-truncation",
    "an app breaks its response off, and it looks complete",
    truncation,
  ),
  attack(
    "A41-key-as-path",
    "a client's key is a path of the API",
    keyAsPath,
  ),
  attack(
    "A42-addresses",
    "responses of failures show addresses of the API or a runner (A32)",
    addresses,
  ),
];
