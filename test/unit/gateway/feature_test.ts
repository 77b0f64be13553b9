import assert from "node:assert/strict";
import { type Feature, firstAnswer } from "../../../src/gateway/feature.ts";
import { PreviewExchange } from "../../../src/gateway/sandbox_exchange.ts";
import {
  exchangeServices,
  incomingRequest,
  PREVIEW_HOST,
} from "../../support/exchange.ts";

/** What features say to an exchange before the gate, each a text, `later` nothing, or at once nothing. */
function setUp(...answers: ("later" | "at once" | `says ${string}`)[]) {
  const asked: number[] = [];
  const features = answers.map((answer, index): Feature => ({
    beforeGate() {
      asked.push(index);
      if (answer === "at once") return undefined;
      return Promise.resolve(
        answer === "later" ? undefined : new Response(answer),
      );
    },
  }));
  return { asked, features };
}

/** The first answer of features before the gate. */
function answerOf(features: readonly Feature[]) {
  const { services } = exchangeServices();
  const x = new PreviewExchange(incomingRequest(), PREVIEW_HOST, services);
  return firstAnswer(features, (one) => one.beforeGate?.(x));
}

Deno.test("features are asked in their order until one answers", async () => {
  const { asked, features } = setUp("at once", "later", "says a", "says b");
  const answer = await answerOf([{}, ...features]);
  assert.equal(await answer?.text(), "says a");
  assert.deepEqual(asked, [0, 1, 2]);
});

Deno.test("a feature is asked once those before it have said that they have no answer", async () => {
  const { asked, features } = setUp("later", "at once", "later");
  const answering = answerOf(features);
  assert.deepEqual(asked, [0]);
  assert.equal(await answering, undefined);
  assert.deepEqual(asked, [0, 1, 2]);
});

Deno.test("where no feature could have an answer, that is known at once", () => {
  assert.equal(answerOf([]), undefined);
  assert.equal(answerOf([{}, {}]), undefined);
  const { asked, features } = setUp("at once", "at once");
  assert.equal(answerOf(features), undefined);
  assert.deepEqual(asked, [0, 1]);
});

Deno.test("a feature that fails ends the asking", async () => {
  const { asked, features } = setUp("says a");
  const failing: Feature = {
    beforeGate: () => Promise.reject(new TypeError("A defect")),
  };
  await assert.rejects(answerOf([failing, ...features]) ?? assert.fail(), {
    message: "A defect",
  });
  assert.deepEqual(asked, []);
});
