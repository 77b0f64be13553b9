import assert from "node:assert/strict";
import { wholeBody } from "../../../../src/upstream/http1/whole_body.ts";
import { bodyReader } from "../../../../src/stream/body_reader.ts";
import { bodyOf, readerOf, textOf, turn } from "../../../support/upstream.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Longer than any of these tests, ms. */
const LONG_MS = 60_000;

function bytes(text: string): Bytes {
  return new TextEncoder().encode(text);
}

/** A body that the test controls. */
function heldBody() {
  const cancelled = Promise.withResolvers<void>();
  let controller: ReadableStreamDefaultController<Bytes> | undefined;
  const stream = new ReadableStream<Bytes>({
    start(given) {
      controller = given;
    },
    cancel: () => cancelled.resolve(),
  });
  assert(controller !== undefined);
  return {
    body: bodyReader(stream),
    controller,
    cancelled: cancelled.promise,
  };
}

Deno.test("wholeBody() gives a body that ends in time as a whole", async () => {
  for (const parts of [[], ["one"], ["in", " several", " parts"]]) {
    const whole = await wholeBody(bodyOf(...parts), LONG_MS);
    assert(whole instanceof Uint8Array);
    assert.deepEqual(whole, bytes(parts.join("")));
  }
});

Deno.test("wholeBody() passes a late body on with nothing missing", async () => {
  for (const early of [[], ["a"], ["a", "b"]]) {
    const { body, controller } = heldBody();
    for (const part of early) controller.enqueue(bytes(part));
    const rest = readerOf(await wholeBody(body, 1));
    controller.enqueue(bytes("late"));
    controller.close();
    assert.equal(await textOf(rest), `${early.join("")}late`);
  }
});

Deno.test("wholeBody() passes a long body on with nothing missing", async () => {
  for (const [maxBytes, isWhole] of [[3, true], [2, false]] as const) {
    const body = await wholeBody(bodyOf("a", "bc"), LONG_MS, maxBytes);
    assert.equal(body instanceof Uint8Array, isWhole);
    assert.equal(await textOf(body), "abc");
  }
});

Deno.test("wholeBody() cancels a late body that nobody wants any more", async () => {
  const { body, cancelled } = heldBody();
  let isCancelled = false;
  cancelled.then(() => isCancelled = true);
  const late = readerOf(await wholeBody(body, 1));
  await turn();
  assert(!isCancelled);
  late.cancel();
  await cancelled;
  assert(isCancelled);
});

Deno.test("wholeBody() fails as its body does, early or late", async () => {
  const broken = new Error("broken");
  const early = heldBody();
  early.controller.error(broken);
  await assert.rejects(wholeBody(early.body, LONG_MS), broken);

  const late = heldBody();
  const rest = readerOf(await wholeBody(late.body, 1));
  late.controller.error(broken);
  await assert.rejects(textOf(rest), broken);
});
