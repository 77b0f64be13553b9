import assert from "node:assert/strict";
import {
  NOTICE_HEADERS,
  noticePage,
} from "../../../../src/features/identity/notice_page.ts";
import { pageScript } from "../../../../src/pages/script.ts";

const HOST = {
  port: 3000,
  label: "box",
  base: "p.test",
  authoritySuffix: "p.test",
};

Deno.test("no button can be pressed until the page has been in front for a second", () => {
  const html = noticePage({
    returnTo: { host: HOST },
    sandboxId: "box",
    claims: { email: "ann@example.com" },
  });
  const scripts = [...html.matchAll(/<script>([^<]*)<\/script>/g)]
    .map(([, text = ""]) => text);
  const policy = NOTICE_HEADERS["content-security-policy"];
  for (const text of scripts) assert(policy.includes(pageScript(text).source));
  const [script = assert.fail("none")] = scripts
    .filter((text) => text.includes("onfocus"));
  const buttons = [{ disabled: false }, { disabled: false }];
  const timers: (readonly [() => void, number])[] = [];
  const world: { onfocus?: () => void } = {};
  new Function("world", "document", "setTimeout", `with (world) {${script}}`)(
    new Proxy(world, { has: (_, name) => name === "onfocus" }),
    { querySelectorAll: () => buttons },
    (run: () => void, ms: number) => timers.push([run, ms]),
  );
  for (const opened of [undefined, world.onfocus]) {
    opened?.();
    assert(buttons.every(({ disabled }) => disabled));
    for (const [run, ms] of timers.splice(0)) {
      assert.equal(ms, 1000);
      run();
    }
    assert(buttons.every(({ disabled }) => !disabled));
  }
  assert(world.onfocus !== undefined);
});
