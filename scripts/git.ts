/**
 * What git prints of this repository.
 *
 * @throws {Error} with what it complains of, if it fails
 */
export async function git(...args: string[]): Promise<string> {
  const cwd = new URL("../", import.meta.url);
  const command = new Deno.Command("git", { args, cwd });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  return decoder.decode(stdout);
}
