/** What the engines of browsers have in common: the least that scenarios need, so that each is written once. */

/** The engines that e2e knows. */
export const ENGINES = ["chromium", "firefox", "webkit"] as const;

/** One of them; `webkit` is WebKitGTK. */
export type EngineName = typeof ENGINES[number];

/** An engine that runs; disposing of it ends all of its processes. */
export interface Engine extends AsyncDisposable {
  readonly name: EngineName;
  /** A new profile, as on a computer of its own: it shares no cookies with others. */
  openProfile(options?: ProfileOptions): Promise<Profile>;
}

/** Options of a profile. */
export interface ProfileOptions {
  /** The size of the window, CSS pixels; the engine's own by default. */
  readonly window?: { readonly width: number; readonly height: number };
  /** The folder for what is downloaded; nothing can be, by default. */
  readonly downloads?: string;
  /** False to run no scripts of pages; not in WebKit. */
  readonly javaScript?: boolean;
  /** Chromium only; the others, and it by default, follow the machine. */
  readonly colorScheme?: "light" | "dark";
  /** What every request has besides the engine's own; not in WebKit. */
  readonly headers?: Readonly<Record<string, string>>;
  /** True to keep cookies in frames of other sites apart, as Firefox does outside of tests; Chromium keeps partitioned ones only, and WebKit none. */
  readonly partitionsCookies?: boolean;
  /** True for a browser that does not say that a program drives it, as Chromium does otherwise. */
  readonly isPerson?: boolean;
}

/** The tabs of one person, which share their cookies; disposing of it closes them. */
export interface Profile extends AsyncDisposable {
  /** Script errors, and errors on the console: of tabs opened by `newTab()`, and never of WebKit. */
  readonly faults: readonly string[];
  newTab(): Promise<TabDriver>;
  /** All tabs, those that pages have opened included. */
  tabs(): Promise<readonly TabDriver[]>;
  /** The cookies that a request for a URL would carry, HttpOnly ones included; none that are partitioned. */
  cookies(url: string): Promise<readonly BrowserCookie[]>;
  /** Deletes those of them that the condition is true for. */
  deleteCookies(
    url: string,
    condition?: (cookie: BrowserCookie) => boolean,
  ): Promise<void>;
}

/** A cookie, as far as every engine tells. */
export interface BrowserCookie {
  readonly name: string;
  readonly value: string;
  /** The domain, with a dot in front of it in some engines if it is not for one host only. */
  readonly domain: string;
  readonly path: string;
  readonly secure?: boolean;
  readonly httpOnly?: boolean;
}

/** A document in a tab or in a frame. Expressions are JavaScript; of a promise, the outcome is taken. */
export interface FrameDriver {
  /** @throws {Error} if the expression throws or the document goes away. */
  evaluate(expression: string): Promise<unknown>;
  /** Clicks on the element that an expression is, as a mouse does. */
  click(element: string): Promise<void>;
  /** The documents of the frames within, in their order. */
  frames(): Promise<readonly FrameDriver[]>;
}

/** A tab. */
export interface TabDriver extends FrameDriver {
  /** Tells it from other tabs. */
  readonly id: unknown;
  /** Goes to a URL as from the address bar, and waits until it has loaded, be it an error. */
  goto(url: string): Promise<void>;
  reload(): Promise<void>;
  /** Presses a key, for whatever has the focus. */
  press(key: "Enter" | "Tab"): Promise<void>;
  /** Clicks on a point of the window, and types, into whatever takes it. */
  typeAt(x: number, y: number, text: string): Promise<void>;
  /** Saves a PNG file. */
  screenshot(path: string): Promise<void>;
  close(): Promise<void>;
}
