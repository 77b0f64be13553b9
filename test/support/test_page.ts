/** A page made by hand, with as much of a browser in it as the client uses. */
import { setImmediate as turn } from "node:timers/promises";

/** A frame in the page. */
export class TestFrame {
  readonly contentWindow = {};
  readonly style: Record<string, string> = {};
  readonly attributes: Record<string, string> = {};
  readonly #page: TestPage;
  referrerPolicy = "";
  title = "";
  allow = "";
  /** Every address that it was sent to. */
  readonly visited: string[] = [];

  constructor(page: TestPage) {
    this.#page = page;
  }

  set src(url: string) {
    this.visited.push(url);
  }

  setAttribute(name: string, value: string): void {
    this.attributes[name] = value;
  }

  remove(): void {
    this.#page.frames.delete(this);
  }
}

/** A request of the page, which a test answers. */
interface TestRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly answer: PromiseWithResolvers<Response>;
}

/** What is handed to `mount()`. */
interface Element {
  readonly ownerDocument: object;
  append(frame: TestFrame): void;
}

/** The window, its document, and the element for the preview. */
export class TestPage extends EventTarget {
  /** Those in the element. */
  readonly frames = new Set<TestFrame>();
  readonly requests: TestRequest[] = [];
  /** Those that are under way, by what `setTimeout()` returned. */
  readonly timers = new Map<
    number,
    { readonly ms: number; readonly run: () => void }
  >();
  #timerCount = 0;
  readonly element: Element = {
    ownerDocument: {
      defaultView: this,
      createElement: () => new TestFrame(this),
    },
    append: (frame) => this.frames.add(frame),
  };

  setTimeout(
    run: (...args: unknown[]) => void,
    ms: number,
    ...args: unknown[]
  ): number {
    const id = ++this.#timerCount;
    this.timers.set(id, {
      ms,
      run: () => {
        this.timers.delete(id);
        run(...args);
      },
    });
    return id;
  }

  clearTimeout(id: number): void {
    this.timers.delete(id);
  }

  fetch(
    url: string,
    { headers, signal }: Pick<TestRequest, "headers" | "signal">,
  ): Promise<Response> {
    const answer = Promise.withResolvers<Response>();
    signal.addEventListener("abort", () => answer.reject(signal.reason));
    this.requests.push({ url, headers, signal, answer });
    return answer.promise;
  }

  /** The only one under way. */
  get timer(): { readonly ms: number; readonly run: () => void } {
    const [timer, ...others] = this.timers.values();
    if (timer === undefined || others.length > 0) {
      throw new TypeError(`${this.timers.size} timers are under way`);
    }
    return timer;
  }

  /** Has the page receive a message. */
  receive(message: { source: unknown; origin: string; data: unknown }): void {
    this.dispatchEvent(Object.assign(new Event("message"), message));
  }

  /** Has the events' latest request answered; resolves once that is read, and to what writes more. */
  async answer(status = 200): Promise<TestEvents> {
    const request = this.requests.at(-1);
    if (request === undefined) throw new TypeError("There is no request");
    const events = new TestEvents();
    request.signal.addEventListener("abort", () => events.fail());
    request.answer.resolve(new Response(events.readable, { status }));
    await turn();
    return events;
  }
}

/** The body of an answer. */
class TestEvents {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  isCancelled = false;
  #controller!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

  constructor() {
    this.readable = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.isCancelled = true;
      },
    });
  }

  /** Resolves once it has been read. */
  async write(part: string | Uint8Array<ArrayBuffer>): Promise<void> {
    this.#controller.enqueue(
      typeof part === "string" ? new TextEncoder().encode(part) : part,
    );
    await turn();
  }

  async end(): Promise<void> {
    this.#controller.close();
    await turn();
  }

  fail(): void {
    this.#controller.error(new TypeError("The connection is gone"));
  }
}
