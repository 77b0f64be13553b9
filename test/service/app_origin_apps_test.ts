/** What frameworks check, in small: which of them work with which APP_ORIGIN, tested on the complete service. */
import assert from "node:assert/strict";
import { fakeClock } from "../support/fake_clock.ts";
import { BASE, startGateway, type TestGateway } from "../support/gateway.ts";
import {
  accepted,
  type Answer,
  APP,
  forwardedHostIn,
  handshake,
  LOCAL,
  OWN,
  request,
  response,
  type Seen,
  valueOf,
  withApp,
} from "./told_app.ts";
import { testInBothWorlds as test, WORLDS } from "../support/worlds.ts";

type Mode = "auto" | "local" | "pass";

/** A use of an app by its own page. */
interface Use {
  /** `WEBSOCKET` opens one. */
  readonly method: "GET" | "POST" | "WEBSOCKET";
  readonly app: Answer;
  /** Where the use is answered with 200 or 101. */
  readonly works: Readonly<Record<Mode, boolean>>;
  /** The differences in front of somebody else's Daytona, whose proxy adds a host of its own. */
  readonly inHosted?: Partial<Record<Mode, false>>;
  /** Handshakes that the app sees of two. */
  readonly handshakes?: number;
}

function header({ headers }: Seen, name: string): string {
  return headers.get(name) ?? "";
}

/** `host[:port]` of an origin. */
function hostOf(origin: string): string {
  return origin.replace(/^[a-z]+:\/\//, "");
}

function yesIf(condition: boolean, seen: Seen): string {
  if (!condition) return response(403);
  return seen.headers.has("upgrade") ? accepted(seen) : response(200);
}

/** The host by which apps behind a proxy know themselves; of several, many take the first. */
function believedHost(seen: Seen): string {
  const [first = ""] = header(seen, "x-forwarded-host").split(", ");
  return first || header(seen, "host");
}

const USES: Readonly<Record<string, Use>> = {
  "Server Actions of Next: a POST whose Origin is X-Forwarded-Host": {
    method: "POST",
    app: (seen) =>
      yesIf(hostOf(header(seen, "origin")) === believedHost(seen), seen),
    works: { auto: true, local: true, pass: true },
    inHosted: { local: false },
  },
  "a CSRF check by the app's public address": {
    method: "POST",
    app: (seen) => yesIf(header(seen, "origin") === OWN, seen),
    works: { auto: true, local: false, pass: true },
  },
  "the dev server of Next: scripts for localhost alone": {
    method: "GET",
    app: (seen) => {
      const origin = header(seen, "origin");
      return yesIf(origin === "" || /\/\/localhost\b/.test(origin), seen);
    },
    works: { auto: true, local: true, pass: false },
  },
  "the hot reload of Next: sockets for localhost alone, all others are dropped":
    {
      method: "WEBSOCKET",
      app: (seen) =>
        /\/\/localhost\b/.test(header(seen, "origin")) ? accepted(seen) : "",
      works: { auto: true, local: true, pass: false },
      handshakes: 2,
    },
  "the hot reload of webpack: sockets whose Origin is Host": {
    method: "WEBSOCKET",
    app: (seen) =>
      yesIf(hostOf(header(seen, "origin")) === header(seen, "host"), seen),
    works: { auto: true, local: true, pass: false },
    handshakes: 2,
  },
  "code-server: sockets whose Origin is X-Forwarded-Host, or Host without": {
    method: "WEBSOCKET",
    app(seen) {
      const host = header(seen, "x-forwarded-host") || header(seen, "host");
      return yesIf(hostOf(header(seen, "origin")) === host, seen);
    },
    works: { auto: true, local: true, pass: true },
    inHosted: { auto: false, local: false, pass: false }, // it takes both for one
    handshakes: 2,
  },
  "Flask-SocketIO: sockets of the public address, which it lists": {
    method: "WEBSOCKET",
    app: (seen) => yesIf(header(seen, "origin") === OWN, seen),
    works: { auto: true, local: false, pass: true },
    handshakes: 3,
  },
  "package ws: 401 for a verifyClient that wants the public address": {
    method: "WEBSOCKET",
    app: (seen) =>
      header(seen, "origin") === OWN ? accepted(seen) : response(401),
    works: { auto: true, local: false, pass: true },
    handshakes: 3,
  },
  "Express with cors: scripts of the public address, which it lists": {
    method: "GET",
    app: (seen) => yesIf(["", OWN].includes(header(seen, "origin")), seen),
    works: { auto: true, local: false, pass: true },
  },
  "Django: a form whose Origin is Host": {
    method: "POST",
    app: (seen) =>
      yesIf(header(seen, "origin") === `http://${header(seen, "host")}`, seen),
    works: { auto: false, local: true, pass: false },
  },
  "Jupyter: a socket whose Origin is Host": {
    method: "WEBSOCKET",
    app: (seen) =>
      yesIf(header(seen, "origin") === `http://${header(seen, "host")}`, seen),
    works: { auto: true, local: true, pass: false },
    handshakes: 2,
  },
};

for (const [name, use] of Object.entries(USES)) {
  const { method, app, handshakes, inHosted = {} } = use;
  for (const { suffix, startGateway, isHosted } of WORLDS) {
    for (const mode of ["auto", "local", "pass"] as const) {
      const works = use.works[mode] && !(isHosted && inHosted[mode] === false);
      const verb = works ? "works" : "is refused";
      Deno.test(`${name}: ${verb} with APP_ORIGIN=${mode}${suffix}`, async () => {
        await withApp(startGateway, app, async (gateway, seen) => {
          for (let i = 0; i < 2; i++) {
            const { status } = method === "WEBSOCKET"
              ? await handshake(gateway, { origin: OWN })
              : await request(gateway, method, {
                origin: OWN,
                referer: `${OWN}/`,
              });
            const isGood = status === 200 || status === 101;
            assert.equal(isGood, works, String(status));
          }
          if (works && mode === "auto" && handshakes !== undefined) {
            assert.equal(seen.length, handshakes);
          }
        }, { APP_ORIGIN: mode });
      });
    }
  }
}

Deno.test("Auth.js: a redirect_uri that is made of X-Forwarded-Host, if that is one host, is public in auto, and the provider's address stays", async () => {
  await withApp(startGateway, (seen) => {
    const own = `${header(seen, "x-forwarded-proto")}://${believedHost(seen)}`;
    const callback = encodeURIComponent(`${own}/api/auth/callback`);
    return response(
      302,
      `Location: https://id.example/authorize?redirect_uri=${callback}`,
    );
  }, async (gateway) => {
    for (const method of ["GET", "POST"]) {
      const answer = await request(gateway, method, { origin: OWN });
      assert.equal(
        valueOf(answer, "location"),
        `https://id.example/authorize?redirect_uri=http%3A%2F%2F${APP}%2Fapi%2Fauth%2Fcallback`,
      );
    }
  });
});

test("PHP and others: a redirect that is made of Host leads to the preview", async (startGateway) => {
  await withApp(
    startGateway,
    (seen) =>
      response(303, `Location: http://${header(seen, "host")}/done?a=1`),
    async (gateway) => {
      const answer = await request(gateway, "POST", { origin: OWN });
      assert.equal(valueOf(answer, "location"), `${OWN}/done?a=1`);
    },
  );
});

/** As the host authorization of Rails and Sinatra: every host but localhost is refused. */
function authorizesHosts(seen: Seen): string {
  return yesIf(forwardedHostIn(seen) === undefined, seen);
}

/** The statuses of requests of the app's own page, one after another. */
async function statuses(
  gateway: TestGateway,
  methods: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Promise<number[]> {
  const all: number[] = [];
  for (const method of methods) {
    const own = method === "GET" ? {} : { origin: OWN };
    const answer = await request(gateway, method, { ...own, ...headers });
    all.push(answer.status);
  }
  return all;
}

test("Sinatra and Rails, which refuse the public host: a read goes once more with localhost alone, which is remembered, for forms too", async (startGateway) => {
  await withApp(startGateway, authorizesHosts, async (gateway, seen) => {
    const uses = ["GET", "GET", "HEAD", "POST", "DELETE"];
    assert.deepEqual(await statuses(gateway, uses), uses.map(() => 200));
    assert.equal(seen.length, uses.length + 1);
    assert.equal(header(seen.at(-1) ?? assert.fail(), "origin"), LOCAL);
    // The pages of others are told of as ever.
    const origin = `http://3000-demo.${BASE}`;
    assert.deepEqual(await statuses(gateway, ["GET"], { origin }), [403]);
    assert.equal(seen.length, uses.length + 2);
  });
});

test("an app that refuses with 403 for other reasons is asked a second time once in a while, and its own answer counts", async (startGateway) => {
  using _clock = fakeClock();
  await withApp(
    startGateway,
    (seen) => response(403, `X-Host: ${forwardedHostIn(seen)}`),
    async (gateway, seen) => {
      for (let count = 0; count < 3; count++) {
        const answer = await request(gateway, "GET", {});
        assert.deepEqual([answer.status, valueOf(answer, "x-host")], [
          403,
          APP,
        ]);
      }
      assert.equal(seen.length, 4);
      assert.deepEqual(await statuses(gateway, ["POST"]), [403]);
      assert.equal(seen.length, 5);
    },
  );
});

test("a POST that is refused is not repeated", async (startGateway) => {
  await withApp(startGateway, authorizesHosts, async (gateway, seen) => {
    assert.deepEqual(await statuses(gateway, ["POST"]), [403]);
    assert.equal(seen.length, 1);
  });
});

test("with APP_ORIGIN=pass, an app that refuses the public host refuses", async (startGateway) => {
  await withApp(startGateway, authorizesHosts, async (gateway, seen) => {
    assert.deepEqual(await statuses(gateway, ["GET"]), [403]);
    assert.equal(seen.length, 1);
  }, { APP_ORIGIN: "pass" });
});

Deno.test("another app on the port of one that refused the public host is told of it as any other", async () => {
  using clock = fakeClock();
  let app: Answer = authorizesHosts;
  await withApp(
    startGateway,
    (seen) => app(seen),
    async (gateway, seen) => {
      assert.deepEqual(await statuses(gateway, ["GET"]), [200]);
      app = (latest) => response(forwardedHostIn(latest) === APP ? 200 : 500);
      clock.pass(11 * 60_000);
      assert.deepEqual(await statuses(gateway, ["GET", "POST"]), [200, 200]);
      assert.equal(seen.length, 4);
    },
  );
});
