import { z } from "zod";
import type { Artefact } from "./artefact.ts";
import { formatted } from "./text.ts";

/** The packages of a program, as `deno info --json` reports them. */
const graph = z.object({
  modules: z.array(z.object({ npmPackage: z.string().optional() })),
  npmPackages: z.record(
    z.string(),
    z.object({
      name: z.string(),
      version: z.string(),
      dependencies: z.array(z.string()),
      localPath: z.string(),
    }),
  ),
});

/** A part of a package.json; a package with `os` is the binary of another one, and is installed on that system only. */
const manifest = z.object({
  license: z.string(),
  os: z.array(z.string()).optional(),
});

async function readManifest(
  path: string,
): Promise<z.infer<typeof manifest> | undefined> {
  try {
    return manifest.parse(JSON.parse(await Deno.readTextFile(path)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A package that the gateway uses at run time. */
interface Package {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly licence: string;
}

/** The packages that `entry` imports, directly or indirectly, sorted by name. */
async function packagesOf(entry: string): Promise<Package[]> {
  const { stdout } = await new Deno.Command("deno", {
    args: ["info", "--json", entry],
    stderr: "null",
  }).output();
  const { modules, npmPackages } = graph.parse(
    JSON.parse(new TextDecoder().decode(stdout)),
  );
  const found = new Map<string, Package>();
  async function visit(id: string): Promise<void> {
    const known = npmPackages[id];
    if (known === undefined || found.has(id)) return;
    const { name, version, dependencies, localPath } = known;
    const read = await readManifest(`${localPath}/package.json`);
    if (read === undefined || read.os !== undefined) return;
    found.set(id, { name, version, licence: read.license });
    for (const dependency of dependencies) await visit(dependency);
  }
  for (const { npmPackage } of modules) {
    if (npmPackage !== undefined) await visit(npmPackage);
  }
  return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

/** The page of licences of the packages used at run time. */
export const licences: Artefact = {
  path: "docs/licences.md",
  async produce() {
    const packages = await packagesOf("src/main.ts");
    const rows = packages.map(({ name, version, licence }) =>
      `- ${name} ${version}: ${licence}`
    );
    return await formatted(
      [
        "# Licences",
        "",
        "The packages that `deno task start` uses, besides Deno itself (MIT). Those of tests and tools are not included. " +
        "This page is generated (`deno task gen`).",
        "",
        ...rows,
        "",
      ].join("\n"),
      "md",
    );
  },
};
