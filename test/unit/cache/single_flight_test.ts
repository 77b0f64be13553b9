import {
  deepStrictEqual as deepEqual,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { SingleFlight } from "../../../src/cache/single_flight.ts";

Deno.test("share() runs one piece of work for concurrent callers", async () => {
  const flights = new SingleFlight<number>();
  const answer = Promise.withResolvers<number>();
  let runs = 0;
  function work(): Promise<number> {
    runs++;
    return answer.promise;
  }
  const asked = Array.from({ length: 5 }, () => flights.share("a", work));
  const other = flights.share("b", () => Promise.resolve(2));
  answer.resolve(1);
  deepEqual(await Promise.all(asked), [1, 1, 1, 1, 1]);
  equal(await other, 2);
  equal(runs, 1);
});

Deno.test("share() forgets work that has succeeded or failed", async () => {
  const flights = new SingleFlight<number>();
  const failing = flights.share("a", () => Promise.reject(new Error("down")));
  equal(flights.isInFlight("a"), true);
  await rejects(failing, /down/);
  equal(flights.isInFlight("a"), false);
  equal(await flights.share("a", () => Promise.resolve(1)), 1);
  equal(flights.isInFlight("a"), false);
});

Deno.test("after forget(), the work in flight is not current and the next caller starts anew", async () => {
  const flights = new SingleFlight<string>();
  const gate = Promise.withResolvers<void>();
  async function work(isCurrent: () => boolean): Promise<string> {
    await gate.promise;
    return isCurrent() ? "current" : "forgotten";
  }
  const first = flights.share("a", work);
  flights.forget("a");
  const second = flights.share("a", work);
  gate.resolve();
  equal(await first, "forgotten");
  equal(await second, "current");
});

Deno.test("add() runs work beside what is in flight, which stays the one that is shared", async () => {
  const flights = new SingleFlight<number>();
  const answers = [1, 2].map(() => Promise.withResolvers<number>());
  const current: (() => boolean)[] = [];
  const [one, other] = answers.map(({ promise }) =>
    flights.add("a", (isCurrent) => {
      current.push(isCurrent);
      return promise;
    })
  );
  equal(flights.count("a"), 2);
  const joined = flights.share("a", () => Promise.resolve(3));
  answers[1]?.resolve(2);
  equal(await other, 2);
  equal(flights.count("a"), 1);
  deepEqual(current.map((each) => each()), [true, true]);
  flights.forget("a");
  deepEqual(current.map((each) => each()), [false, false]);
  answers[0]?.resolve(1);
  deepEqual(await Promise.all([one, joined]), [1, 1]);
  equal(flights.count("a"), 0);
});
