/** An end that one gateway has answered, where the database goes away before another has asked it again. */
import assert from "node:assert/strict";
import { KEYS, startStack } from "../../../scripts/stand_in/stack.ts";
import { assertEventually } from "../assert_eventually.ts";
import { backgroundWork } from "../background_work.ts";
import { fakeClock, passDuring } from "../fake_clock.ts";
import { LOCKED, startGatewayOf, type TestGateway } from "../gateway.ts";
import { askerOf } from "../records_api.ts";
import { redisTest } from "../redis_server.ts";
import { startRedisTier } from "../shared_tier.ts";

type Texts = Readonly<Record<string, string>>;

/** What carries a grant that is a record. */
interface RecordCarrier<Made> {
  readonly one: string;
  make(gateway: TestGateway, key: string): Promise<Made>;
  open(gateway: TestGateway, made: Made): Promise<Texts>;
  readonly record: {
    readonly kind: string;
    readonly settings: Texts;
    idOf(made: Made): string;
  };
}

/** Declares the test for what carries a grant that is a record. */
export function testEndInOutage<Made>(carrier: RecordCarrier<Made>): void {
  const { one, record, make, open } = carrier;
  const askApi = askerOf(record.kind);

  redisTest(
    `${one} that is ended at one is refused at the other once that has heard, and in the outage that follows, too`,
    async () => {
      await using tier = await startRedisTier();
      using clock = fakeClock();
      using work = backgroundWork();
      clock.pass(1); // a time of 0 is none to what expires
      await using stack = await startStack();
      const settings = { ...record.settings, ...tier.environment };
      await using first = await startGatewayOf(stack, settings);
      await using second = await startGatewayOf(stack, settings);
      const makeOne = async () => {
        const made = await make(first, KEYS.user);
        return { made, headers: await open(second, made) };
      };
      const all = [await makeOne(), await makeOne(), await makeOne()] as const;
      const [going, ended, endedLast] = all;
      const codeOf = async ({ headers }: typeof going) =>
        (await passDuring(clock, second.send(LOCKED, { headers }))).code;
      for (const each of all) assert.equal(await codeOf(each), null);
      for (const { made } of [ended, endedLast]) {
        const end = { method: "DELETE", path: `/${record.idOf(made)}` };
        const { status, headers } = await askApi(first, KEYS.user, end);
        const within = headers.get("x-porthole-ended-within");
        assert.deepEqual([status, within], [204, "300"]);
      }
      await work.settled();
      // Who has heard of the last end has heard of all.
      await assertEventually(
        async () => await codeOf(endedLast) === "grant_invalid",
        "the other gateway hears of it",
      );
      await tier.stop();
      for (let passedMs = 0; passedMs < 60_000; passedMs += 10_000) {
        assert.equal(await codeOf(ended), "grant_invalid");
        assert.equal(await codeOf(going), null);
        clock.pass(10_000);
      }
    },
  );
}
