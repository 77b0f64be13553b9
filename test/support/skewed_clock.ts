/** The wall clock of this process, put forth and back by hand: what the service reads as `Date.now`. */

/** A clock that goes on, so far from the real one. */
export interface SkewedClock extends Disposable {
  /** Puts it forth, or back where `ms` is negative. */
  jump(ms: number): void;
}

/** Takes the clock over until it is disposed; what keeps `Date.now` is to be made after that. */
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
