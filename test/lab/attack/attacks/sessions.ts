/** What is tried with credentials: to read them, to plant them, and to use those of others. */
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { OVERREACHING_HEADERS } from "../../../support/hostile_app.ts";
import { createBrowser } from "../../../support/login.ts";
import { valuesOf } from "../../../support/raw_client.ts";
import { handshakeOf } from "../../../support/raw_websocket.ts";
import { untilReady } from "../../../support/ready.ts";
import {
  type Attack,
  BASE,
  HOSTILE,
  hostOf,
  type Stage,
  urlOf,
} from "../attack.ts";
import {
  attack,
  gainsOf,
  isAdmitted,
  NAVIGATION,
  RESERVED,
  sessionOf,
  statusOf,
} from "../attempts.ts";

const HOST = hostOf(HOSTILE);
const LOCKED = hostOf("locked");

async function credentials(stage: Stage): Promise<string[]> {
  const session = await sessionOf(stage, LOCKED);
  const { body } = await stage.ask({
    host: HOST,
    path: `/echo?a=1&DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}&b=2`,
    headers: {
      // No navigation, which would be redirected.
      "Sec-Fetch-Mode": "cors",
      "X-Daytona-Preview-Token": KEYS.lockedToken,
      "Cookie": `before=1; ${session}; behind=2`,
      "Referer":
        `${stage.scheme}://${LOCKED}/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
    },
  });
  const [, value = ""] = session.split("=");
  return [
    ...body.includes(KEYS.lockedToken) ? ["an app reads a preview token"] : [],
    ...body.includes(value) ? ["an app reads a session"] : [],
    ...body.includes("before=1; behind=2") ? [] : ["an app's cookies are lost"],
  ];
}

async function overreach(stage: Stage): Promise<string[]> {
  const { fields } = await stage.ask({
    host: HOST,
    path: "/headers-of-others",
  });
  const names = new Set(
    OVERREACHING_HEADERS.map((line) => line.split(":")[0]?.toLowerCase()),
  );
  return fields
    // Attributes may be removed, and what remains is harmless.
    .filter(([name, value]) =>
      names.has(name.toLowerCase()) &&
      value !== "wide=1; Path=/" &&
      // nginx's own, by which apps say that they stream
      name.toLowerCase() !== "x-accel-buffering"
    )
    .map((field) => `an app's ${field.join(": ")} is passed on`);
}

async function crossOrigin(stage: Stage): Promise<string[]> {
  const locked = `${LOCKED}:${stage.port}`;
  const session = await sessionOf(stage, locked);
  const origin = `${stage.scheme}://${HOST}:${stage.port}`;
  const siblings: Record<string, string>[] = [
    {
      "Origin": origin,
      "Sec-Fetch-Site": "same-site",
      "Sec-Fetch-Mode": "cors",
    },
    {
      "Referer": `${origin}/`,
      "Sec-Fetch-Site": "same-site",
      "Sec-Fetch-Mode": "no-cors",
      "Sec-Fetch-Dest": "image",
    },
    {
      "Origin": "null",
      "Sec-Fetch-Site": "cross-site",
      "Sec-Fetch-Mode": "cors",
    },
  ];
  const gains = await gainsOf(
    siblings,
    (headers) => isAdmitted(stage, locked, { Cookie: session, ...headers }),
  );
  const isUsable = await isAdmitted(stage, locked, {
    ...siblings[0],
    Cookie: session,
    Origin: `${stage.scheme}://3001-locked.${BASE}:${stage.port}`,
  });
  if (!isUsable) gains.push("a page of the same sandbox is refused");
  const response = await stage.raw(handshakeOf(locked, "/ws", {
    Cookie: session,
    Origin: origin,
  }));
  if (statusOf(response) !== 401) gains.push("a sibling opens a WebSocket");
  return gains;
}

async function reservedPorts(stage: Stage): Promise<string[]> {
  const { runner, app } = stage.stack;
  const gains: string[] = [];
  const open = runner.containers.get("locked")?.ports;
  for (const port of RESERVED) {
    const before = open?.get(port);
    open?.set(port, app.port);
    const host = `${hostOf("locked", port)}:${stage.port}`;
    const session = await sessionOf(stage, host);
    const from = `${stage.scheme}://${LOCKED}:${stage.port}`;
    const isOpen = await isAdmitted(stage, host, {
      "Cookie": session,
      "Origin": from,
      "Referer": `${from}/`,
      "Sec-Fetch-Site": "same-site",
      "Sec-Fetch-Mode": "cors",
      "Sec-Fetch-Dest": "empty",
    });
    if (isOpen) gains.push(`a page of another port uses ${port}`);
    const isUsable = await isAdmitted(stage, host, {
      "Cookie": session,
      "Origin": `${stage.scheme}://${host}`,
      "Sec-Fetch-Site": "same-origin",
    });
    if (!isUsable) gains.push(`${port} refuses its own page`);
    if (before === undefined) open?.delete(port);
    else open?.set(port, before);
  }
  return gains;
}

async function signedLinks(stage: Stage): Promise<string[]> {
  const label = KEYS.signedToken;
  const ways = [
    { host: hostOf(label, 22222) },
    { host: hostOf(label, 8000) },
    { host: BASE, path: `/toolbox/${label}/version` },
    {
      host: BASE,
      path: "/toolbox/locked/version",
      headers: { Authorization: `Bearer ${label}` },
    },
    { host: LOCKED, headers: { "X-Daytona-Preview-Token": label } },
  ];
  const gains = await gainsOf(
    ways,
    async (way) => (await stage.ask(way)).status < 400,
  );
  const own = await stage.ask({ host: hostOf(label), path: "/status/200" });
  if (own.status !== 200) gains.push("the link itself does not work");
  return gains;
}

async function caching(stage: Stage): Promise<string[]> {
  const questions = [
    { host: LOCKED },
    { host: LOCKED, headers: NAVIGATION },
    { host: hostOf("stopped") },
    { host: hostOf("demo", 1) },
    { host: BASE, path: "/toolbox/locked/version" },
    { host: `3000-demo.elsewhere.example` },
  ];
  return await gainsOf(questions, async (question) => {
    const { fields } = await stage.ask(question);
    return !valuesOf(fields, "cache-control").join().includes("no-store");
  });
}

async function secureCookies(stage: Stage): Promise<string[]> {
  const { fields } = await stage.ask({
    host: `${LOCKED}:${stage.port}`,
    path: `/status/200?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
    headers: NAVIGATION,
  });
  const cookies = valuesOf(fields, "set-cookie");
  if (cookies.length === 0) return ["there is no cookie"];
  return cookies.filter((line) =>
    !/^__Host-/.test(line) || !/; *secure/i.test(line) ||
    !/; *httponly/i.test(line) || /; *domain/i.test(line)
  );
}

async function posts(stage: Stage): Promise<string[]> {
  const methods = ["POST", "PUT", "DELETE"];
  return await gainsOf(methods, async (method) => {
    const { status } = await stage.ask({
      method,
      host: LOCKED,
      headers: NAVIGATION,
      body: "password=secret",
    });
    return status !== 401;
  });
}

/** ID tokens that a relying party must reject (OpenID Connect Core 1.0 section 3.1.3.7). */
const FORGERIES = {
  "another issuer": { iss: "https://evil.example" },
  "another client": { aud: "another" },
  "an end in the past": { exp: 1 },
  "another nonce": { nonce: "another" },
};

async function forgedTokens(stage: Stage): Promise<string[]> {
  await untilReady(stage.port);
  const { provider } = stage.stack;
  const gains: string[] = [];
  for (const [name, claims] of Object.entries(FORGERIES)) {
    provider.forgery = { claims: (real) => ({ ...real, ...claims }) };
    try {
      const browser = createBrowser(stage);
      const url = urlOf(stage, LOCKED, "/status/200");
      const { page } = await browser.openAs("alice", url);
      if (page.status === 200) gains.push(`an ID token with ${name} logs in`);
    } finally {
      provider.forgery = undefined;
    }
  }
  return gains;
}

/** The attacks. */
export const sessions: readonly Attack[] = [
  attack(
    "A1-credentials",
    "an app reads tokens, sessions and keys in what reaches it",
    credentials,
  ),
  attack(
    "A2-headers-of-apps",
    "an app sets our cookies, cookies of the base domain, or what a front or browser would obey (S14)",
    overreach,
  ),
  attack(
    "A3-cross-origin",
    "a sibling's page uses a visitor's session, by HTTP and by WebSocket (A4)",
    crossOrigin,
  ),
  attack(
    "A6-signed-links",
    "a signed link is used for other ports, for the toolbox, and as a token",
    signedLinks,
  ),
  attack(
    "A19-caching",
    "a cache keeps what the gateway says to one client for another",
    caching,
  ),
  attack(
    "A29-cookies",
    "a session travels over plain HTTP, or to another host",
    secureCookies,
    { only: "https" },
  ),
  attack(
    "A30-posts",
    "what a form sends without a session is sent on to the provider",
    posts,
  ),
  attack(
    "A38-forged-tokens",
    "a provider's ID token is of another issuer, client, time or login",
    forgedTokens,
    { only: "http", lastsMs: 10_000 },
  ),
  attack(
    "S14-reserved-ports",
    "a page of another port of the same sandbox uses the terminal with the visitor's session",
    reservedPorts,
  ),
];
