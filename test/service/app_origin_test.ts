/** What an app is told of its own address, tested on the complete service with raw sockets on both sides. */
import assert from "node:assert/strict";
import { KEYS, startStack } from "../../scripts/stand_in/stack.ts";
import { BASE, startGateway, startGatewayOf } from "../support/gateway.ts";
import { testInBothWorlds as test } from "../support/worlds.ts";
import {
  accepted,
  addressIn,
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

/** Origins that are not the app's own. */
const FOREIGN = [
  `http://3000-demo.${BASE}`,
  `http://8000-locked.${BASE}`,
  `https://${APP}`,
  `${OWN}.evil.example`,
  "https://elsewhere.example",
  "null",
  LOCAL,
];

test("a page's own GET and HEAD reach the app without Origin, everything else as it came", async (startGateway) => {
  await withApp(startGateway, () => response(204), async (gateway, seen) => {
    const headers = { origin: OWN, referer: `${OWN}/a?b` };
    for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE"]) {
      await request(gateway, method, headers);
    }
    const [get, head, ...others] = seen.map(addressIn);
    const withoutOrigin = [undefined, `${OWN}/a?b`, APP, "http"];
    assert.deepEqual([get, head], [withoutOrigin, withoutOrigin]);
    for (const other of others) {
      assert.deepEqual(other, [OWN, `${OWN}/a?b`, APP, "http"]);
    }
  });
});

test("with APP_ORIGIN=local, every request of a page's own names localhost alone", async (startGateway) => {
  await withApp(startGateway, () => response(204), async (gateway, seen) => {
    const headers = { origin: OWN, referer: `${OWN}/a?b` };
    for (const method of ["GET", "HEAD", "POST"]) {
      await request(gateway, method, headers);
    }
    await handshake(gateway, { origin: OWN });
    await request(gateway, "GET", { referer: "https://elsewhere.example/" });
    const [get, head, post, socket, link] = seen.map(addressIn);
    for (const address of [get, head, post]) {
      assert.deepEqual(address, [LOCAL, `${LOCAL}/a?b`, undefined, undefined]);
    }
    assert.deepEqual(socket, [LOCAL, undefined, undefined, undefined]);
    assert.deepEqual(
      link,
      [undefined, "https://elsewhere.example/", undefined, "http"],
    );
    // Runner and daemon append themselves.
    assert.match(
      seen[0]?.headers.get("x-forwarded-for") ?? "",
      /^127\.0\.0\.1\b/,
    );
  }, { APP_ORIGIN: "local" });
});

test("with APP_ORIGIN=local, a visitor who navigates is told of by X-Forwarded-Proto, and gets the app's Secure cookies", async (startGateway) => {
  await withApp(startGateway, (seen) => {
    const isSecure = seen.headers.get("x-forwarded-proto") === "http"; // as in the browser
    return response(200, ...isSecure ? ["Set-Cookie: sid=1; Secure"] : []);
  }, async (gateway, seen) => {
    const answer = await request(gateway, "GET", { referer: `${OWN}/a` });
    assert.equal(valueOf(answer, "set-cookie"), "sid=1; Secure");
    assert.deepEqual(seen.map(addressIn), [
      [undefined, `${LOCAL}/a`, undefined, "http"],
    ]);
  }, { APP_ORIGIN: "local" });
});

test("with APP_ORIGIN=pass, nothing is changed, redirects included", async (startGateway) => {
  const location = `Location: ${LOCAL}/login`;
  await withApp(
    startGateway,
    () => response(302, location),
    async (gateway, seen) => {
      const headers = { origin: OWN, referer: `${OWN}/` };
      const answer = await request(gateway, "GET", headers);
      await handshake(gateway, { origin: OWN });
      assert.deepEqual(seen.map(addressIn), [
        [OWN, `${OWN}/`, APP, "http"],
        [OWN, undefined, APP, "http"],
      ]);
      assert.equal(valueOf(answer, "location"), `${LOCAL}/login`);
    },
    { APP_ORIGIN: "pass" },
  );
});

for (const mode of ["auto", "local", "pass"]) {
  test(`with APP_ORIGIN=${mode}, the origins of others reach the app as they came, with the public address`, async (startGateway) => {
    await withApp(startGateway, () => response(403), async (gateway, seen) => {
      for (const origin of FOREIGN) {
        for (const method of ["GET", "POST"]) {
          await request(gateway, method, { origin, referer: `${origin}/` });
        }
        await handshake(gateway, { origin, referer: `${origin}/` });
      }
      assert.deepEqual(
        seen.map(addressIn),
        FOREIGN.flatMap((origin) =>
          Array(3).fill([origin, `${origin}/`, APP, "http"])
        ),
      );
    }, { APP_ORIGIN: mode });
  });
}

test("an app that checks a handshake's origin by its Host accepts it", async (startGateway) => {
  await withApp(startGateway, (seen) => {
    const { origin = "", host } = Object.fromEntries(seen.headers);
    const isForwarded = forwardedHostIn(seen) !== undefined ||
      seen.headers.has("x-forwarded-proto");
    return origin === `http://${host}` && !isForwarded
      ? accepted(seen)
      : response(403);
  }, async (gateway, seen) => {
    assert.equal((await handshake(gateway, { origin: OWN })).status, 101);
    assert.equal(seen.length, 1);
  });
});

test("an app that checks a handshake's origin by the public address accepts it, and sees one from then on", async (startGateway) => {
  const answers: Answer[] = [
    () => response(403),
    () => response(401),
    () => response(302, "Location: /login"),
    () => "",
    () => "garbage\r\n\r\n",
    () => "HTTP/1.1 200\n\n",
  ];
  for (const refuse of answers) {
    await withApp(startGateway, (seen) => {
      const origin = seen.headers.get("origin");
      return origin === `http://${forwardedHostIn(seen)}`
        ? accepted(seen)
        : refuse(seen);
    }, async (gateway, seen) => {
      const path = "/socket?token=%zz";
      for (let i = 0; i < 2; i++) {
        const { status } = await handshake(gateway, { origin: OWN }, {
          path,
        });
        assert.equal(status, 101);
      }
      assert.deepEqual(seen.map(addressIn), [
        [LOCAL, undefined, undefined, undefined],
        [OWN, undefined, APP, "http"],
        [OWN, undefined, APP, "http"],
      ]);
      assert.deepEqual(seen.map(({ target }) => target), [path, path, path]);
    });
  }
});

test("a handshake that the app refuses in both forms ends with its answer to the second", async (startGateway) => {
  await withApp(
    startGateway,
    ({ headers }) =>
      response(headers.get("origin") === OWN ? 418 : 403, "X-App: 1"),
    async (gateway, seen) => {
      const answer = await handshake(gateway, { origin: OWN });
      assert.deepEqual([answer.status, valueOf(answer, "x-app")], [418, "1"]);
      assert.equal(seen.length, 2);
    },
  );
});

test("a handshake that the app refuses with 429 or 5xx is not repeated", async (startGateway) => {
  for (const status of [429, 500, 503]) {
    await withApp(
      startGateway,
      () => response(status),
      async (gateway, seen) => {
        assert.equal(
          (await handshake(gateway, { origin: OWN })).status,
          status,
        );
        assert.equal(seen.length, 1);
      },
    );
  }
});

test("a handshake without Origin, or without a preview's own, is made once", async (startGateway) => {
  await withApp(startGateway, () => response(403), async (gateway, seen) => {
    await handshake(gateway, {});
    await handshake(gateway, { origin: "https://elsewhere.example" });
    assert.equal(seen.length, 2);
  });
});

test("redirects to where the app believes to be lead to where it is", async (startGateway) => {
  for (const mode of ["auto", "local"]) {
    let line = "";
    await withApp(startGateway, () => response(302, line), async (gateway) => {
      async function led(location: string): Promise<string | undefined> {
        line = `Location: ${location}`;
        const answer = await request(gateway, "GET", {});
        return valueOf(answer, "location");
      }
      const rest = "/a%2F..//b?c=%zz&d=http://localhost:8000/#e";
      assert.equal(await led(`${LOCAL}${rest}`), `${OWN}${rest}`);
      assert.equal(await led(`https://localhost:8000${rest}`), `${OWN}${rest}`);
      assert.equal(await led(`http://127.0.0.1:8000${rest}`), `${OWN}${rest}`);
      for (const host of ["0.0.0.0", "[::1]", "[::]"]) {
        assert.equal(await led(`http://${host}:8000${rest}`), `${OWN}${rest}`);
      }
      assert.equal(await led(`//localhost:8000${rest}`), `${OWN}${rest}`);
      assert.equal(
        await led(`http://localhost:3000${rest}`),
        `http://3000-demo.${BASE}${rest}`,
      );
      for (
        const other of [
          "/a",
          "//evil.example/http://localhost:8000/",
          "http://localhost:80001/x",
          "http://localhost:0/x",
          "http://localhost:33418/callback?state=1&code=2",
          "http://127.0.0.1:33418/?error=access_denied",
          "http://0.0.0.0.evil.example:8000/",
          "http://localhost:3000@evil.example/",
          "http://localhost:8000@evil.example/",
          "http://localhost:8000\\@evil.example/",
          "https://elsewhere.example/http://localhost:8000/",
        ]
      ) assert.equal(await led(other), other);
      line = `Content-Location: ${LOCAL}/a`;
      const answer = await request(gateway, "POST", { origin: OWN });
      assert.equal(valueOf(answer, "content-location"), `${OWN}/a`);
      for (
        const [refresh, url] of [
          [`0; url=${LOCAL}/a?b`, `0; url=${OWN}/a?b`],
          [`5;URL="${LOCAL}";x`, `5;URL="${OWN}";x`],
          [`5;url='//0.0.0.0:8000/$&'`, `5;url='${OWN}/$&'`],
          [`1, ${LOCAL}/`, `1, ${OWN}/`],
          ...[
            "5",
            `0; url=${LOCAL}"@evil.example/`,
            `0; url="${LOCAL}'@evil.example/"`,
            `0; url=https://evil.example/?0;url=${LOCAL}/`,
            `x; url=${LOCAL}/`,
          ].map((text) => [text, text] as const),
        ] as const
      ) {
        line = `Refresh: ${refresh}`;
        const answer = await request(gateway, "GET", {});
        assert.equal(valueOf(answer, "refresh"), url);
      }
    }, { APP_ORIGIN: mode });
  }
});

Deno.test("a cookie for localhost, or an address of it, is one for the preview's host", async () => {
  const publicHost = "preview.example.com";
  await using stack = await startStack({ publicHost });
  await using gateway = await startGatewayOf(stack);
  await gateway.serve((_, response) => {
    response.setHeader("set-cookie", [
      "a=1; Domain=localhost; Path=/",
      "b=2; HttpOnly; domain=.LocalHost",
      "c=3; Domain=127.0.0.1",
      "d=4; Domain=[::1]; Secure",
      "e=5; Domain=localhost.example.org",
    ]).end();
  });
  const answer = await gateway.send(`8000-demo.${publicHost}`);
  assert.deepEqual(answer.headers.getSetCookie(), [
    "a=1; Path=/",
    "b=2; HttpOnly",
    "c=3",
    "d=4; Secure",
    "e=5; Domain=localhost.example.org",
  ]);
});

test("the refusal of a handshake is led back like any redirect", async (startGateway) => {
  await withApp(
    startGateway,
    () => response(302, `Location: ${LOCAL}/login`),
    async (gateway) => {
      const answer = await handshake(gateway, { origin: OWN });
      assert.equal(valueOf(answer, "location"), `${OWN}/login`);
    },
  );
});

test("a redirect of a sandbox that was opened by a signed link leads to the link's host, or to no other port", async (startGateway) => {
  let location = `${LOCAL}/login`;
  await withApp(
    startGateway,
    () => response(302, `Location: ${location}`),
    async (gateway) => {
      const { api: { state } } = gateway.stack;
      const link = state.signedTokens.get(KEYS.signedToken);
      assert(link !== undefined);
      state.signedTokens.set("eightthousandlnk", { ...link, port: 8000 });
      const host = `8000-eightthousandlnk.${BASE}`;
      const answer = await request(gateway, "GET", {}, { host });
      assert.equal(valueOf(answer, "location"), `http://${host}/login`);
      location = "http://localhost:3000/after";
      const elsewhere = await request(gateway, "GET", {}, { host });
      assert.equal(valueOf(elsewhere, "location"), location);
    },
  );
});

test("a sandbox's labels choose for all of its ports or for one, whatever APP_ORIGIN says", async (startGateway) => {
  for (
    const [labels, address] of [
      [{ "porthole.app-origin": "local" }, [LOCAL, undefined]],
      [{ "porthole.app-origin.8000": "local" }, [LOCAL, undefined]],
      [{ "porthole.app-origin.3000": "local" }, [OWN, APP]],
      [
        { "porthole.app-origin": "local", "porthole.app-origin.8000": "pass" },
        [OWN, APP],
      ],
      [{ "porthole.app-origin": "auto" }, [OWN, APP]],
      [{ "porthole.app-origin": "LOCAL" }, [OWN, APP]],
    ] as const
  ) {
    await withApp(startGateway, () => response(204), async (gateway, seen) => {
      gateway.stack.api.sandbox("demo").labels = { ...labels };
      await request(gateway, "POST", { origin: OWN });
      assert(seen[0] !== undefined);
      const [origin, , host] = addressIn(seen[0]);
      assert.deepEqual([origin, host], address);
    }, { APP_ORIGIN: "pass" });
  }
});

test("labels are read once beside the runner, however many requests there are, and nothing that a visitor sends counts as one", async (startGateway) => {
  await withApp(startGateway, () => response(204), async (gateway, seen) => {
    const { api } = gateway.stack;
    api.sandbox("demo").labels = { "porthole.app-origin": "local" };
    for (let i = 0; i < 3; i++) {
      await request(gateway, "POST", {
        "origin": OWN,
        "porthole.app-origin": "pass",
        "x-porthole-app-origin": "pass",
      }, { path: "/?porthole.app-origin=pass" });
    }
    assert.deepEqual(seen.map((one) => addressIn(one)[0]), [
      LOCAL,
      LOCAL,
      LOCAL,
    ]);
    assert.equal(api.count("getSandbox"), 1);
    assert(api.count("getRunnerBySandboxId") <= 1);
  });
});

Deno.test("the proxy of a region reads the labels of its region's sandboxes", async () => {
  await withApp(startGateway, () => response(204), async (gateway, seen) => {
    const labels = { "porthole.app-origin": "local" };
    gateway.stack.api.sandbox("demo").labels = labels;
    await request(gateway, "POST", { origin: OWN });
    assert.equal(addressIn(seen[0] ?? assert.fail())[0], LOCAL);
  }, { PROXY_API_KEY: KEYS.regionProxy });
});

/** What an app may answer a handshake with that is no answer. */
const DROPS: Readonly<Record<string, string>> = {
  "an early close": "",
  "garbage": "\x00\x01\x02\r\n\r\n",
  "a bare line": "no such page\n",
  "a broken head": "HTTP/1.1 403 Forbidden\r\nContent-",
};

for (const [name, bytes] of Object.entries(DROPS)) {
  Deno.test(`where the daemon can be asked, an app that refuses handshakes with ${name} is told from a closed port`, async () => {
    await withApp(startGateway, () => bytes, async (gateway, seen) => {
      for (const origin of [OWN, "https://elsewhere.example"]) {
        const answer = await handshake(gateway, { origin });
        assert.deepEqual(
          [answer.status, valueOf(answer, "x-porthole-error")],
          [502, "app_refused_websocket"],
        );
      }
      assert.equal(seen.length, 3);
    });
  });
}

test("a handshake on a port on which nothing listens says so", async (startGateway) => {
  await using gateway = await startGateway();
  for (const port of [8000, 80, 12_345]) {
    gateway.stack.runner.containers.get("demo")?.ports.set(port, 1);
    const host = `${port}-demo.${BASE}`;
    const headers = { origin: `http://${host}` };
    const answer = await handshake(gateway, headers, { host });
    assert.equal(valueOf(answer, "x-porthole-error"), "port_closed");
  }
});

test("an app on a port that the daemon does not watch is asked itself whether it listens", async (startGateway) => {
  const isHandshake = ({ headers }: Seen) => headers.has("upgrade");
  await withApp(
    startGateway,
    (seen) => isHandshake(seen) ? "" : response(404),
    async (gateway, seen) => {
      const ports = gateway.stack.runner.containers.get("demo")?.ports;
      ports?.set(80, ports.get(8000) ?? 0);
      const host = `80-demo.${BASE}`;
      const answer = await handshake(gateway, {}, { host });
      const code = valueOf(answer, "x-porthole-error");
      assert.equal(code, "app_refused_websocket");
      assert.deepEqual(seen.map(({ method }) => method), ["GET", "HEAD"]);
    },
  );
});

test("refusals of a host or an origin reach the visitor as they are", async (startGateway) => {
  const body = "Invalid Host header";
  const refusal = response(403, `Content-Length: ${body.length}`) + body;
  await withApp(startGateway, () => refusal, async (gateway) => {
    const page = await request(gateway, "GET", {});
    assert.deepEqual([page.status, page.body], [403, body]);
    const socket = await handshake(gateway, { origin: OWN });
    assert.deepEqual([socket.status, socket.body], [403, body]);
  });
});
