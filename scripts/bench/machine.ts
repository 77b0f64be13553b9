/** What the system underneath offers: programs, processors, and the account of what a process used. */

/** Whether a program is there to be run. */
export async function isInstalled(program: string): Promise<boolean> {
  try {
    await new Deno.Command(program, { args: ["--version"] }).output();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
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

/** The processor time that a process has used so far, in milliseconds; undefined where there is no /proc. */
export async function cpuTimeMs(pid: number): Promise<number | undefined> {
  try {
    return parseCpuTimeMs(await Deno.readTextFile(`/proc/${pid}/stat`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Linux counts a hundred ticks a second here, whatever its timer does. */
const TICK_MS = 10;

/** Adds utime and stime of proc_pid_stat(5), its 14th and 15th field; the second may hold blanks and parentheses. */
export function parseCpuTimeMs(stat: string): number {
  const fromThird = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fromThird[11]) + Number(fromThird[12])) * TICK_MS;
}
