/** That a visitor's browser fits into every container that docs/operate.md has settings for, also beside a slow app. */
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { assertEventually } from "../support/assert_eventually.ts";
import { DEMO, startGateway, type TestGateway } from "../support/gateway.ts";
import { memoryProfiles } from "../support/memory_profiles.ts";

/** All modules of a page, asked for at once: more than the 128 that nginx takes from a browser over HTTP/2. */
const MODULES = 200;

const PROFILES = [
  ...(await memoryProfiles()).map(({ mib, settings }) =>
    [`a container of ${mib} MiB`, settings] as const
  ),
  ["any other memory", {}] as const,
];

/** An app that answers each request after so many ms. */
function slowBy(ms: number): RequestListener {
  return (_, response) => setTimeout(() => response.end("module"), ms);
}

/** A visitor who asks so often, so often at once. */
interface Visitor {
  readonly address: string;
  readonly times: number;
  readonly atOnce: number;
}

/** What all visitors of a preview get, each status and code once. */
async function answersTo(
  gateway: TestGateway,
  host: string,
  visitors: readonly Visitor[],
): Promise<string[]> {
  const answers = new Set<string>();
  await Promise.all(visitors.flatMap(({ address, times, atOnce }) => {
    const headers = { "x-forwarded-for": address };
    let left = times;
    return Array.from({ length: atOnce }, async () => {
      while (left-- > 0) {
        const { status, code } = await gateway.send(host, { headers });
        answers.add(`${status} ${code ?? "from the app"}`);
      }
    });
  }));
  return [...answers];
}

const ALL_FROM_THE_APP = ["200 from the app"];

for (const [memory, settings] of PROFILES) {
  Deno.test(`in ${memory}, a visitor gets all ${MODULES} modules of 100 ms, asked for at once`, async () => {
    await using gateway = await start(settings);
    const host = await gateway.serve(slowBy(100));
    const one = { address: "203.0.113.1", times: MODULES, atOnce: MODULES };
    assert.deepEqual(await answersTo(gateway, host, [one]), ALL_FROM_THE_APP);
  });

  Deno.test(`in ${memory}, six visitors of a sandbox with six connections each get all from an app of 300 ms`, async () => {
    await using gateway = await start(settings);
    const host = await gateway.serve(slowBy(300));
    const six = Array.from({ length: 6 }, (_, nth) => ({
      address: `203.0.113.${nth}`,
      times: 42,
      atOnce: 6,
    }));
    assert.deepEqual(await answersTo(gateway, host, six), ALL_FROM_THE_APP);
  });

  Deno.test(`in ${memory}, a slow app asked 400 times by two addresses refuses none of 50 who come at once to another sandbox`, async () => {
    await using gateway = await start(settings);
    const held: (() => void)[] = [];
    const slow = await gateway.serve(
      (_, response) => held.push(() => response.end()),
      "locked",
    );
    const headers = {
      "x-daytona-preview-token": gateway.stack.api.state.sandboxes
        .get("locked")?.authToken ?? assert.fail(),
    };
    let answered = 0;
    const asked = Array.from({ length: 400 }, async (_, nth) => {
      const address = `203.0.113.${nth % 2}`;
      await gateway.send(slow, {
        headers: { ...headers, "x-forwarded-for": address },
      });
      answered++;
    });
    let turns = 0;
    await assertEventually(
      // Metrics take too long to be rendered in each turn.
      () => ++turns % 50 === 0 && answered + inFlight(gateway) >= asked.length,
      "all have come",
    );
    const innocents = Array.from({ length: 50 }, (_, nth) => ({
      address: `198.51.100.${nth}`,
      times: 1,
      atOnce: 1,
    }));
    const fast = await gateway.serve(slowBy(20));
    assert.deepEqual(
      await answersTo(gateway, fast, innocents),
      ALL_FROM_THE_APP,
    );
    assert(held.length > 0);
    while (answered < asked.length) {
      for (const answer of held.splice(0)) answer();
      await gateway.send(DEMO, { path: "/echo" });
    }
    await Promise.all(asked);
  });
}

async function start(
  settings: Readonly<Record<string, string>>,
): Promise<TestGateway> {
  return await startGateway({ ...settings, TRUSTED_PROXIES: "127.0.0.1" });
}

/** How many requests are under way. */
function inFlight({ service }: TestGateway): number {
  const pattern = /^porthole_http_requests_in_flight (\d+)$/m;
  return Number(pattern.exec(service.renderMetrics())?.[1]);
}
