/** `deno task bench --profile NAME`: where the gateway spends its time under the load of one scenario. */
import { freePort } from "../../support/free_port.ts";
import { gateway, type GatewayVariant } from "./contestants.ts";
import {
  type CpuProfile,
  type Share,
  summarizeProfile,
} from "./cpu_profile.ts";
import { connectProfiler } from "./devtools.ts";
import { CPU, type Drive, metered } from "./drive.ts";
import type { World } from "./world.ts";

const WARM_UP_SEC = 10;
const PROFILE_SEC = 6;
const LINES = 25;

/** A profile, and the cost of a request without the profiler. */
export interface Profiled {
  readonly profile: CpuProfile;
  /** Processor time of all threads per request or message, microseconds; undefined without /proc. */
  readonly cpuMicros: number | undefined;
}

/** Drives one gateway to measure its processor time, and another one, with the profiler attached, for the profile. */
export async function takeProfile(
  world: World,
  drive: Drive,
  variant: GatewayVariant = {},
): Promise<Profiled> {
  const plain = gateway(variant);
  const server = await world.warm(plain, drive);
  const { [CPU]: cpuMicros } = await metered(server, PROFILE_SEC, drive);
  await world.end([plain]);

  const port = freePort();
  const flags = [...variant.flags ?? [], `--inspect=127.0.0.1:${port}`];
  await using inspected = await gateway({ ...variant, flags }).start(world);
  await drive(inspected, WARM_UP_SEC);
  using profiler = await connectProfiler(port);
  await profiler.start();
  await drive(inspected, PROFILE_SEC);
  return { profile: await profiler.stop(), cpuMicros };
}

/** Formats the shares of a profile as lines, with microseconds per request if known. */
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
      : `${
        cpuMicros.toFixed(1)
      } µs of processor time each, without the profiler\n`,
    ...section("By layer", categories),
    ...section(
      "By function of the gateway, including calls to other code",
      own,
    ),
    ...section("By function, self time", functions),
  ].join("");
}
