/** The type checker, for files that others describe by types. */

/** What the type checker has against a module; empty if nothing. It may import what deno.json names. */
export async function typeErrors(source: string): Promise<string> {
  // From standard input, since the checker skips every folder that tests may write to.
  const child = new Deno.Command("deno", {
    args: ["run", "--check", "--quiet", "--no-prompt", "-"],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stderr: "piped",
  }).spawn();
  const [{ code, stderr }] = await Promise.all([
    child.output(),
    new Blob([source]).stream().pipeTo(child.stdin),
  ]);
  return code === 0 ? "" : new TextDecoder().decode(stderr);
}
