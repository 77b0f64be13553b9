/** The thread that observes, as the suite sees it. */
import type { Call, ObserverCalls } from "./observer.ts";

/** The observer's calls, each of which waits for its answer. */
export class Observer implements Disposable {
  readonly #worker = new Worker(new URL("./observer.ts", import.meta.url), {
    type: "module",
  });
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 0;

  constructor() {
    this.#worker.onmessage = ({ data: { id, result, error } }) => {
      const answer = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) answer?.resolve(result);
      else answer?.reject(new Error(error));
    };
  }

  /** Calls, and resolves to what is returned. */
  call<Name extends keyof ObserverCalls>(
    name: Name,
    ...[argument]: Parameters<ObserverCalls[Name]>
  ): Promise<Awaited<ReturnType<ObserverCalls[Name]>>> {
    const answer = Promise.withResolvers<unknown>();
    const id = this.#nextId++;
    this.#waiting.set(id, answer);
    const call: Call = { id, name, argument };
    this.#worker.postMessage(call);
    return answer.promise as Promise<Awaited<ReturnType<ObserverCalls[Name]>>>;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
