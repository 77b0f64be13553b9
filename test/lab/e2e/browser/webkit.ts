/** WebKitGTK: its own driver, and its small browser on a display that nobody sees. */
import { join } from "node:path";
import { freePort } from "../../../support/free_port.ts";
import { startServerProcess } from "../../../support/server_process.ts";
import { startDisplay } from "./display.ts";
import { endWithUs } from "./end_with_us.ts";
import type {
  BrowserCookie,
  Engine,
  Profile,
  ProfileOptions,
} from "./engine.ts";
import { type Mirror, startMirror } from "./mirror.ts";
import type { Names } from "./names.ts";
import { findProgram, isFile } from "./programs.ts";
import { startSession, type WebDriver } from "./webdriver.ts";
import { Tabs } from "./webdriver_tabs.ts";

/** The paths of its programs. */
export interface WebKitPrograms {
  readonly driver: string;
  readonly browser: string;
  readonly display: string;
}

/** Where Debian and Fedora have the browser, which is not on PATH. */
const BROWSERS = [
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/usr/libexec",
]
  .map((folder) => `${folder}/webkit2gtk-4.1/MiniBrowser`);

/** The time that it may take to start or to load a page, ms. */
const START_MS = 30_000;
const TIMEOUT_MS = 8000;

/** Finds its programs; undefined if one is missing. */
export async function findWebKit(): Promise<WebKitPrograms | undefined> {
  const driver = await findProgram("WebKitWebDriver");
  const display = await findProgram("Xvfb");
  let browser: string | undefined;
  for (const path of BROWSERS) if (await isFile(path)) browser ??= path;
  return driver === undefined || display === undefined || browser === undefined
    ? undefined
    : { driver, browser, display };
}

/**
 * Starts it. Each profile is a browser of its own. It reaches `*.localhost`, and what `names` knows.
 *
 * @throws {Error} if the display does not start.
 */
export async function launchWebKit(
  programs: WebKitPrograms,
  names: Names,
): Promise<Engine> {
  await using started = new AsyncDisposableStack();
  const display = started.use(await startDisplay(programs.display));
  const mirror = started.use(startMirror(names));
  const owned = started.move();
  return {
    name: "webkit",
    openProfile: (options) =>
      openProfile({ programs, display: display.name, names, mirror }, options),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What a browser needs around it. */
interface Surroundings {
  readonly programs: WebKitPrograms;
  readonly display: string;
  readonly names: Names;
  readonly mirror: Mirror;
}

async function openProfile(
  { programs, display, names, mirror }: Surroundings,
  { window, downloads }: ProfileOptions = {},
): Promise<Profile> {
  await using started = new AsyncDisposableStack();
  const settings = await Deno.makeTempDir({ prefix: "porthole-e2e-" });
  started.defer(() => Deno.remove(settings, { recursive: true }));
  if (downloads !== undefined) {
    const line = `XDG_DOWNLOAD_DIR="${downloads}"\n`;
    await Deno.writeTextFile(join(settings, "user-dirs.dirs"), line);
  }
  const port = freePort();
  const server = started.use(
    await startServerProcess({
      command: [programs.driver, "--host=127.0.0.1", `--port=${port}`],
      port,
      env: {
        DISPLAY: display,
        XDG_CONFIG_HOME: settings,
        GIO_USE_PROXY_RESOLVER: "libproxy",
        PX_FORCE_CONFIG: "config-env",
        http_proxy: `socks5://127.0.0.1:${names.port}`,
        https_proxy: `socks5://127.0.0.1:${names.port}`,
        no_proxy: "localhost,127.0.0.1",
        // It has no desktop around it, and must start none.
        DBUS_SESSION_BUS_ADDRESS: "disabled:",
        GTK_A11Y: "none",
        NO_AT_BRIDGE: "1",
        GIO_USE_VFS: "local",
        GSETTINGS_BACKEND: "memory",
        // Containers of CI do not allow the one of bubblewrap.
        WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
      },
      onErrorLine() {}, // GTK's complaints about the missing desktop.
      timeoutMs: START_MS,
    }),
  );
  started.use(endWithUs(server.pid));
  const driver = await startSession(port, {
    browserName: "MiniBrowser",
    acceptInsecureCerts: true, // The certificates of tests are for other names.
    timeouts: { pageLoad: TIMEOUT_MS, script: TIMEOUT_MS },
    "webkitgtk:browserOptions": {
      binary: programs.browser,
      args: [
        "--automation",
        // Pages of a test open windows without a click.
        "--javascript-can-open-windows-automatically=true",
      ],
    },
  });
  started.defer(async () => {
    await driver.command("DELETE", "");
  });
  if (window !== undefined) await driver.command("POST", "window/rect", window);

  const tabs = new Tabs(driver);
  const owned = started.move();
  return {
    faults: [],
    newTab: () => tabs.open(),
    tabs: () => tabs.all(),
    cookies: (url) => tabs.at(mirror.url(url), readCookies),
    deleteCookies: (url, condition = () => true) =>
      tabs.at(mirror.url(url), async () => {
        for (const cookie of (await readCookies(driver)).filter(condition)) {
          await driver.command("DELETE", `cookie/${cookie.name}`);
        }
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function readCookies(
  driver: WebDriver,
): Promise<readonly BrowserCookie[]> {
  return await driver.command("GET", "cookie") as readonly BrowserCookie[];
}
