/** The Chromium that is installed on the machine; none is downloaded. */
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** A domain on the Public Suffix List: browsers take no cookie for it, and each host below it for a site of its own. */
export const PUBLIC_SUFFIX = "co.uk";

/** A public suffix, which gateways of this machine can have as their base domain. */
const RESOLVER_RULES =
  `MAP ${PUBLIC_SUFFIX} 127.0.0.1, MAP *.${PUBLIC_SUFFIX} 127.0.0.1`;

/** Turns off features that a run on 127.0.0.1 must not depend on, and the browser's own background traffic. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The path of the executable: CHROMIUM_PATH, or the first of the usual names on PATH; undefined if there is none. */
export async function findChromium(): Promise<string | undefined> {
  const chosen = Deno.env.get("CHROMIUM_PATH");
  if (chosen !== undefined) return chosen;
  const folders = (Deno.env.get("PATH") ?? "").split(delimiter);
  for (const name of NAMES) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (await isFile(path)) return path;
    }
  }
  return undefined;
}

/**
 * Starts a headless browser with a temporary profile; `resolverRules` say which names it finds where.
 *
 * @throws {Error} if it cannot be started.
 */
export function launchChromium(
  executablePath: string,
  resolverRules = RESOLVER_RULES,
): Promise<Browser> {
  const args = [...ARGUMENTS, `--host-resolver-rules=${resolverRules}`];
  return chromium.launch({ executablePath, args, timeout: 20_000 });
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
