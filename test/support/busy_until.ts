import { fairTurn, takeTurnsBy } from "../../src/lib/fair_turn.ts";

/** Keeps this thread busy until whoever asks has to wait for a turn, which ends once `others` resolves. */
export function busyUntil(others: PromiseWithResolvers<void>): AsyncDisposable {
  const turns = takeTurnsBy(() => others.promise);
  let waiting = fairTurn();
  while (waiting === undefined) waiting = fairTurn(); // 4 ms
  return {
    async [Symbol.asyncDispose]() {
      others.resolve();
      turns[Symbol.dispose]();
      await waiting;
    },
  };
}
