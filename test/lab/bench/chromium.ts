/** Chromium, loading a page as somebody does who has never seen it. */
import puppeteer, { type Browser } from "puppeteer-core";
import { endWithUs } from "../e2e/browser/end_with_us.ts";
import { CHROMIUM_ARGUMENTS, findChromium } from "../e2e/browser/programs.ts";

/** The times of a load, ms since the navigation began. */
export interface PageLoad {
  /** When the page's `load` event had been handled. */
  readonly loadedMs: number;
  /** What the page's own `interactive` promise has resolved to. */
  readonly interactiveMs: number;
  /** Files that came, the page itself included. */
  readonly files: number;
  /** The protocols they came by: `http/1.1` or `h2`. */
  readonly protocols: readonly string[];
}

/** A browser; disposing of it ends all of its processes. */
export interface Chromium extends AsyncDisposable {
  /** Loads a page with a new profile: nothing is cached, and no connection is open. */
  load(url: string): Promise<PageLoad>;
}

/** The time that Chromium may take to start or to load, ms. */
const TIMEOUT_MS = 30_000;

/** Starts it, without window; undefined if it is not installed. It finds `*.localhost` by itself. */
export async function startChromium(): Promise<Chromium | undefined> {
  const executablePath = await findChromium();
  if (executablePath === undefined) return undefined;
  const owned = new AsyncDisposableStack();
  const browser = owned.use(
    await puppeteer.launch({
      browser: "chrome",
      executablePath,
      headless: true,
      acceptInsecureCerts: true, // The certificates of tests are for other names.
      timeout: TIMEOUT_MS,
      args: [...CHROMIUM_ARGUMENTS],
    }),
  );
  const pid = browser.process()?.pid;
  if (pid !== undefined) owned.use(endWithUs(pid));
  return {
    load: (url) => load(browser, url),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function load(browser: Browser, url: string): Promise<PageLoad> {
  const context = await browser.createBrowserContext();
  try {
    const page = await context.newPage();
    await page.goto(url, { waitUntil: "load", timeout: TIMEOUT_MS });
    return await page.evaluate(TIMES) as PageLoad;
  } finally {
    await context.close();
  }
}

/** Evaluated in the page. The `load` event is still being handled when the first scripts hear of it. */
const TIMES = `(async () => {
  const interactiveMs = await globalThis.interactive;
  const [navigation] = performance.getEntriesByType("navigation");
  while (navigation.loadEventEnd === 0) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const entries = [navigation, ...performance.getEntriesByType("resource")];
  return {
    loadedMs: navigation.loadEventEnd,
    interactiveMs,
    files: entries.filter(({ responseStatus }) => responseStatus === 200).length,
    protocols: [...new Set(entries.map((entry) => entry.nextHopProtocol))],
  };
})()`;
