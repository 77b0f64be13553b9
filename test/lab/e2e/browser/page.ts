/** Pages as scenarios use them, in every engine. */
import assert from "node:assert/strict";
import type {
  BrowserCookie,
  FrameDriver,
  Profile,
  TabDriver,
} from "./engine.ts";
import { poll, within } from "./poll.ts";

/** The time after which an expression is evaluated again, ms. */
const ANSWER_MS = 1000;

/** A document in a frame. Whatever looks for an element waits for it, up to 20 s. */
export class Frame<Driver extends FrameDriver = FrameDriver> {
  constructor(protected readonly driver: Driver) {}

  /** The value of an expression in the page; of a promise, its outcome. */
  async evaluate<Value = unknown>(expression: string): Promise<Value> {
    return await this.driver.evaluate(expression) as Value;
  }

  /**
   * Waits until an expression is true, be it in the page or in one that follows it.
   *
   * @throws {AssertionError} if it is not after 20 s.
   */
  async until(expression: string): Promise<void> {
    let last: unknown;
    const isTrue = await poll(async () => {
      try {
        // The answer of a page that has just gone may never come.
        last = await within(ANSWER_MS, this.evaluate(expression));
        return Boolean(last);
      } catch (error) {
        last = error; // as between two pages
        return false;
      }
    });
    if (isTrue) return;
    const text = await this.text().catch(String);
    assert.fail(`Never true: ${expression} (${last}); the page: ${text}`);
  }

  /** Waits for an element, with a text if one is given. */
  async shows(selector: string, text?: string): Promise<void> {
    await this.until(`${element(selector, text)} != null`);
  }

  /** The text of the first such element. */
  async text(selector = "body", text?: string): Promise<string> {
    const found = element(selector, text);
    if (selector !== "body") await this.shows(selector, text);
    return await this.evaluate<string>(`${found}?.innerText ?? ""`);
  }

  /** Clicks on an element as a mouse does. */
  async click(selector: string, text?: string): Promise<void> {
    await this.shows(selector, text);
    await this.driver.click(element(selector, text));
  }

  /** Fills a text field, or chooses an option of a list by its text, and gives the focus to it. */
  async fill(selector: string, value: string): Promise<void> {
    await this.shows(selector);
    await this.evaluate(`((field, value) => {
      const option = [...field.options ?? []].find(({ text }) => text === value);
      field.focus();
      field.value = option?.value ?? value;
      for (const type of ["input", "change"]) {
        field.dispatchEvent(new Event(type, { bubbles: true }));
      }
    })(${element(selector)}, ${JSON.stringify(value)})`);
  }

  /** The address of the document. */
  url(): Promise<string> {
    return this.evaluate<string>("location.href");
  }

  /** Waits until the document has an address, and has loaded. */
  async untilAt(url: string): Promise<void> {
    await this.until(
      `location.href === ${
        JSON.stringify(url)
      } && document.readyState === "complete"`,
    );
  }

  /** True if nothing is wider than the window. */
  fits(): Promise<boolean> {
    return this.evaluate<boolean>(
      "document.documentElement.scrollWidth <= document.documentElement.clientWidth",
    );
  }

  /** The frames within, in their order. */
  async frames(): Promise<readonly Frame[]> {
    return (await this.driver.frames()).map((driver) => new Frame(driver));
  }

  /**
   * Adds a frame, waits until it has loaded, and returns it. Firefox does not tell when it blocks what a service worker
   * answers, so that takes 4 s.
   */
  async addFrame(
    url: string,
    attributes: Readonly<Record<string, string>> = {},
  ): Promise<Frame> {
    const properties = { src: url, width: 800, height: 600, ...attributes };
    await this.evaluate(`new Promise((resolve) => {
      const frame = document.createElement("iframe");
      Object.assign(frame, ${JSON.stringify(properties)});
      frame.onload = () => resolve();
      setTimeout(resolve, 4000);
      document.body.append(frame);
    })`);
    return (await this.frames()).at(-1) ?? assert.fail("no frame");
  }
}

/** A tab of a visitor. */
export class Page extends Frame<TabDriver> {
  readonly #profile: Profile;

  constructor(driver: TabDriver, profile: Profile) {
    super(driver);
    this.#profile = profile;
  }

  /** Goes to a URL as from the address bar, and waits until it has loaded. */
  goto(url: string): Promise<void> {
    return this.driver.goto(url);
  }

  reload(): Promise<void> {
    return this.driver.reload();
  }

  title(): Promise<string> {
    return this.evaluate<string>("document.title");
  }

  /** The gateway's error code that the page shows; undefined if it is an app's page. */
  async errorCode(): Promise<string | undefined> {
    return await this.evaluate<string | null>(
      `document.querySelector("main > dl > #code")?.textContent`,
    ) ?? undefined;
  }

  /** Presses a key, for whatever has the focus. */
  press(key: "Enter" | "Tab"): Promise<void> {
    return this.driver.press(key);
  }

  /** Clicks on a point of the window, and types, into whatever takes it. */
  typeAt(x: number, y: number, text: string): Promise<void> {
    return this.driver.typeAt(x, y, text);
  }

  /** Saves a PNG file. */
  screenshot(path: string): Promise<void> {
    return this.driver.screenshot(path);
  }

  close(): Promise<void> {
    return this.driver.close();
  }

  /** Another tab of the same visitor. */
  async newTab(): Promise<Page> {
    return new Page(await this.#profile.newTab(), this.#profile);
  }

  /** The visitor's other tabs, those that pages have opened. */
  async otherTabs(): Promise<readonly Page[]> {
    return (await this.#profile.tabs()).filter((tab) =>
      tab.id !== this.driver.id
    )
      .map((tab) => new Page(tab, this.#profile));
  }

  /** Waits until there is a tab besides this one, and returns it. */
  async otherTab(): Promise<Page> {
    return await poll(async () => (await this.otherTabs())[0]) ??
      assert.fail("No other tab");
  }

  /** The visitor's cookies that a request for a URL would carry, by default for this page's. */
  async cookies(url?: string): Promise<readonly BrowserCookie[]> {
    return await this.#profile.cookies(url ?? await this.url());
  }

  /** Deletes those of them that the condition is true for. */
  async deleteCookies(
    url: string,
    condition?: (cookie: BrowserCookie) => boolean,
  ): Promise<void> {
    await this.#profile.deleteCookies(url, condition);
  }
}

/** The first element of a selector that has a text, as an expression. */
function element(selector: string, text = ""): string {
  return `[...document.querySelectorAll(${JSON.stringify(selector)})]
    .find(({ textContent }) => textContent.includes(${JSON.stringify(text)}))`;
}
