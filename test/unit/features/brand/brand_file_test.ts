import assert from "node:assert/strict";
import { contentOf } from "../../../../src/config/settings_file.ts";
import { brandFile } from "../../../../src/features/brand/brand_file.ts";
import { readDocument } from "../../../support/documents.ts";

/** The eight bytes that all PNGs begin with, and those of the first chunk's length. */
const PNG_HEAD = [137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13];

const MAX_BYTES = 32_768;

/** An SVG of so many bytes. */
function svgOf(bytes: number): string {
  const [head, tail] = ['<svg xmlns="http://www.w3.org/2000/svg">', "</svg>"];
  return head + "é".repeat((bytes - head.length - tail.length) / 2) + tail;
}

/** A PNG of so many bytes, in Base64; nobody looks at more than its head. */
function pngOf(bytes: number): string {
  const png = new Uint8Array(bytes);
  png.set(PNG_HEAD);
  return png.toBase64();
}

function read(text: string) {
  return contentOf(brandFile("brand.yaml"), text);
}

/** What it makes of a logo. */
function logoOf(logo: string): string | undefined {
  const result = read(JSON.stringify({ name: "x", logo }));
  return result.ok ? result.value.logo : undefined;
}

Deno.test("the file in the documentation is one, whether it is YAML or JSON", async () => {
  const page = await readDocument("docs/features/brand.md");
  const [, yaml = ""] = /```yaml\n([^]*?)```/.exec(page) ?? [];
  const result = read(yaml);
  assert(result.ok, yaml);
  const { logo = "", ...brand } = result.value;
  assert.deepEqual(brand, {
    name: "Acme Previews",
    colors: { light: "#c2410c", dark: "#fb923c" },
    help: "https://help.acme.example/previews",
    texts: {
      port_closed: {
        en: { hint: "Ask the assistant to start your app." },
        de: {
          title: "Deine App läuft noch nicht",
          detail: "Auf diesem Port der Sandbox antwortet kein Programm.",
          hint: "Bitte den Assistenten, deine App zu starten.",
        },
      },
    },
  });
  const svg = atob(logo.replace("data:image/svg+xml;base64,", ""));
  assert.match(
    svg,
    /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^]*<circle/,
  );
  const { texts, ...others } = brand;
  const json = JSON.stringify({ ...others, texts, logo: svg });
  assert.deepEqual(read(json), result);
});

Deno.test("a name is enough, and languages may be in any case", () => {
  assert.deepEqual(read("name: Acme"), { ok: true, value: { name: "Acme" } });
  const folded = "name: >\n  Acme\n  Previews\n";
  assert.deepEqual(read(folded), {
    ok: true,
    value: { name: "Acme Previews" },
  });
  const text = { "pt-BR": { title: "Não" }, "zh-Hant": { hint: "試" } };
  const result = read(JSON.stringify({ name: "x", texts: { internal: text } }));
  assert(result.ok);
  assert.deepEqual(Object.keys(result.value.texts?.internal ?? {}), [
    "pt-br",
    "zh-hant",
  ]);
});

Deno.test("a logo is an SVG or a PNG of 32 KiB at most, and becomes a data: URL", () => {
  for (
    const svg of [
      svgOf(100),
      svgOf(MAX_BYTES),
      `<?xml version="1.0"?>\n<svg xmlns='http://www.w3.org/2000/svg'></svg>\n`,
      '<svg width="1"\n  xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    ]
  ) {
    const url = logoOf(svg) ?? assert.fail(svg.slice(0, 80));
    const [, base64 = ""] = /^data:image\/svg\+xml;base64,(.+)$/.exec(url) ??
      [];
    const bytes = Uint8Array.fromBase64(base64);
    assert.equal(new TextDecoder().decode(bytes), svg);
  }
  for (const bytes of [50, 51, 52, MAX_BYTES - 1, MAX_BYTES]) {
    const base64 = pngOf(bytes);
    const url = `data:image/png;base64,${base64}`;
    assert.equal(logoOf(base64), url, `${bytes}`);
    assert.equal(logoOf(url), url);
    assert.equal(logoOf(base64.replace(/(.{60})/g, "$1\n")), url);
  }
});

/** A file that is no good, and what is said of it. */
const BAD: readonly (readonly [file: unknown, problem: RegExp])[] = [
  ["", /^: .*expected object/],
  ["- name: x", /^: .*expected object/],
  ["name: x\nname: y", /unique/],
  ["name: [x", /at line 1/],
  ["name: x\n---\nname: y", /multiple documents/],
  ["\tname: x", /[Tt]abs|indentation|Plain value/],
  [{}, /^\/name: /],
  [{ name: null }, /^\/name: /],
  [{ name: 7 }, /^\/name: /],
  [{ name: "  " }, /^\/name: /],
  [{ name: "x".repeat(61) }, /^\/name: .*60/],
  [{ name: "two\nlines" }, /^\/name: must be one line/],
  [{ name: "x\0" }, /^\/name: must be one line/],
  [{ name: "x", title: "y" }, /Unrecognized key: "title"/],
  [{ name: "x", logo: "" }, /^\/logo: must be an SVG/],
  [{ name: "x", logo: "https://x.test/logo.png" }, /^\/logo: must be/],
  [{ name: "x", logo: "<svg></svg>" }, /^\/logo: .*xmlns/],
  [{ name: "x", logo: "<html xmlns='x'></html>" }, /^\/logo: must be/],
  [{ name: "x", logo: svgOf(MAX_BYTES + 2) }, /^\/logo: .*32 KiB/],
  [{ name: "x", logo: pngOf(MAX_BYTES + 1) }, /^\/logo: .*32 KiB/],
  [{ name: "x", logo: pngOf(50).slice(1) }, /^\/logo: must be/],
  [{ name: "x", logo: `${pngOf(50)}">` }, /^\/logo: must be/],
  [{ name: "x", logo: "data:image/gif;base64,R0lGODlh" }, /^\/logo: must be/],
  [{ name: "x", colors: { light: "#c2410c" } }, /^\/colors\/dark: /],
  [
    { name: "x", colors: { light: "red", dark: "#fb923c" } },
    /^\/colors\/light: must be a color/,
  ],
  [
    { name: "x", colors: { light: "#c2410c;}", dark: "#fb923c" } },
    /^\/colors\/light: must be a color/,
  ],
  [
    { name: "x", colors: { light: "#fb923c", dark: "#fb923c" } },
    /^\/colors\/light: must have a contrast of 4.5 or more to #f6f7f9 and #ffffff/,
  ],
  [
    { name: "x", colors: { light: "#c2410c", dark: "#c2410c" } },
    /^\/colors\/dark: must have a contrast .* #101317 and #181c21/,
  ],
  // Enough on white, but not on the page around it.
  [
    { name: "x", colors: { light: "#767676", dark: "#fb923c" } },
    /^\/colors\/light: must have a contrast/,
  ],
  [{ name: "x", help: "http://x.test/" }, /^\/help: /],
  [{ name: "x", help: "javascript:alert(1)" }, /^\/help: /],
  [{ name: "x", help: "/docs" }, /^\/help: /],
  [{ name: "x", texts: { no_such_code: {} } }, /^\/texts: .*no_such_code/],
  [{ name: "x", texts: { internal: { german: {} } } }, /^\/texts\/internal\/g/],
  [{ name: "x", texts: { internal: { 'd"e': {} } } }, /^\/texts\/internal\/d/],
  [
    { name: "x", texts: { internal: { de: { body: "x" } } } },
    /^\/texts\/internal\/de: Unrecognized key/,
  ],
  [
    { name: "x", texts: { internal: { de: { title: "x".repeat(101) } } } },
    /^\/texts\/internal\/de\/title: /,
  ],
  [
    { name: "x", texts: { internal: { de: { hint: "" } } } },
    /^\/texts\/internal\/de\/hint: /,
  ],
];

for (const [file, problem] of BAD) {
  const text = typeof file === "string" ? file : JSON.stringify(file);
  Deno.test(`a file is refused: ${text.slice(0, 90)}`, () => {
    let told;
    try {
      const result = read(text);
      assert(!result.ok);
      told = result.problems;
    } catch (error) {
      told = [String(error).replace(/^\w+: /, "")]; // it is no YAML
    }
    assert.equal(told.length, 1, told.join("\n"));
    assert.match(told[0] ?? "", problem);
  });
}

Deno.test("all problems of a file are told at once", () => {
  const result = read(JSON.stringify({
    logo: "x",
    help: "x",
    colors: { light: "x", dark: "x" },
    texts: { internal: { de: { title: "" } } },
  }));
  assert(!result.ok);
  assert.deepEqual(result.problems.map((it) => it.split(":")[0]).sort(), [
    "/colors/dark",
    "/colors/light",
    "/help",
    "/logo",
    "/name",
    "/texts/internal/de/title",
  ]);
});

Deno.test("a file that would grow without end is refused", () => {
  const lines = ["a: &a0 [x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 12; i++) {
    lines.push(`a${i}: &a${i} [${Array(9).fill(`*a${i - 1}`).join(", ")}]`);
  }
  const result = read(lines.join("\n"));
  assert.match(result.ok ? "" : result.problems.join(), /alias/i);
});
