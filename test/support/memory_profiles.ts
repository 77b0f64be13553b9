/** The settings that operators get for a container's memory. */
import { parse } from "yaml";
import { z } from "zod";

/** The settings for containers of one size. */
export interface MemoryProfile {
  readonly mib: number;
  readonly settings: Readonly<Record<string, string>>;
}

const FOLDER = new URL(
  "../../scripts/deploy/kubernetes/components/",
  import.meta.url,
);

const component = z.object({
  configMapGenerator: z.tuple([z.object({ literals: z.array(z.string()) })]),
});

/** What the components for Kubernetes set, by size, the smallest first. */
export async function memoryProfiles(): Promise<readonly MemoryProfile[]> {
  const profiles: MemoryProfile[] = [];
  for await (const { name } of Deno.readDir(FOLDER)) {
    const [, mib] = /^memory-(\d+)$/.exec(name) ?? [];
    if (mib === undefined) continue;
    const file = new URL(`${name}/kustomization.yaml`, FOLDER);
    const { configMapGenerator: [{ literals }] } = component.parse(
      parse(await Deno.readTextFile(file)),
    );
    const settings = literals.map((line) => /^(\w+)=(.*)$/.exec(line))
      .map((match) => match?.slice(1, 3) ?? []);
    profiles.push({ mib: Number(mib), settings: Object.fromEntries(settings) });
  }
  return profiles.sort((one, other) => one.mib - other.mib);
}
