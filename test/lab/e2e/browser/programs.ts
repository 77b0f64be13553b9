/** The browsers that are installed on the machine; none is downloaded. */
import { delimiter, join } from "node:path";

/** The path of the first of these programs that is on PATH; undefined if there is none. */
export async function findProgram(
  ...names: readonly string[]
): Promise<string | undefined> {
  const folders = (Deno.env.get("PATH") ?? "").split(delimiter);
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (await isFile(path)) return path;
    }
  }
  return undefined;
}

/** Turns off features of Chromium that a run on 127.0.0.1 must not depend on, and its own background traffic. */
export const CHROMIUM_ARGUMENTS: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The path of Chromium: CHROMIUM_PATH, or where it is on PATH; undefined if it is not installed. */
export async function findChromium(): Promise<string | undefined> {
  return Deno.env.get("CHROMIUM_PATH") ??
    await findProgram("chromium", "chromium-browser", "google-chrome");
}

/** The path of Firefox: FIREFOX_PATH, or where it is on PATH; undefined if it is not installed. */
export async function findFirefox(): Promise<string | undefined> {
  return Deno.env.get("FIREFOX_PATH") ??
    await findProgram("firefox-esr", "firefox");
}

/** True if a path is a file, or a link to one. */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
