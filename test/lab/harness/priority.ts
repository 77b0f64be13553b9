/**
 * Lets a gateway and its visitors go first: attackers are on other machines, and take no processor from it. Linux has a
 * priority for each thread, so the one that observes keeps its own.
 */

const LOWER = 10;

/** Sets the priority of threads; without permission to raise it, or without the program, figures are worse. */
async function renice(
  priority: number,
  threads: readonly string[],
): Promise<void> {
  await new Deno.Command("renice", {
    args: ["-n", `${priority}`, "-p", ...threads],
    stdout: "null",
    stderr: "null",
  }).output().catch(() => {});
}

/** The calling thread's id: an asynchronous call would be another thread's. */
function threadId(): string {
  return Deno.readLinkSync("/proc/thread-self").split("/").at(-1) ?? "";
}

/** Lowers the priority of this thread, and so of processes that it starts from now on. */
export async function stepBack(): Promise<void> {
  await renice(LOWER, [threadId()]);
}

/** Gives a process that was started since the usual priority. */
export async function letGoFirst(pid: number): Promise<void> {
  const threads = await Array.fromAsync(Deno.readDir(`/proc/${pid}/task`));
  await renice(0, threads.map(({ name }) => name));
}
