/** Starts the engines that are installed on the machine; none is downloaded. */
import type { Engine, EngineName } from "./engine.ts";
import { type IsKnown, type Names, startNames } from "./names.ts";
import { findChromium, findFirefox } from "./programs.ts";
import { launchByPuppeteer } from "./puppeteer.ts";
import { findWebKit, launchWebKit } from "./webkit.ts";

/** The packages of Debian that have each engine. */
export const PACKAGES: Readonly<Record<EngineName, string>> = {
  chromium: "chromium",
  firefox: "firefox-esr",
  webkit: "webkit2gtk-driver xvfb",
};

/**
 * Starts an engine, which reaches `*.localhost` and the names that are known; undefined if it is not installed.
 *
 * @throws {Error} if it does not start.
 */
export async function startEngine(
  name: EngineName,
  isKnown: IsKnown = () => false,
): Promise<Engine | undefined> {
  const launch = await findEngine(name);
  if (launch === undefined) return undefined;
  await using started = new AsyncDisposableStack();
  const names = started.use(startNames(isKnown));
  const engine = started.use(await launch(names));
  const owned = started.move();
  return { ...engine, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function findEngine(
  name: EngineName,
): Promise<((names: Names) => Promise<Engine>) | undefined> {
  if (name === "webkit") {
    const programs = await findWebKit();
    return programs && ((names) => launchWebKit(programs, names));
  }
  const path = name === "chromium" ? await findChromium() : await findFirefox();
  return path === undefined
    ? undefined
    : (names) => launchByPuppeteer(name, path, names.port);
}
