/** The machine: processors, versions of programs, and the resource usage of processes. */
import { isInstalled, versionOf } from "../../support/programs.ts";

/** Pins this process, and processes that it starts later, to one processor; returns false if that is not possible. */
export async function pinSelf(cpu: number): Promise<boolean> {
  if (navigator.hardwareConcurrency < 2 || !await isInstalled("taskset")) {
    return false;
  }
  const { success } = await new Deno.Command("taskset", {
    args: ["--all-tasks", "--cpu-list", "--pid", `${cpu}`, `${Deno.pid}`],
  }).output();
  return success;
}

/** The text of a file in /proc; undefined if it does not exist. */
async function proc(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(`/proc/${path}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** What a process has used so far. */
export interface Usage {
  /** Processor time, ms. */
  readonly cpuMs: number;
  /** Pages that it touched for the first time, and the kernel had to map: memory that is taken afresh. */
  readonly faults: number;
}

/** What a process has used so far; undefined without /proc. */
export async function usageOf(
  pid: number | undefined,
): Promise<Usage | undefined> {
  const stat = pid === undefined ? undefined : await proc(`${pid}/stat`);
  return stat === undefined ? undefined : parseUsage(stat);
}

/** Linux reports 100 ticks a second to user space, whatever the kernel's timer frequency. */
const TICK_MS = 10;

/** Reads minflt, utime and stime, fields 10, 14 and 15 of proc_pid_stat(5); field 2 may contain blanks and parentheses. */
export function parseUsage(stat: string): Usage {
  const fromThird = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    cpuMs: (Number(fromThird[11]) + Number(fromThird[12])) * TICK_MS,
    faults: Number(fromThird[7]),
  };
}

/**
 * The processor time that all threads of a process have used so far, in nanoseconds, for what takes less than many ticks;
 * undefined without /proc. A thread that has ended is missing from it.
 */
export async function cpuTimeNs(pid: number): Promise<number | undefined> {
  let sum = 0;
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    const stat = await proc(`${pid}/task/${name}/schedstat`);
    sum += Number(stat?.split(" ")[0] ?? NaN);
  }
  return Number.isNaN(sum) ? undefined : sum;
}

/** Resident memory of a process, in KiB. */
export interface Memory {
  readonly now: number;
  readonly peak: number;
}

/** The memory of a process; undefined without /proc. */
export async function memoryOf(
  pid: number | undefined,
): Promise<Memory | undefined> {
  const status = pid === undefined ? undefined : await proc(`${pid}/status`);
  return status === undefined ? undefined : parseMemory(status);
}

/** The memory of several processes together; undefined without /proc. */
export async function memoryOfAll(
  pids: readonly (number | undefined)[],
): Promise<Memory | undefined> {
  let [now, peak] = [0, 0];
  for (const pid of pids) {
    const memory = await memoryOf(pid);
    if (memory === undefined) return undefined;
    now += memory.now;
    peak += memory.peak;
  }
  return { now, peak };
}

/** Reads VmRSS and VmHWM of proc_pid_status(5). */
export function parseMemory(status: string): Memory {
  return {
    now: statusNumber(status, "VmRSS"),
    peak: statusNumber(status, "VmHWM"),
  };
}

/** The number after a name in proc_pid_status(5); NaN if it is not there. */
export function statusNumber(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
}

/** Resets the peak of resident memory to its current value (proc_pid_clear_refs(5)). */
export async function resetPeak(pid: number | undefined): Promise<void> {
  if (pid === undefined) return;
  try {
    await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5", { create: false });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A process has other files open anyway, and a connection takes one for either side of a proxy. */
const OTHER_FILES = 500;
const FILES_PER_CONNECTION = 2;

/** The connections that a proxy may have under the limit of open files; under Linux's default if it is unknown. */
export async function mostConnections(): Promise<number> {
  const limits = await proc("self/limits") ?? "";
  const files = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? 1024);
  return Math.floor((files - OTHER_FILES) / FILES_PER_CONNECTION);
}

/** The conditions that figures depend on. */
export interface MachineDescription {
  readonly processor: string;
  readonly processors: number;
  readonly memoryGib: number;
  readonly system: string;
  /** Over the last minute before the run. */
  readonly loadAverage: number;
  /** Programs by name. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Describes this machine. */
export async function describeMachine(): Promise<MachineDescription> {
  const model = /^model name\s*: (.*)$/m.exec(await proc("cpuinfo") ?? "");
  const versions: Record<string, string> = { deno: Deno.version.deno };
  const programs = [
    ["nginx", "-v"],
    ["caddy", "version"],
    ["go", "version"],
    ["haproxy", "-v"],
    ["wrk", "-v"],
    ["redis-server", "--version"],
  ] as const;
  for (const [program, flag] of programs) {
    const text = await versionOf(program, flag);
    const version = /\d+\.\d+(?:\.\d+)?/.exec(text ?? "")?.[0];
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
