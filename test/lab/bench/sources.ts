/** Other commits of this repository: their source in folders of its own, and the changes that lie between two. */

/** A commit, with its source in a folder. */
export interface CheckedOut extends AsyncDisposable {
  readonly folder: URL;
}

/** A commit on the way from one to another. */
export interface Landing {
  readonly commit: string;
  readonly subject: string;
}

/** True if a commit is in this clone, which may be a shallow one. */
export async function isKnown(commit: string): Promise<boolean> {
  const { success } = await run("cat-file", "-e", `${commit}^{commit}`);
  return success;
}

/**
 * The source of a commit in a folder of its own, until it is disposed of.
 *
 * @throws {Error} with what git says
 */
export async function checkOut(commit: string): Promise<CheckedOut> {
  const path = await Deno.makeTempDir({ prefix: "porthole-against-" });
  await git("worktree", "add", "--detach", "--force", path, commit);
  return {
    folder: new URL(`file://${path}/`),
    [Symbol.asyncDispose]: async () => {
      await run("worktree", "remove", "--force", path); // if it has not been done before
    },
  };
}

/** What has landed between two commits and touches the gateway, a merge as a whole, oldest first. */
export async function landings(
  from: string,
  to: string,
): Promise<Landing[]> {
  const lines = await git(
    ...["log", "--first-parent", "--reverse", "--format=%h %s"],
    ...[`${from}..${to}`, "--", ":/src"],
  );
  return lines.split("\n").filter((line) => line !== "").map((line) => {
    const [commit = "", ...words] = line.split(" ");
    return { commit, subject: words.join(" ") };
  });
}

/** Every n-th of a list, counted from its end, which is always one of them. */
export function everyNth<T>(list: readonly T[], n: number): T[] {
  return list.filter((_, index) => (list.length - 1 - index) % n === 0);
}

async function git(...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await run(...args);
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
  return new TextDecoder().decode(stdout);
}

function run(...args: readonly string[]): Promise<Deno.CommandOutput> {
  const cwd = new URL("./", import.meta.url);
  return new Deno.Command("git", { args: [...args], cwd }).output();
}
