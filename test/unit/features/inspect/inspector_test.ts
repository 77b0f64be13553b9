import assert from "node:assert/strict";
import type { InspectedExchange } from "../../../../src/features/inspect/inspected_exchange.ts";
import {
  Inspector,
  type InspectorLimits,
} from "../../../../src/features/inspect/inspector.ts";
import type { Watcher } from "../../../../src/features/inspect/watcher.ts";
import { fakeClock } from "../../../support/fake_clock.ts";

function exchange(id: string, target = "/"): InspectedExchange {
  return {
    id,
    startedAt: 0,
    method: "GET",
    port: 3000,
    name: undefined,
    target,
    status: 200,
    isOpen: false,
    waitMs: 1,
    totalMs: 2,
    receivedBytes: 0,
    sentBytes: 0,
    end: "complete",
    reason: undefined,
    error: undefined,
    explanation: undefined,
    by: "public",
    tunnel: undefined,
    requestHeaders: [],
    responseHeaders: [],
  };
}

function inspectorWith(limits: Partial<InspectorLimits> = {}): Inspector {
  return new Inspector(() => performance.now(), limits);
}

async function textOf(watcher: Watcher | undefined): Promise<string> {
  const bytes = await watcher?.read();
  return new TextDecoder().decode(bytes ?? assert.fail());
}

Deno.test("Inspector tells exchanges to whoever watches the sandbox, and to nobody else", async () => {
  const inspector = inspectorWith();
  assert.equal(inspector.wants({}), false);
  const [one, two] = [
    inspector.watch("a", "user"),
    inspector.watch("a", "user"),
  ];
  const other = inspector.watch("b", "user");
  assert.equal(inspector.watched("a") !== undefined, true);
  for (const watcher of [one, two, other]) {
    assert.match(await textOf(watcher), /^event: watching\ndata: \{.*\}\n\n$/);
  }
  inspector.watched("a")?.tell(exchange("1"));
  inspector.watched("c")?.tell(exchange("2"));
  for (const watcher of [one, two]) {
    assert.match(await textOf(watcher), /^event: exchange\ndata: .*"id":"1"/);
  }
  const silent = other?.read();
  one?.cancel();
  one?.cancel();
  two?.cancel();
  assert.equal(inspector.watched("a"), undefined);
  assert.equal(inspector.wants({}), true);
  other?.cancel();
  assert.equal(await silent, null);
  assert.equal(inspector.wants({}), false);
});

Deno.test("no text of an exchange can be taken for another event", async () => {
  const inspector = inspectorWith();
  const watcher = inspector.watch("a", "user");
  await textOf(watcher);
  inspector.watched("a")?.tell(
    exchange("1", "/\n\nevent: watching\r\ndata: x\u2028"),
  );
  const text = await textOf(watcher);
  assert.equal(text.split("\n").length, 4);
  assert.equal(text.includes("\r"), false);
  watcher?.cancel();
});

Deno.test("a watcher that is too slow is told how much it missed, and takes no more memory", async () => {
  const inspector = inspectorWith({ queueChars: 2000 });
  const watcher = inspector.watch("a", "user");
  for (let i = 0; i < 100; i++) {
    inspector.watched("a")?.tell(exchange(String(i)));
  }
  const text = await textOf(watcher);
  assert(text.length < 2500);
  const shown = text.split("event: exchange").length - 1;
  assert.match(
    text,
    new RegExp(`event: missed\ndata: {"count":${100 - shown}}`),
  );
  inspector.watched("a")?.tell(exchange("later"));
  assert.match(await textOf(watcher), /"later"/);
  watcher?.cancel();
});

Deno.test("a watcher that nothing is told gets a sign of life", async () => {
  using clock = fakeClock();
  const watcher = inspectorWith({ heartbeatMs: 5000 }).watch("a", "user");
  await textOf(watcher);
  const read = textOf(watcher);
  clock.pass(5000);
  assert.equal(await read, ":\n\n");
  watcher?.cancel();
});

Deno.test("Inspector has no more watchers than it may, of one sandbox and of all", () => {
  const inspector = inspectorWith({ watchersPerSandbox: 2, watchers: 3 });
  const watchers = ["a", "a", "a", "b", "b"].map((id) =>
    inspector.watch(id, "user")
  );
  assert.deepEqual(watchers.map((each) => each !== undefined), [
    true,
    true,
    false,
    true,
    false,
  ]);
  watchers[0]?.cancel();
  const again = inspector.watch("b", "user");
  assert.notEqual(again, undefined);
  for (const watcher of [...watchers, again]) watcher?.cancel();
  assert.equal(inspector.wants({}), false);
});

Deno.test("one user has no more watchers than it may, whichever sandboxes they watch, and others have theirs", () => {
  const inspector = inspectorWith({ watchersPerUser: 2 });
  const watch = (id: string, user: string) => inspector.watch(id, user);
  const watchers = [watch("a", "one"), watch("b", "one"), watch("c", "one")];
  assert.deepEqual(watchers.map((each) => each !== undefined), [
    true,
    true,
    false,
  ]);
  const other = watch("a", "another") ?? assert.fail("another user");
  watchers[1]?.cancel();
  const again = watch("c", "one") ?? assert.fail("after one has gone");
  for (const watcher of [watchers[0], other, again]) watcher?.cancel();
  assert.equal(inspector.wants({}), false);
});
