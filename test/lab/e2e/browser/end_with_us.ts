/** Ends the processes of browsers even if a run is cut off, as by its time limit. */

const pids = new Set<number>();

addEventListener("unload", () => {
  for (const pid of pids) kill(pid);
});

/** Has a process end with this one, unless it is disposed of before: then the process has ended. */
export function endWithUs(pid: number): Disposable {
  pids.add(pid);
  return {
    [Symbol.dispose]() {
      pids.delete(pid);
    },
  };
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
