/** Chromium and Firefox, by one library: over DevTools and over WebDriver BiDi. */
import puppeteer, {
  type Browser,
  type BrowserContext,
  type ElementHandle,
  type Frame,
  type LaunchOptions,
  type Page,
} from "puppeteer-core";
import { endWithUs } from "./end_with_us.ts";
import type {
  Engine,
  EngineName,
  FrameDriver,
  Profile,
  ProfileOptions,
  TabDriver,
} from "./engine.ts";
import { CHROMIUM_ARGUMENTS } from "./programs.ts";

/** The time that a browser may take to start or to load a page, ms. */
const START_MS = 60_000;
const TIMEOUT_MS = 8000;

/** Network errors on the console are left to the scenario, which may expect them. */
const NETWORK_ERROR =
  /^(Failed to load resource|WebSocket connection to|Error: Firefox can’t establish a connection)/;

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
  const owned = new AsyncDisposableStack();
  async function launch(options: ProfileOptions = {}): Promise<Browser> {
    const browser = await puppeteer.launch({
      executablePath,
      headless: true,
      acceptInsecureCerts: true, // The certificates of tests are for other names.
      timeout: START_MS,
      protocolTimeout: START_MS,
      ...(name === "chromium"
        ? chromium(namesPort)
        : firefox(namesPort, options)),
    });
    const pid = browser.process()?.pid;
    if (pid !== undefined) owned.use(endWithUs(pid));
    return owned.use(browser);
  }
  const browser = await launch();
  return {
    name,
    async openProfile(options = {}) {
      // Firefox can turn these on or off for all profiles only.
      const needsOwn = name === "firefox" &&
        (options.javaScript === false || options.partitionsCookies === true);
      return await openProfile(
        name,
        needsOwn ? await launch(options) : browser,
        options,
      );
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function chromium(namesPort: number): LaunchOptions {
  return {
    browser: "chrome",
    args: [
      `--proxy-server=socks5://127.0.0.1:${namesPort}`,
      ...CHROMIUM_ARGUMENTS,
    ],
  };
}

/** What Firefox does with cookies of other sites: it keeps them, or each site's apart, as it does unless told otherwise. */
const COOKIES_KEPT = 0;
const COOKIES_PARTITIONED = 5;

function firefox(
  namesPort: number,
  { javaScript = true, partitionsCookies = false }: ProfileOptions,
): LaunchOptions {
  return {
    browser: "firefox",
    extraPrefsFirefox: {
      "javascript.enabled": javaScript,
      "network.cookie.cookieBehavior": partitionsCookies
        ? COOKIES_PARTITIONED
        : COOKIES_KEPT,
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
  name: EngineName,
  browser: Browser,
  options: ProfileOptions,
): Promise<Profile> {
  const { downloads: downloadPath } = options;
  const context = await browser.createBrowserContext(
    downloadPath === undefined
      ? {}
      : { downloadBehavior: { policy: "allow", downloadPath } },
  );
  const faults: string[] = [];
  return {
    faults,
    async newTab() {
      const page = await context.newPage();
      page.setDefaultTimeout(TIMEOUT_MS);
      collectFaults(page, faults);
      await applyOptions(page, name, options);
      return createTab(page);
    },
    tabs: async () => (await context.pages()).map(createTab),
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
  function collect(text: string): void {
    if (!NETWORK_ERROR.test(text)) faults.push(text);
  }
  // Firefox writes here what Chromium writes to the console.
  page.on("pageerror", (error) => collect(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") collect(message.text());
  });
}

async function applyOptions(
  page: Page,
  name: EngineName,
  { window, javaScript = true, colorScheme, isPerson, headers }: ProfileOptions,
): Promise<void> {
  if (headers !== undefined) await page.setExtraHTTPHeaders({ ...headers });
  if (isPerson === true && name === "chromium") {
    const userAgent = await page.browser().userAgent();
    await page.setUserAgent({ userAgent: userAgent.replace("Headless", "") });
  }
  if (window !== undefined) await page.setViewport(window);
  if (!javaScript && name === "chromium") {
    await page.setJavaScriptEnabled(false);
  }
  if (colorScheme !== undefined && name === "chromium") {
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
    id: page,
    async goto(url) {
      await page.goto(url, { timeout: TIMEOUT_MS });
    },
    async reload() {
      await page.reload({ timeout: TIMEOUT_MS });
    },
    async press(key) {
      await page.bringToFront();
      await page.keyboard.press(key);
    },
    async typeAt(x, y, text) {
      await page.bringToFront();
      await page.mouse.click(x, y);
      await page.keyboard.type(text);
    },
    async screenshot(path) {
      await page.screenshot({ path, fullPage: true });
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
    frames: () =>
      Promise.resolve(
        frame().childFrames().map((child) => createFrame(() => child)),
      ),
  };
}
