/** S7, S8 and S13: budgets that somebody else spends, and questions that nobody needs an answer to. */
import { setTimeout as delay } from "node:timers/promises";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { discard, writeAll } from "../../../support/dial.ts";
import { headOf } from "../../../support/load_client.ts";
import { rawStream } from "../../../support/raw_client.ts";
import { utf8 } from "../../../support/wire_frames.ts";
import { type Attack, HOSTILE, hostOf, QUIET, type Stage } from "../attack.ts";

/** A streamed upload whose response has begun. */
async function duplex(stage: Stage, address: string) {
  const stream = rawStream(await stage.connect());
  const post = headOf({
    method: "POST",
    host: hostOf(HOSTILE),
    path: "/early",
    headers: { "X-Forwarded-For": address, "Transfer-Encoding": "chunked" },
  });
  await stream.write(`${post}1\r\na\r\n`);
  const head = await stream.readUntil("\r\n\r\n");
  return { stream, status: Number(head.split(" ")[1]) };
}

/** What a page makes its visitor's browser load. */
const NO_CORS = {
  "Sec-Fetch-Site": "cross-site",
  "Sec-Fetch-Mode": "no-cors",
  "Sec-Fetch-Dest": "image",
};

/** An office of which one visitor opens a hostile page. */
const OFFICE = { "X-Forwarded-For": "198.51.100.8" };

async function spendRefusals(stage: Stage): Promise<string[]> {
  for (let i = 0; i < 16; i++) {
    await Promise.all(Array.from({ length: 20 }, () =>
      stage.ask({
        host: hostOf(crypto.randomUUID()),
        headers: { ...OFFICE, ...NO_CORS },
      })));
  }
  const gains: string[] = [];
  const token = await stage.ask({
    host: hostOf("locked"),
    path: "/status/200",
    headers: { ...OFFICE, "X-Daytona-Preview-Token": KEYS.lockedToken },
  });
  if (token.status !== 200) gains.push(`a valid token: ${token.status}`);
  const preview = await stage.ask({
    host: hostOf("demo"),
    path: "/status/200",
    headers: OFFICE,
  });
  if (preview.status !== 200) gains.push(`a public preview: ${preview.status}`);
  return gains;
}

/** The attackers of one network, each of which leaves a socket behind as often as one may. */
const NEIGHBOURS = 60;
const EACH = 22;

async function leakSockets(stage: Stage): Promise<string[]> {
  for (let neighbour = 0; neighbour < NEIGHBOURS; neighbour++) {
    const address = `2001:db8:0:1::${neighbour.toString(16)}`;
    await Promise.all(Array.from({ length: EACH }, async () => {
      const { stream } = await duplex(stage, address);
      stream.close();
    }));
    if (stage.signal.aborted) break;
  }
  await delay(200);
  const { stream, status } = await duplex(stage, "203.0.113.7");
  stream.close();
  return status === 200
    ? []
    : [`a stranger's streamed upload is answered ${status}`];
}

const STREAMS = 100;

/** Rechecks are due every 25 s. */
const RECHECKED_MS = 34_000;

/** Far fewer than one for each stream: whoever is admitted again costs what the cache does not know. */
const MAX_CALLS = 20;

async function askForNothing(stage: Stage): Promise<string[]> {
  const { api } = stage.stack;
  const reading: Promise<unknown>[] = [];
  for (let i = 0; i < STREAMS; i++) {
    const conn = await stage.connect();
    await writeAll(
      conn,
      utf8(headOf({
        host: hostOf("locked"),
        path: "/sse?interval=1000",
        headers: {
          "X-Daytona-Preview-Token": `bad-${i}`,
          "Cookie": `porthole-session=bad-${i}`,
          "Authorization": `Bearer ${KEYS.user}`,
          "X-Forwarded-For": "198.51.100.13",
        },
      })),
    );
    reading.push(discard(conn));
  }
  await delay(2_000);
  /** The calls that are not about the innocent visitors' sandbox, which is looked up for as long as it is used. */
  const asked = () =>
    api.calls.filter(({ params }) => !params.includes(QUIET)).length;
  const before = asked();
  await Promise.all([
    ...reading,
    delay(RECHECKED_MS - 4_000, undefined, { signal: stage.signal })
      .catch(() => {}),
  ]);
  const calls = asked() - before;
  return calls > MAX_CALLS ? [`${calls} calls of the API`] : [];
}

/** The attacks. */
export const credentials: readonly Attack[] = [
  {
    name: "S7-network",
    about:
      `${NEIGHBOURS} addresses of one network (IPv6 /64) leave ${EACH} streamed uploads each amid the response`,
    lastsMs: 20_000,
    run: leakSockets,
  },
  {
    name: "S8-page",
    about:
      "a page makes its visitor's browser load 320 previews that do not exist, and the visitor's office is refused",
    run: spendRefusals,
  },
  {
    name: "S13-rechecks",
    about:
      `${STREAMS} streams with a good bearer and a bad token each are checked again`,
    only: "http",
    lastsMs: RECHECKED_MS,
    run: askForNothing,
  },
];
