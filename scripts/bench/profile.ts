/** `deno task bench --profile NAME`: where the gateway's time goes under the load of one scenario. */
import { freePort } from "../../test/support/free_port.ts";
import { GATEWAY, gateway } from "./contestants.ts";
import {
  type CpuProfile,
  type Share,
  summarizeProfile,
} from "./cpu_profile.ts";
import { connectProfiler } from "./devtools.ts";
import { type Drive, metered } from "./drive.ts";
import { CPU } from "./scenario.ts";
import type { World } from "./world.ts";

const WARM_UP_SEC = 10;
const PROFILE_SEC = 6;
const LINES = 25;

/** A profile, and what one request took when none was taken. */
export interface Profiled {
  readonly profile: CpuProfile;
  /** Of all threads; undefined where the system does not tell. */
  readonly cpuMicros: number | undefined;
}

/** Drives one gateway to see what it takes, and another one, which is being inspected, to see what for. */
export async function takeProfile(
  world: World,
  drive: Drive,
): Promise<Profiled> {
  const target = await world.warm(GATEWAY, drive);
  const { [CPU]: cpuMicros } = await metered(target, PROFILE_SEC, drive);
  await world.end([GATEWAY]);

  const port = freePort();
  const flags = [`--inspect=127.0.0.1:${port}`];
  await using inspected = await gateway({ flags }).start(world);
  await drive(inspected, WARM_UP_SEC);
  using profiler = await connectProfiler(port);
  await profiler.start();
  await drive(inspected, PROFILE_SEC);
  return { profile: await profiler.stop(), cpuMicros };
}

/** The shares of a profile as lines, in microseconds a request where those are known. */
export function formatProfile({ profile, cpuMicros }: Profiled): string {
  function section(title: string, shares: readonly Share[]): string[] {
    return [
      `\n${title}\n`,
      ...shares.slice(0, LINES).map(({ name, share }) => {
        const percent = `${(share * 100).toFixed(1)} %`.padStart(8);
        const micros = cpuMicros === undefined
          ? ""
          : `${(share * cpuMicros).toFixed(2)} µs`.padStart(10);
        return `${percent}${micros}  ${name}\n`;
      }),
    ];
  }
  const { categories, own, functions } = summarizeProfile(profile);
  return [
    cpuMicros === undefined
      ? ""
      : `${cpuMicros.toFixed(1)} µs of processor time each, not inspected\n`,
    ...section("By layer", categories),
    ...section("By the gateway's functions, with what they call", own),
    ...section("By function, in itself", functions),
  ].join("");
}
