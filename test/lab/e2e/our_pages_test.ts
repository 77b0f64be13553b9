import assert from "node:assert/strict";
import { accessPageOf } from "../../../src/features/access_page/access_page.ts";
import { type Brand, dressed } from "../../../src/pages/brand.ts";
import { PAGE_POLICY } from "../../../src/pages/page.ts";
import { collectLog } from "../../support/collected_log.ts";
import { PAGES } from "./our_pages.ts";

const BRAND: Brand = {
  name: "Acme",
  logo: "data:image/png;base64,iVBORw0KGgo=",
  help: "https://help.example.com/",
  texts: {},
};

function accessPage(): Response {
  return new Response(accessPageOf("demo"), {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": PAGE_POLICY,
    },
  });
}

Deno.test("every page of ours has a place for a brand's name and its link for help", async () => {
  await using log = await collectLog();
  const all = [...PAGES].filter(([path]) => !path.startsWith("/branded"));
  assert(all.length > 20);
  for (const [path, render] of [...all, ["/access", accessPage] as const]) {
    const branded = await dressed(await render(), () => BRAND);
    const text = await branded.text();
    assert.equal(text.split('alt=""> Acme</p>').length, 2, path);
    assert.equal(text.split(">Help</a></p>\n</main>").length, 2, path);
    assert.doesNotMatch(text, /class="status[^>]*>[^\n]*Porthole<\/p>/, path);
  }
  assert.deepEqual(log.records(), []);
});
