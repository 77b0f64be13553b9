/** Threads that take calls, so that what one does slows down nobody else's clock. */

/** The functions that a thread offers, by name; each takes one argument or none. */
type CallsOf<Calls> = Record<keyof Calls, (argument: never) => unknown>;

/** A call, as it is posted. */
interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

/** The answer of the same number. */
interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A thread, as its caller sees it; disposing of it ends it. */
export class Thread<Calls extends CallsOf<Calls>> implements Disposable {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 0;

  /** Starts the thread; its module calls {@linkcode takeCalls}. */
  constructor(module: URL) {
    this.#worker = new Worker(module, { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const { id, result, error } = data;
      const answer = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) answer?.resolve(result);
      else answer?.reject(new Error(error));
    };
  }

  /** Calls, and resolves to what is returned. */
  call<Name extends keyof Calls & string>(
    name: Name,
    ...[argument]: Parameters<Calls[Name]>
  ): Promise<Awaited<ReturnType<Calls[Name]>>> {
    const answer = Promise.withResolvers<unknown>();
    const id = this.#nextId++;
    this.#waiting.set(id, answer);
    this.#worker.postMessage({ id, name, argument } satisfies Call);
    return answer.promise as Promise<Awaited<ReturnType<Calls[Name]>>>;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<Call>) => void) | null;
  postMessage(message: Answer): void;
}

/** Answers calls in this thread from now on. */
export function takeCalls<Calls extends CallsOf<Calls>>(calls: Calls): void {
  const scope = globalThis as unknown as WorkerScope;
  scope.onmessage = async ({ data: { id, name, argument } }) => {
    const call = calls[name as keyof Calls] as (argument: never) => unknown;
    try {
      scope.postMessage({ id, result: await call(argument as never) });
    } catch (error) {
      scope.postMessage({ id, error: String(error) });
    }
  };
}
