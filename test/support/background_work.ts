/** What services do in the background, for which nobody waits otherwise: an operation under way is late once a test's time passes. */
import { Background } from "../../src/lib/background.ts";

/** Work that waits until time has passed. */
const COLLECTED = "share refusals";

/** Notes all background work that begins from now on. */
export function backgroundWork(): Disposable & { settled(): Promise<void> } {
  const { add } = Background.prototype;
  const pending = new Set<Promise<unknown>>();
  Background.prototype.add = function (task, work) {
    if (task === COLLECTED) return add.call(this, task, work);
    const done = work.catch(() => {}).finally(() => pending.delete(done));
    pending.add(done);
    return add.call(this, task, work);
  };
  return {
    async settled() {
      while (pending.size > 0) await Promise.all(pending);
    },
    [Symbol.dispose]() {
      Background.prototype.add = add;
    },
  };
}
