/** Large bodies: how fast they are forwarded, and how much of them is buffered. */
import { FETCH_PROXY, GATEWAY, HOSTS, NGINX, present } from "../contestants.ts";
import type { Reading } from "../drive.ts";
import { memoryOf, resetPeak } from "../machine.ts";
import { figureOf, interleave, ratioOf, type Scenario } from "../scenario.ts";
import type { Server } from "../server.ts";
import type { Contestant } from "../world.ts";
import { connect, headOf, receive, send } from "./raw_http.ts";

const GIB = 2 ** 30;
const WARM_UP_BYTES = GIB / 4;
const MIB = 2 ** 20;
const ROUNDS = 3;

const RATE = "MiB/s";
/** The peak of resident memory during the transfer, minus its value before. */
const GROWTH = "growth MiB";

/** Transfers `size` bytes. */
type Transfer = (target: Server, size: number) => Promise<void>;

async function download({ port }: Server, size: number): Promise<void> {
  using conn = await connect(port);
  await send(conn, headOf({ host: HOSTS.public, target: `/bytes/${size}` }));
  const { start, bytes } = await receive(conn);
  if (!start.startsWith("HTTP/1.1 200 ") || bytes < size) {
    throw new Error(`Download failed after ${bytes} bytes`);
  }
}

const CHUNK = new Uint8Array(256 * 1024).fill(0x63);

async function upload({ port }: Server, size: number): Promise<void> {
  using conn = await connect(port);
  const target = "/upload";
  await send(conn, headOf({ host: HOSTS.public, target, upload: size }));
  for (let left = size; left > 0; left -= CHUNK.length) {
    await send(conn, left < CHUNK.length ? CHUNK.slice(0, left) : CHUNK);
  }
  const { start, end } = await receive(conn);
  if (!start.startsWith("HTTP/1.1 200 ") || !end.includes(`${size}`)) {
    throw new Error(`Upload failed: ${start.split("\r\n")[0]}`);
  }
}

async function timed(target: Server, transfer: Transfer): Promise<Reading> {
  await resetPeak(target.pid);
  const before = await memoryOf(target.pid);
  const startedAt = performance.now();
  await transfer(target, GIB);
  const elapsedSec = (performance.now() - startedAt) / 1000;
  const after = await memoryOf(target.pid);
  return {
    [RATE]: GIB / MIB / elapsedSec,
    [GROWTH]: before === undefined || after === undefined
      ? undefined
      : (after.peak - before.now) / 1024,
  };
}

function scenario(
  name: "download" | "upload",
  transfer: Transfer,
): Scenario {
  return {
    name,
    about: `1 GiB in one ${name}: rate, and growth of the resident memory`,
    async measure(world) {
      const ready: { name: string; target: Server }[] = [];
      const contestants: readonly Contestant[] = [GATEWAY, FETCH_PROXY, NGINX];
      for (const contestant of present(world, contestants)) {
        const target = await world.warm(
          contestant,
          (target) => transfer(target, WARM_UP_BYTES),
        );
        ready.push({ name: contestant.name, target });
      }
      const rows = await interleave(
        ready,
        ROUNDS,
        ({ target }) => timed(target, transfer),
      );
      const of = GATEWAY.name;
      return {
        quantity: RATE,
        rows,
        figures: [
          ...ratioOf("rate : fetch proxy", rows, {
            of,
            to: FETCH_PROXY.name,
            quantity: RATE,
          }),
          ...figureOf("memory growth", rows, [of, GROWTH]),
        ],
      };
    },
  };
}

/** Scenarios of single large bodies. */
export const TRANSFERS: readonly Scenario[] = [
  scenario("download", download),
  scenario("upload", upload),
];
