/** Pages as scenarios use them, in every engine. */
import assert from "node:assert/strict";
import type { FrameDriver, TabDriver } from "./engine.ts";

/** The time that a page may take to do what is waited for, ms. */
const TIMEOUT_MS = 8000;

/** Time between two looks at a page, ms. */
const POLL_MS = 30;

/** A document in a frame. Whatever looks for an element waits for it, up to 8 s. */
export class Frame<Driver extends FrameDriver = FrameDriver> {
  constructor(protected readonly driver: Driver) {}

  /** The value of an expression in the page; of a promise, its outcome. */
  async evaluate<Value = unknown>(expression: string): Promise<Value> {
    return await this.driver.evaluate(expression) as Value;
  }

  /**
   * Waits until an expression is true, be it in the page or in one that follows it.
   *
   * @throws {AssertionError} if it is not after 8 s.
   */
  async until(expression: string): Promise<void> {
    const deadline = performance.now() + TIMEOUT_MS;
    for (;;) {
      let last: unknown;
      try {
        last = await this.evaluate(expression);
        if (last) return;
      } catch (error) {
        last = error; // as between two pages
      }
      if (performance.now() > deadline) {
        const text = await this.text().catch(String);
        assert.fail(`Never true: ${expression} (${last}); the page: ${text}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
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

  /** Presses a key in an element. */
  async press(selector: string, key: "Enter" | "Tab"): Promise<void> {
    await this.shows(selector);
    await this.driver.press(element(selector), key);
  }

  /** Fills a text field or chooses an option of a list, by the text of its label. */
  async fill(label: string, value: string): Promise<void> {
    await this.shows("label", label);
    await this.evaluate(`((field, value) => {
      const option = [...field.options ?? []].find(({ text }) => text === value);
      field.value = option?.value ?? value;
      for (const type of ["input", "change"]) {
        field.dispatchEvent(new Event(type, { bubbles: true }));
      }
    })(${element("label", label)}.control, ${JSON.stringify(value)})`);
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

  /** The frames within, in their order. */
  async frames(): Promise<readonly Frame[]> {
    return (await this.driver.frames()).map((driver) => new Frame(driver));
  }

  /** Adds a frame, waits until it has loaded, and returns it. */
  async addFrame(
    url: string,
    attributes: Readonly<Record<string, string>> = {},
  ): Promise<Frame> {
    const properties = { src: url, width: 800, height: 600, ...attributes };
    await this.evaluate(`new Promise((resolve) => {
      const frame = document.createElement("iframe");
      Object.assign(frame, ${JSON.stringify(properties)});
      frame.onload = () => resolve();
      document.body.append(frame);
    })`);
    return (await this.frames()).at(-1) ?? assert.fail("no frame");
  }
}

/** A tab. */
export class Page extends Frame<TabDriver> {
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

  screenshot(path: string): Promise<void> {
    return this.driver.screenshot(path);
  }

  close(): Promise<void> {
    return this.driver.close();
  }
}

/** The first element of a selector that has a text, as an expression. */
function element(selector: string, text = ""): string {
  return `[...document.querySelectorAll(${JSON.stringify(selector)})]
    .find(({ textContent }) => textContent.includes(${JSON.stringify(text)}))`;
}
