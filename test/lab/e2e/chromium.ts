/** Chromium for the matrix of dev servers, by Playwright. */
import { type Browser, chromium } from "playwright-core";
import { CHROMIUM_ARGUMENTS } from "./browser/programs.ts";

/**
 * Starts a headless browser with a temporary profile; `resolverRules` say which names it finds where.
 *
 * @throws {Error} if it cannot be started.
 */
export function launchChromium(
  executablePath: string,
  resolverRules: string,
): Promise<Browser> {
  const args = [
    ...CHROMIUM_ARGUMENTS,
    `--host-resolver-rules=${resolverRules}`,
  ];
  return chromium.launch({ executablePath, args, timeout: 20_000 });
}
