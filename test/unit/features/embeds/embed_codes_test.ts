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

Deno.test("a token is for its embed until an hour after the end", async () => {
  const { links, codes, clock } = setUpCodes();
  const { stateToken } = await links();
  const { authority: _, ...named } = EMBED;
  clock.now += 600_000 + 3_600_000 - 1;
  assert.deepEqual(await codes.openState(stateToken), named);
  clock.now += 1;
  assert.equal(await codes.openState(stateToken), undefined);
});

Deno.test("nothing else opens as a token, and neither does a code", async () => {
  const { links, codes } = setUpCodes();
  const { code, stateToken } = await links();
  for (const text of ["", code, code.slice(3), `${stateToken}A`]) {
    assert.equal(await codes.openState(text), undefined, text);
  }
});
