/** What the system underneath offers: programs, processors, and the account of what a process used. */

/** Whether a program is there to be run. */
export async function isInstalled(program: string): Promise<boolean> {
  return await versionOf(program) !== undefined;
}

/** The first line that a program says of itself, undefined where it is not there. */
async function versionOf(
  program: string,
  flag = "--version",
): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await new Deno.Command(program, { args: [flag] })
      .output();
    const said = new TextDecoder().decode(stdout.length > 0 ? stdout : stderr);
    return said.trim().split("\n")[0] ?? "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Confines this process, and what it starts from now on, to one processor; false where the system cannot. */
export async function confineSelf(cpu: number): Promise<boolean> {
  if (navigator.hardwareConcurrency < 2 || !await isInstalled("taskset")) {
    return false;
  }
  const { success } = await new Deno.Command("taskset", {
    args: ["--all-tasks", "--cpu-list", "--pid", `${cpu}`, `${Deno.pid}`],
  }).output();
  return success;
}

/** Text of a file of /proc; undefined where there is no such thing. */
async function proc(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(`/proc/${path}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The processor time that a process has used so far, in milliseconds; undefined where there is no /proc. */
export async function cpuTimeMs(
  pid: number | undefined,
): Promise<number | undefined> {
  const stat = pid === undefined ? undefined : await proc(`${pid}/stat`);
  return stat === undefined ? undefined : parseCpuTimeMs(stat);
}

/** Linux counts a hundred ticks a second here, whatever its timer does. */
const TICK_MS = 10;

/** Adds utime and stime of proc_pid_stat(5), its 14th and 15th field; the second may hold blanks and parentheses. */
export function parseCpuTimeMs(stat: string): number {
  const fromThird = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fromThird[11]) + Number(fromThird[12])) * TICK_MS;
}

/** Resident memory of a process, in KiB. */
export interface Memory {
  readonly now: number;
  readonly peak: number;
}

/** The memory of a process; undefined where there is no /proc. */
export async function memoryOf(
  pid: number | undefined,
): Promise<Memory | undefined> {
  const status = pid === undefined ? undefined : await proc(`${pid}/status`);
  return status === undefined ? undefined : parseMemory(status);
}

/** Reads VmRSS and VmHWM of proc_pid_status(5). */
export function parseMemory(status: string): Memory {
  function field(name: string): number {
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]);
  }
  return { now: field("VmRSS"), peak: field("VmHWM") };
}

/** From now on the peak is that of what follows (proc_pid_clear_refs(5)). */
export async function resetPeak(pid: number | undefined): Promise<void> {
  if (pid === undefined) return;
  try {
    await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5", { create: false });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** How many files a process may have open; what Linux gives by default where it cannot be told. */
export async function openFilesLimit(): Promise<number> {
  const limits = await proc("self/limits") ?? "";
  return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? 1024);
}

/** What a figure depends on besides the program. */
export interface MachineDescription {
  readonly processor: string;
  readonly processors: number;
  readonly memoryGib: number;
  readonly system: string;
  /** Of the last minute, before the run; one busy program is 1. */
  readonly loadAverage: number;
  /** Programs by name. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Describes this machine. */
export async function describeMachine(): Promise<MachineDescription> {
  const model = /^model name\s*: (.*)$/m.exec(await proc("cpuinfo") ?? "");
  const versions: Record<string, string> = { deno: Deno.version.deno };
  const programs = [["nginx", "-v"], ["wrk", "-v"], [
    "redis-server",
    "--version",
  ]] as const;
  for (const [program, flag] of programs) {
    const said = await versionOf(program, flag);
    const version = /\d+\.\d+(?:\.\d+)?/.exec(said ?? "")?.[0];
    if (version !== undefined) versions[program] = version;
  }
  return {
    processor: model?.[1] ?? Deno.build.arch,
    processors: navigator.hardwareConcurrency,
    memoryGib: Math.round(Deno.systemMemoryInfo().total / 2 ** 30),
    system: `${Deno.build.os} ${Deno.osRelease()}`,
    loadAverage: Deno.loadavg()[0] ?? 0,
    versions,
  };
}
