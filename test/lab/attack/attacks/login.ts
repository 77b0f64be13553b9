/** S6, S9 and S11: the login, its cookies and the logout, as a client without a conscience uses them. */
import { writeAll } from "../../../support/dial.ts";
import { type Browser, createBrowser } from "../../../support/login.ts";
import { untilReady } from "../../../support/ready.ts";
import { utf8 } from "../../../support/wire_frames.ts";
import { type Attack, BASE, hostOf, type Stage, urlOf } from "../attack.ts";

/** Opens a private preview as somebody new, and logs in up to the address of the callback, which is not opened. */
async function callbackOf(stage: Stage, browser: Browser): Promise<URL> {
  const start = urlOf(stage, hostOf("locked"), "/status/200");
  let { page } = await browser.openAs("alice", start, { follow: false });
  for (;;) {
    const location = new URL(page.headers.get("location") ?? "", page.url);
    if (location.pathname === "/callback") return location;
    ({ page } = await browser.open(location.href, { follow: false }));
  }
}

/** Opens a callback with an invented code. */
async function guess(
  stage: Stage,
  browser: Browser,
  callback: URL,
): Promise<void> {
  const query = new URLSearchParams(callback.search);
  query.set("code", crypto.randomUUID());
  const cookie = browser.cookieAt(callback);
  await stage.ask({
    host: callback.host,
    path: `/callback?${query}`,
    headers: {
      "Cookie": cookie,
      "X-Forwarded-For": "198.51.100.6",
    },
  });
}

/** Token requests of the gateway while `act` goes on. */
async function tokenRequests(
  { stack: { provider } }: Stage,
  act: () => Promise<void>,
): Promise<number> {
  const before = provider.count("token");
  await act();
  return provider.count("token") - before;
}

const GUESSES = 2000;

/** A state is used once, whatever comes of it. */
const MAX_REPLAYS = 2;

/** What the gateway allows one client, and what refills meanwhile. */
const REFUSALS_PER_MINUTE = 30;
const MAX_LOGINS = 40;

/** As many private sandboxes as one visitor opens within an hour. */
const SANDBOXES = 70;

/** The least that servers take for one header. */
const MAX_COOKIE_BYTES = 8 * 1024;

/** Longer than the gateway may wait for a form, ms. */
const FORM_MS = 12_000;

/** The attacks. */
export const login: readonly Attack[] = [
  {
    name: "S6-replay",
    about: `a client opens one login's callback with ${GUESSES} invented codes`,
    only: "http",
    lastsMs: 10_000,
    async run(stage) {
      await untilReady(stage.port);
      const browser = createBrowser(stage);
      const callback = await callbackOf(stage, browser);
      const count = await tokenRequests(stage, async () => {
        for (let i = 0; i < GUESSES && !stage.signal.aborted; i += 50) {
          await Promise.all(
            Array.from({ length: 50 }, () => guess(stage, browser, callback)),
          );
        }
      });
      return count > MAX_REPLAYS
        ? [`${count} token requests at the provider`]
        : [];
    },
  },
  {
    name: "S6-logins",
    about: "a client begins 100 logins, and invents the code of each",
    only: "http",
    lastsMs: 10_000,
    settings: { REFUSALS_PER_MINUTE: `${REFUSALS_PER_MINUTE}` },
    async run(stage) {
      await untilReady(stage.port);
      const count = await tokenRequests(stage, async () => {
        for (let i = 0; i < 100 && !stage.signal.aborted; i++) {
          const browser = createBrowser(stage);
          const start = urlOf(stage, hostOf("locked"), "/status/200");
          const { hops } = await browser.open(start);
          const asked = hops.find(({ url }) => url.includes("/auth?"));
          const callback = new URL(urlOf(stage, BASE, "/callback"));
          const { searchParams } = new URL(asked?.url ?? start);
          callback.search = `${new URLSearchParams({
            state: searchParams.get("state") ?? "",
            iss: stage.stack.provider.issuer,
          })}`;
          await guess(stage, browser, callback);
        }
      });
      return count > MAX_LOGINS
        ? [`${count} token requests at the provider`]
        : [];
    },
  },
  {
    name: "S9-logins",
    about:
      `a visitor opens ${SANDBOXES} private sandboxes, and the cookies fill the head`,
    only: "http",
    lastsMs: 20_000,
    async run(stage) {
      await untilReady(stage.port);
      const { api, runner, app } = stage.stack;
      const browser = createBrowser(stage);
      let statuses = "";
      for (let i = 0; i < SANDBOXES && !stage.signal.aborted; i++) {
        const id = `private-${i}`;
        api.state.sandboxes.set(id, { ...api.sandbox("locked"), id });
        (api.state.subjects.get("alice") as Set<string>).add(id);
        runner.containers.set(id, {
          started: true,
          ports: new Map([[3000, app.port]]),
        });
        const url = urlOf(stage, hostOf(id), "/status/200");
        let { page } = await browser.open(url);
        if (page.body.includes('<button name="user" value="alice">')) {
          ({ page } = await browser.logIn(page, "alice"));
        }
        if (page.status !== 200) statuses ||= `sandbox ${i}: ${page.status}`;
      }
      const cookie = browser.cookieAt(urlOf(stage, hostOf("locked")));
      return [
        ...statuses === "" ? [] : [statuses],
        ...cookie.length > MAX_COOKIE_BYTES
          ? [`${cookie.length} bytes of cookies`]
          : [],
      ];
    },
  },
  {
    name: "S11-logout",
    about: "200 clients announce the form of a logout, and do not send it",
    lastsMs: FORM_MS,
    keepsUp: true,
    async run(stage) {
      const head = utf8(
        `POST /logout HTTP/1.1\r\nHost: ${BASE}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\n\r\n`,
      );
      let waiting = 0;
      await Promise.all(Array.from({ length: 200 }, async () => {
        const conn = await stage.connect();
        await writeAll(conn, head);
        waiting++;
        // An answer, or the end of the connection.
        await conn.read(new Uint8Array(1000)).catch(() => null);
        if (!stage.signal.aborted) waiting--;
      }));
      return waiting > 0 ? [`${waiting} forms are waited for`] : [];
    },
  },
];
