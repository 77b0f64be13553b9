/** The wall clock of this process (`Date.now`), set forward and back by a test. */

/** A running clock with an offset from the real one. */
export interface SkewedClock extends Disposable {
  /** Sets it forward by `ms`, or back if `ms` is negative. */
  jump(ms: number): void;
}

/** Replaces `Date.now` until it is disposed; code that holds a reference to `Date.now` has to be created after that. */
export function skewClock(): SkewedClock {
  const real = Date.now;
  let skewMs = 0;
  Date.now = () => real() + skewMs;
  return {
    jump(ms) {
      skewMs += ms;
    },
    [Symbol.dispose]() {
      Date.now = real;
    },
  };
}
