/** What services do in the background, for which nobody waits otherwise: an operation under way is late once a test's time passes. */
import { Background } from "../../src/lib/background.ts";
import { InFlight } from "../../src/proxy/in_flight.ts";

/** Work that waits until time has passed. */
const COLLECTED = "share refusals";

/** Notes all background work that begins from now on, rechecks of what is open too. */
export function backgroundWork(): Disposable & { settled(): Promise<void> } {
  const { add } = Background.prototype;
  const { recheckAll } = InFlight.prototype;
  const pending = new Set<Promise<unknown>>();
  function note(work: Promise<unknown>): void {
    const done = work.catch(() => {}).finally(() => pending.delete(done));
    pending.add(done);
  }
  Background.prototype.add = function (task, work) {
    if (task !== COLLECTED) note(work);
    return add.call(this, task, work);
  };
  InFlight.prototype.recheckAll = function () {
    const done = recheckAll.call(this);
    note(done);
    return done;
  };
  return {
    async settled() {
      while (pending.size > 0) await Promise.all(pending);
    },
    [Symbol.dispose]() {
      Background.prototype.add = add;
      InFlight.prototype.recheckAll = recheckAll;
    },
  };
}
