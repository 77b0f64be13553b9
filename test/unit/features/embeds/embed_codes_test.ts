import assert from "node:assert/strict";
import { EMBED, setUpCodes } from "./embed_parts.ts";

Deno.test("an embed's links lead to its port below the base host that was asked, with the code in the fragment", async () => {
  const { links } = setUpCodes();
  const { url, stateUrl, code } = await links({ sandboxId: "BOX" });
  const origin = "https://3000-box.preview.test:8443";
  assert.equal(url, `${origin}/.porthole/embed#${code}`);
  assert.equal(stateUrl, `${origin}/.porthole/state`);
  assert.match(code, /^pe_[\w.-]+$/);
});

Deno.test("a code names its embed for a minute, and is new each time", async () => {
  const { links, codes, clock } = setUpCodes();
  const { code } = await links();
  assert.notEqual((await links()).code, code);
  const { id, sandboxId, port } = await codes.open(code) ?? assert.fail();
  assert.deepEqual([id, sandboxId, port], [EMBED.id, "box", 3000]);
  clock.now += 60_000;
  assert.equal(await codes.open(code), undefined);
});

Deno.test("a code may be used once", async () => {
  const { links, codes } = setUpCodes();
  const code = await codes.open((await links()).code) ?? assert.fail();
  const other = await codes.open((await links()).code) ?? assert.fail();
  assert.equal(await codes.use(code), true);
  assert.equal(await codes.use(code), false);
  assert.equal(await codes.use(other), true);
});

Deno.test("a token is for its embed until an hour after the end", async () => {
  const { links, codes, clock } = setUpCodes();
  const { stateToken } = await links();
  const { authority: _, ...named } = EMBED;
  clock.now += 600_000 + 3_600_000 - 1;
  assert.deepEqual(await codes.openState(stateToken), named);
  clock.now += 1;
  assert.equal(await codes.openState(stateToken), undefined);
});

Deno.test("nothing else opens, and neither does a code for a token or a token for a code", async () => {
  const { links, codes } = setUpCodes();
  const { code, stateToken } = await links();
  for (
    const text of [
      "",
      "pe_",
      code.slice(3),
      `${code}A`,
      code.replace("pe_", "PE_"),
      `pe_${stateToken}`,
    ]
  ) assert.equal(await codes.open(text), undefined, text);
  for (const text of ["", code, code.slice(3), `${stateToken}A`]) {
    assert.equal(await codes.openState(text), undefined, text);
  }
});
