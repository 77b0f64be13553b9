/** A clock for what is told the time: it passes only when a test says so. */
import type { Clock } from "../../scripts/stand_in/lifecycle.ts";

interface Alarm {
  readonly dueAt: number;
  readonly callback: () => void;
}

/** Unlike `fakeClock()`, it leaves the timers of this thread alone. */
export class ManualClock implements Clock {
  readonly #alarms = new Set<Alarm>();
  #now: number;

  /** `now` is in ms since the epoch. */
  constructor(now = 0) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const alarm = { dueAt: this.#now + ms, callback };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** Lets time pass, and calls back for what becomes due, the earliest first. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (let alarm; (alarm = this.#earliestUntil(end)) !== undefined;) {
      this.#alarms.delete(alarm);
      this.#now = alarm.dueAt;
      alarm.callback();
    }
    this.#now = end;
  }

  #earliestUntil(end: number): Alarm | undefined {
    return [...this.#alarms].filter(({ dueAt }) => dueAt <= end)
      .sort((one, other) => one.dueAt - other.dueAt)[0];
  }
}
