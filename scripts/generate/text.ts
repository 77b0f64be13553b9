/**
 * Replaces the lines between `<!-- name:start -->` and `<!-- name:end -->` by `content`.
 *
 * @throws {Error} unless there is exactly one such region.
 */
export function replaceRegion(
  text: string,
  name: string,
  content: string,
): string {
  const [before, rest, ...more] = text.split(`<!-- ${name}:start -->\n`);
  const [old, after, ...others] = rest?.split(`<!-- ${name}:end -->`) ?? [];
  if (
    before === undefined || old === undefined || after === undefined ||
    more.length > 0 || others.length > 0
  ) {
    throw new Error(
      `Cannot replace region '${name}': it must occur exactly once`,
    );
  }
  const lines = `\n${content.trim()}\n\n`;
  return `${before}<!-- ${name}:start -->\n${lines}<!-- ${name}:end -->${after}`;
}

/** The text as `deno fmt` formats it, so that the checks for formatting and for freshness agree. */
export async function formatted(
  text: string,
  extension: "ts" | "md" | "json" | "yaml",
): Promise<string> {
  // By name, not by path: that is how the permission sets grant it.
  const child = new Deno.Command("deno", {
    args: ["fmt", "--quiet", "--ext", extension, "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdin = child.stdin.getWriter();
  await stdin.write(new TextEncoder().encode(text));
  await stdin.close();
  const { success, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  return decoder.decode(stdout);
}
