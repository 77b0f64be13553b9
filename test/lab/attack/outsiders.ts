/**
 * The processors' time that others on the machine take: latencies are judged, so a trial beside something else says
 * nothing. Linux tells it of all processes together, and of each one; interrupts are nobody's.
 */

/** What `/proc/<pid>/stat` says of a process; its times are in ticks of 10 ms. */
export interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  /** Its own, and those of its children that it has waited for. */
  readonly ticks: number;
}

/** Time that was taken since the machine has started, ticks. */
export interface TakenTime {
  readonly byAll: number;
  readonly byOurs: number;
  /** Busy or not, of all processors. */
  readonly total: number;
}

/** The largest share of the processors that others may take during a trial that counts. */
export const MOST_OF_OTHERS = 0.05;

/** Reads a process's line, whose name may contain anything; undefined if it is none. */
export function timesOf(line: string): ProcessTimes | undefined {
  const [, pid, rest] = /^(\d+) \(.*\) (.*)$/s.exec(line) ?? [];
  if (pid === undefined || rest === undefined) return undefined;
  const fields = rest.trim().split(" ");
  // proc(5): the state is the first one here, the parent the second, and the four times are the 12th to the 15th.
  const ticks = fields.slice(11, 15).reduce((sum, each) => sum + +each, 0);
  return { pid: Number(pid), parent: Number(fields[1]), ticks };
}

/** The time of a process and of all that it has started, ticks. */
export function ticksOfTree(
  root: number,
  processes: readonly ProcessTimes[],
): number {
  const children = Map.groupBy(processes, ({ parent }) => parent);
  const own = processes.find(({ pid }) => pid === root)?.ticks ?? 0;
  return (children.get(root) ?? [])
    .reduce((sum, { pid }) => sum + ticksOfTree(pid, processes), own);
}

/** The share of the processors that others took between two looks, from 0 to 1. */
export function shareOfOthers(before: TakenTime, after: TakenTime): number {
  const all = after.byAll - before.byAll;
  const ours = after.byOurs - before.byOurs;
  return Math.max(0, all - ours) / Math.max(1, after.total - before.total);
}

/** What all processes, and this one with those that it has started, have taken so far. */
export async function takenTime(): Promise<TakenTime> {
  const text = await Deno.readTextFile("/proc/stat");
  const [line = ""] = text.split("\n");
  const times = line.split(/\s+/).slice(1, 9).map(Number);
  const [user = 0, nice = 0, system = 0] = times;
  const processes: ProcessTimes[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
    const process = timesOf(stat);
    if (process !== undefined) processes.push(process);
  }
  return {
    byAll: user + nice + system,
    byOurs: ticksOfTree(Deno.pid, processes),
    total: times.reduce((sum, each) => sum + each, 0),
  };
}
