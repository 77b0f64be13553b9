/** Fetches dev servers: packages of npm into a folder outside the repository, packages of Debian onto the machine. */
import { join } from "node:path";
import type { DebianPackages, DevServer, NpmPackages } from "./dev_server.ts";

/** Where the projects and their packages are kept: XDG_CACHE_HOME/porthole-dev-servers. */
export function cacheFolder(): string {
  const home = Deno.env.get("XDG_CACHE_HOME") ??
    join(Deno.env.get("HOME") ?? "/tmp", ".cache");
  return join(home, "porthole-dev-servers");
}

/** A dev server that is installed. */
export interface Installed {
  readonly version: string;
  /** The project's folder: its packages, and nothing else yet. */
  readonly folder: string;
  /** The PATH of its programs. */
  readonly path: string;
}

/** The packages cannot be had on this machine, which says nothing about the gateway. */
export class NotToBeHad extends Error {}

/** A Node that all dev servers run on, for those that do not run on the machine's own. */
const NEW_NODE: NpmPackages = { npm: { node: "24.21.0" }, scripts: true };

/** What npm says if it cannot reach its registry. */
const NO_REGISTRY =
  /\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENETUNREACH|E5\d\d)\b/;

/**
 * Installs a dev server unless it is installed.
 *
 * @throws {NotToBeHad} if its packages cannot be fetched.
 * @throws {Error} if they cannot be installed.
 */
export async function install(
  { name, packages }: DevServer,
): Promise<Installed> {
  const folder = join(cacheFolder(), name);
  const path = Deno.env.get("PATH") ?? "";
  if (!("npm" in packages)) {
    await Deno.mkdir(folder, { recursive: true });
    const version = await installDebian(packages.debian);
    return { version, folder, path: `/usr/bin:${path}` };
  }
  if (packages.debian !== undefined) await installDebian(packages.debian);
  const [first = ""] = Object.keys(packages.npm);
  const programs = [path];
  if (packages.newNode) {
    const node = join(cacheFolder(), "node");
    await installNpm(node, NEW_NODE, path);
    programs.unshift(join(node, "node_modules/.bin"));
  }
  await installNpm(folder, packages, programs.join(":"));
  programs.unshift(join(folder, "node_modules/.bin"));
  return {
    version: await npmVersion(folder, packages.main ?? first),
    folder,
    path: programs.join(":"),
  };
}

/** This process's variables with another PATH, and without those by which an npm around it tells its version. */
export function environment(path: string): Record<string, string> {
  const kept = Object.entries(Deno.env.toObject())
    .filter(([name]) => !name.startsWith("npm_"));
  return { ...Object.fromEntries(kept), PATH: path };
}

/** Removes all files of a project but its packages, and writes these. */
export async function writeProject(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (["node_modules", "package.json", "package-lock.json"].includes(name)) {
      continue;
    }
    await Deno.remove(join(folder, name), { recursive: true });
  }
  for (const [file, text] of Object.entries(files)) {
    const path = join(folder, file);
    await Deno.mkdir(join(path, ".."), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
}

async function installNpm(
  folder: string,
  { npm, module, scripts, within = [] }: NpmPackages,
  path: string,
): Promise<void> {
  const manifest = JSON.stringify({
    private: true,
    ...module && { type: "module" },
    dependencies: npm,
  });
  const mark = join(folder, "node_modules/.installed");
  if (await textOf(mark) === manifest) return;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "package.json"), manifest);
  const flags = ["--no-audit", "--no-fund", "--loglevel=error"];
  flags.push("--fetch-retries=1", "--fetch-retry-mintimeout=1000");
  if (!scripts) flags.push("--ignore-scripts");
  for (const inner of ["", ...within]) {
    await run("npm", ["install", "--omit=dev", ...flags], {
      cwd: join(folder, inner),
      clearEnv: true,
      env: environment(path),
    });
  }
  await Deno.writeTextFile(mark, manifest);
}

async function npmVersion(folder: string, name: string): Promise<string> {
  const file = join(folder, "node_modules", name, "package.json");
  return JSON.parse(await Deno.readTextFile(file)).version;
}

/** Returns the version of the first package, as its authors write it. */
async function installDebian(
  packages: DebianPackages["debian"],
): Promise<string> {
  const [first] = packages;
  if (await debianVersion(packages) === undefined) {
    if (Deno.uid() !== 0) {
      throw new NotToBeHad(`apt-get install ${packages.join(" ")}`);
    }
    await run("apt-get", [
      ...["install", "--yes", "-qq", "--no-install-recommends"],
      ...packages,
    ], { env: { DEBIAN_FRONTEND: "noninteractive" } });
  }
  const version = await debianVersion([first]) ?? "";
  return version.replace(/^\d+:/, "").replace(/[-+].*$/, "");
}

/** The version of the last of these packages; undefined unless all are installed. */
async function debianVersion(
  packages: readonly string[],
): Promise<string | undefined> {
  const versions = (await run("dpkg-query", [
    "--show",
    "--showformat=${db:Status-Status} ${Version}\n",
    ...packages,
  ]).catch(() => "")).trim().split("\n")
    .filter((line) => line.startsWith("installed "));
  return versions.length === packages.length
    ? versions.at(-1)?.split(" ")[1]
    : undefined;
}

/** Runs a program to its end, and returns what it prints. */
async function run(
  program: string,
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "clearEnv" | "cwd" | "env"> = {},
): Promise<string> {
  const decoder = new TextDecoder();
  const { success, stdout, stderr } = await output(program, args, options);
  if (success) return decoder.decode(stdout);
  const complaint = decoder.decode(stderr) + decoder.decode(stdout);
  if (NO_REGISTRY.test(complaint)) {
    throw new NotToBeHad(`${program} cannot reach its registry`);
  }
  throw new Error(`${program} ${args.join(" ")}: ${complaint}`);
}

async function output(
  program: string,
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "clearEnv" | "cwd" | "env">,
): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command(program, { args: [...args], ...options })
      .output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new NotToBeHad(`${program} is not installed`);
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
