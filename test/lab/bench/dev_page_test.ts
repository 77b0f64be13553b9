import assert from "node:assert/strict";
import { IMAGES, MODULES, pageFiles } from "./dev_page.ts";

const files = pageFiles();

function textOf(path: string): string {
  return new TextDecoder().decode(files.get(path)?.body);
}

Deno.test("all modules of the page are imported by others, beginning with its script", () => {
  const seen = new Set(["/main.js"]);
  for (const path of seen) {
    for (
      const [, imported = ""] of textOf(path).matchAll(/^import "(.+)";$/gm)
    ) {
      seen.add(imported);
    }
  }

  assert.equal(seen.size, MODULES);
  assert.ok([...seen].every((path) => files.has(path)));
});

Deno.test("its modules have 2 to 40 KiB, and half of them less than 9", () => {
  const sizes = [...files].filter(([path]) => path.startsWith("/module-"))
    .map(([, { body }]) => body.length / 1024).sort((a, b) => a - b);

  assert.ok((sizes[0] ?? 0) >= 2 && (sizes.at(-1) ?? 99) < 40.1);
  assert.ok(Math.abs((sizes[sizes.length >> 1] ?? 0) - 9) < 0.2);
});

Deno.test("its page shows every image once", () => {
  const images = [...textOf("/").matchAll(/src="(.+\.bmp)"/g)]
    .map(([, path = ""]) => path);

  assert.equal(new Set(images).size, IMAGES);
  assert.ok(images.every((path) => files.has(path)));
});
