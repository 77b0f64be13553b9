/** Tabs and frames of a WebDriver session. It has one current document, so each operation first goes to its own. */
import { Buffer } from "node:buffer";
import type { FrameDriver, TabDriver } from "./engine.ts";
import { poll } from "./poll.ts";
import type { WebDriver } from "./webdriver.ts";

/** What the protocol calls the keys. */
const KEYS = { Enter: "\uE007", Tab: "\uE004" };

/** The tabs of a session. */
export class Tabs {
  readonly #driver: WebDriver;
  /** The end of the last operation: they run one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #isFirstOpen = false;

  constructor(driver: WebDriver) {
    this.#driver = driver;
  }

  /** Opens a tab. */
  async open(): Promise<TabDriver> {
    return this.#tab(await this.#alone(() => this.#newHandle()));
  }

  /** All tabs. */
  async all(): Promise<readonly TabDriver[]> {
    const handles = await this.#alone(() => this.#handles());
    return handles.map((handle) => this.#tab(handle));
  }

  /** What an operation on the page at a URL results in, which is opened for it in a new tab. */
  at<Result>(
    url: string,
    operation: (driver: WebDriver) => Promise<Result>,
  ): Promise<Result> {
    return this.#alone(async () => {
      const handle = await this.#newHandle();
      await this.#switchTo(handle);
      await this.#driver.command("POST", "url", { url });
      const result = await operation(this.#driver);
      await this.#driver.command("DELETE", "window");
      return result;
    });
  }

  async #handles(): Promise<readonly string[]> {
    return await this.#driver.command("GET", "window/handles") as string[];
  }

  /** The first tab is there from the beginning. */
  async #newHandle(): Promise<string> {
    const [first] = await this.#handles();
    if (!this.#isFirstOpen && first !== undefined) {
      this.#isFirstOpen = true;
      return first;
    }
    if (first !== undefined) await this.#switchTo(first);
    const { handle } = await this.#driver.command("POST", "window/new", {
      type: "tab",
    }) as { handle: string };
    return handle;
  }

  async #switchTo(handle: string, frames: readonly number[] = []) {
    const driver = this.#driver;
    await driver.command("POST", "window", { handle });
    await driver.command("POST", "frame", { id: null });
    for (const id of frames) await driver.command("POST", "frame", { id });
  }

  #alone<Result>(operation: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(operation);
    this.#last = result.catch(() => {});
    return result;
  }

  #tab(handle: string): TabDriver {
    const driver = this.#driver;
    const on = <Result>(operation: () => Promise<Result>) =>
      this.#alone(async () => {
        await this.#switchTo(handle);
        return await operation();
      });
    return {
      ...this.#frame(handle, []),
      id: handle,
      async goto(url) {
        await on(async () => {
          await driver.command("POST", "url", { url });
          // It may come back too early.
          await poll(() =>
            driver.evaluate(`document.readyState === "complete"`)
          );
        });
      },
      async reload() {
        await on(() => driver.command("POST", "refresh"));
      },
      async press(key) {
        await on(() => driver.command("POST", "actions", typing(KEYS[key])));
      },
      async typeAt(x, y, text) {
        const actions = [
          {
            type: "pointer",
            id: "mouse",
            actions: [
              { type: "pointerMove", x, y },
              { type: "pointerDown", button: 0 },
              { type: "pointerUp", button: 0 },
            ],
          },
        ];
        await on(async () => {
          await driver.command("POST", "actions", { actions });
          await driver.command("POST", "actions", typing(text));
        });
      },
      async screenshot(path) {
        const image = await on(() => driver.command("GET", "screenshot"));
        const bytes = Buffer.from(String(image), "base64");
        await Deno.writeFile(path, bytes);
      },
      async close() {
        await on(() => driver.command("DELETE", "window"));
      },
    };
  }

  #frame(handle: string, path: readonly number[]): FrameDriver {
    const driver = this.#driver;
    const within = <Result>(operation: () => Promise<Result>) =>
      this.#alone(async () => {
        await this.#switchTo(handle, path);
        return await operation();
      });
    return {
      evaluate: (expression) => within(() => driver.evaluate(expression)),
      async click(element) {
        await within(async () => {
          // In frames, WebKit's mouse misses what is scrolled.
          if (path.length > 0) {
            await driver.evaluate(`${element}.click()`);
            return;
          }
          const id = await driver.element(element);
          await driver.command("POST", `element/${id}/click`);
        });
      },
      frames: async () => {
        const count = await within(() => driver.evaluate("frames.length"));
        return Array.from(
          { length: Number(count) },
          (_, i) => this.#frame(handle, [...path, i]),
        );
      },
    };
  }
}

/** The parameters of the command that presses these keys one after the other. */
function typing(keys: string): object {
  const actions = [...keys].flatMap((value) => [
    { type: "keyDown", value },
    { type: "keyUp", value },
  ]);
  return { actions: [{ type: "key", id: "keyboard", actions }] };
}
