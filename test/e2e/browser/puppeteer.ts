/** Chromium and Firefox, by one library: over DevTools and over WebDriver BiDi. */
import puppeteer, {
  type Browser,
  type BrowserContext,
  type ElementHandle,
  type Frame,
  type LaunchOptions,
  type Page,
} from "puppeteer-core";
import type {
  Engine,
  FrameDriver,
  Profile,
  ProfileOptions,
  TabDriver,
} from "./engine.ts";

/** The time that a browser may take to start or to load a page, ms. */
const START_MS = 30_000;
const TIMEOUT_MS = 8000;

/** Network errors on the console are left to the scenario, which may expect them. */
const NETWORK_ERROR = /^(Failed to load resource|WebSocket connection to)/;

/**
 * Starts one of them headless, with temporary profiles. It reaches `*.localhost`, and what the SOCKS proxy on
 * `namesPort` knows.
 *
 * @throws {Error} if it cannot be started.
 */
export async function launchByPuppeteer(
  name: "chromium" | "firefox",
  executablePath: string,
  namesPort: number,
): Promise<Engine> {
  const browser = await puppeteer.launch({
    executablePath,
    headless: true,
    acceptInsecureCerts: true, // The certificates of tests are for other names.
    timeout: START_MS,
    protocolTimeout: START_MS,
    ...(name === "chromium" ? chromium(namesPort) : firefox(namesPort)),
  });
  return {
    name,
    openProfile: (options) => openProfile(browser, options),
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

/** Without what a run on 127.0.0.1 must not depend on, and without the browser's own background traffic. */
function chromium(namesPort: number): LaunchOptions {
  return {
    browser: "chrome",
    args: [
      `--proxy-server=socks5://127.0.0.1:${namesPort}`,
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  };
}

function firefox(namesPort: number): LaunchOptions {
  return {
    browser: "firefox",
    extraPrefsFirefox: {
      "network.proxy.type": 1,
      "network.proxy.socks": "127.0.0.1",
      "network.proxy.socks_port": namesPort,
      "network.proxy.socks_version": 5,
      "network.proxy.socks5_remote_dns": true,
      "network.proxy.socks_remote_dns": true,
      // Pages of a test open windows without a click.
      "dom.disable_open_during_load": false,
    },
  };
}

async function openProfile(
  browser: Browser,
  options: ProfileOptions = {},
): Promise<Profile> {
  const context = await browser.createBrowserContext();
  const faults: string[] = [];
  const known = new Map<Page, TabDriver>();
  function tabOf(page: Page): TabDriver {
    const tab = known.get(page) ?? createTab(page);
    known.set(page, tab);
    return tab;
  }
  return {
    faults,
    async newTab() {
      const page = await context.newPage();
      page.setDefaultTimeout(TIMEOUT_MS);
      collectFaults(page, faults);
      await applyOptions(page, options);
      return tabOf(page);
    },
    tabs: async () => (await context.pages()).map(tabOf),
    cookies: (url) => cookiesFor(context, url),
    async deleteCookies(url, condition = () => true) {
      await context.deleteCookie(
        ...(await cookiesFor(context, url)).filter(condition),
      );
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}

function collectFaults(page: Page, faults: string[]): void {
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !NETWORK_ERROR.test(text)) {
      faults.push(text);
    }
  });
}

async function applyOptions(
  page: Page,
  { window, colorScheme }: ProfileOptions,
): Promise<void> {
  if (window !== undefined) await page.setViewport(window);
  if (colorScheme !== undefined) {
    await page.emulateMediaFeatures([
      { name: "prefers-color-scheme", value: colorScheme },
    ]);
  }
}

async function cookiesFor(context: BrowserContext, url: string) {
  const { hostname, pathname, protocol } = new URL(url);
  return (await context.cookies()).filter(
    (cookie) =>
      (cookie.domain === hostname ||
        (cookie.domain.startsWith(".") &&
          `.${hostname}`.endsWith(cookie.domain))) &&
      `${pathname}/`.startsWith(cookie.path.replace(/\/?$/, "/")) &&
      (!cookie.secure || protocol === "https:"),
  );
}

function createTab(page: Page): TabDriver {
  return {
    ...createFrame(() => page.mainFrame()),
    async goto(url) {
      await page.goto(url, { timeout: TIMEOUT_MS });
    },
    async reload() {
      await page.reload({ timeout: TIMEOUT_MS });
    },
    async screenshot(path) {
      await page.screenshot({ path: `${path}.png`, fullPage: true });
    },
    close: () => page.close(),
  };
}

function createFrame(frame: () => Frame): FrameDriver {
  async function withElement(
    element: string,
    use: (handle: ElementHandle) => Promise<void>,
  ): Promise<void> {
    using handle = await frame().evaluateHandle(element);
    const found = handle.asElement() as ElementHandle | null;
    if (found === null) throw new Error(`No element: ${element}`);
    // Tabs behind another one take no clicks.
    await frame().page().bringToFront();
    await use(found);
  }
  return {
    evaluate: (expression) => frame().evaluate(expression),
    click: (element) => withElement(element, (found) => found.click()),
    press: (element, key) => withElement(element, (found) => found.press(key)),
    frames: () =>
      Promise.resolve(
        frame().childFrames().map((child) => createFrame(() => child)),
      ),
  };
}
