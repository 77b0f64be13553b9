/** Deno in the version of Deno Deploy, where a test can have it. */
import { isInstalled } from "./programs.ts";

/** What Deploy's documentation says of its runtime. */
const VERSION = "2.5.0";

/** A copy: in the cache of npx, what is called `deno` is a script, which passes no signals on. */
const PATH = `./data/test/deno-${VERSION}`;

const COPY = `
  const [path] = Deno.args;
  if (await Deno.stat(path).catch(() => undefined) === undefined) {
    const part = path + "." + Deno.pid;
    await Deno.mkdir("./data/test", { recursive: true });
    await Deno.copyFile(Deno.execPath(), part);
    await Deno.rename(part, path);
  }`;

/** A program, or the reason why there is none. */
export type PlatformDeno =
  | { readonly path: string; readonly absence?: undefined }
  | { readonly path?: undefined; readonly absence: string };

/** Takes it from the cache of npx, which `npx -y deno@2.5.0 --version` fills; asks no registry. */
export async function platformDeno(): Promise<PlatformDeno> {
  for (const command of ["npx", PATH]) {
    const { state } = await Deno.permissions.query({ name: "run", command });
    if (state !== "granted") {
      return { absence: `no permission to run ${command}` };
    }
  }
  if (!await isInstalled("npx")) return { absence: "no npx on this machine" };
  const deno = ["--offline", "-y", `deno@${VERSION}`];
  const { success } = await new Deno.Command("npx", {
    args: [...deno, "eval", COPY, PATH],
    stdout: "null",
    stderr: "null",
  }).output();
  return success ? { path: PATH } : { absence: `npx has no deno@${VERSION}` };
}
