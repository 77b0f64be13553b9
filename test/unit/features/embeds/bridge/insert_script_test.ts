import { StreamError } from "../../../../../src/stream/stream_error.ts";
import fc from "fast-check";
import assert from "node:assert/strict";
import {
  MAX_SEARCHED_BYTES,
  withScript,
} from "../../../../../src/features/embeds/bridge/insert_script.ts";
import type {
  BodyReader,
  Bytes,
} from "../../../../../src/stream/body_reader.ts";
import { fromLatin1, toLatin1 } from "../../../../support/latin1.ts";
import { withCode } from "../../../../support/upstream.ts";

const SCRIPT = "[script]";

/** A body of these pieces. */
function bodyOf(pieces: readonly Bytes[]): BodyReader {
  const left = pieces.values();
  return {
    read: () => Promise.resolve(left.next().value ?? null),
    cancel() {},
  };
}

/** What has become of a document that arrives in these pieces. */
async function passed(...pieces: string[]): Promise<string> {
  const given = pieces.filter((piece) => piece !== "").map(fromLatin1);
  const body = withScript(bodyOf(given), fromLatin1(SCRIPT));
  assert.ok(!(body instanceof Uint8Array));
  let text = "";
  for (;;) {
    const bytes = await body.read();
    if (bytes === null) return text;
    text += toLatin1(bytes);
  }
}

/** Checks what becomes of a document, however it is cut. */
async function check(document: string, expected: string): Promise<void> {
  for (let at = 0; at <= document.length; at++) {
    const pieces = [document.slice(0, at), document.slice(at)];
    assert.equal(await passed(...pieces), expected, pieces.join(" | "));
  }
  assert.equal(await passed(...document), expected, document);
  const whole = withScript(fromLatin1(document), fromLatin1(SCRIPT));
  assert.ok(whole instanceof Uint8Array);
  assert.equal(toLatin1(whole), expected);
}

Deno.test("the script comes right behind the first head tag, wherever a document is cut", async () => {
  for (
    const document of [
      "<head>^<title>a</title>",
      "<!doctype html><html lang=en><head>^<meta charset=utf-8></head>",
      "\xef\xbb\xbf<!DOCTYPE html>\r\n<html>\r\n<HEAD\r\n>^<title>",
      "<head>^<head>",
      "<header><head>^",
      "<head/>^",
      "\xff<head>^",
      "a < b <3 <<head>^",
      "< head><head>^",
      "<br /><b>Warning</b>: a>b<!doctype html><html><head>^",
      // Attributes
      `<head a="b>c" d='>"'>^`,
      `<head a="b"c='d>e'>^`,
      `<head a = ">">^`,
      `<head\ta\n=\f'>'>^`,
      "<head a= >^",
      `<head a=b"c>^">`,
      `<head a"b>^">`,
      `<head ="a>^">`,
      `<head / ="a>^">`,
      `<head a/b=">">^`,
      `<head a =b=">^">`,
      "<head a=b/>^",
      `<html class=">"><head>^`,
      // End tags
      "</head><head>^",
      `</head a="><head>"><head>^`,
      "</><head>^",
      "</ <head><head>^",
      // Declarations
      `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "a"><head>^`,
      `<!DOCTYPE html "><head>^">`,
      "<!><head>^",
      "<!-><head>^",
      "<!-a><head>^",
      "<?xml version='1.0'?><head>^",
      "<?><head>^",
      "<![CDATA[a]]><head>^",
      // Comments
      "<!-- <head> --><head>^",
      "<!--\n[if IE]><head><![endif]\n--><head>^",
      "<!--><head>^",
      "<!---><head>^",
      "<!----><head>^",
      "<!-----><head>^",
      "<!-- a --!><head>^",
      "<!----!><head>^",
      "<!--!> <head> --><head>^",
      "<!---!> <head> --><head>^",
      "<!-- -- > -> --!a> <head> --><head>^",
      "<!-- <!-- <head> --><head>^",
    ]
  ) await check(document.replace("^", ""), document.replace("^", SCRIPT));
});

Deno.test("a document without a head tag, or with one that is none, stays as it is", async () => {
  for (
    const document of [
      "",
      "a",
      "<html><body>a</body></html>",
      "<header>",
      "<heads>",
      "<head",
      "<head ",
      `<head a="`,
      `<head a="'>`,
      "</head>",
      "</ <head>",
      "<!-- <head>",
      "<!--!><head>",
      "<!-- --! ><head>",
      "<![CDATA[<head>",
      "<? <head>",
      // What looks like a tag within these is text.
      "<title><head></title>",
      "<TITLE>a</TITLE><head>",
      `<script>"<head>"</script><head>`,
      "<style a>/* <head> */</style>",
      "<textarea><head></textarea>",
      "<noscript><head></noscript>",
      "<template><head></template>",
      "<svg><head></svg>",
    ]
  ) await check(document, document);
});

Deno.test("a document in UTF-16 stays as it is, also if its text looks like a head tag in ASCII", async () => {
  for (const mark of ["\xff\xfe", "\xfe\xff"]) {
    await check(`${mark}<head><title>`, `${mark}<head><title>`);
  }
  const wide = [..."<html><head>"].join("\0");
  await check(`${wide}\0`, `${wide}\0`);
  await check(`\xff\xfe${wide}\0`, `\xff\xfe${wide}\0`);
  await check(`\xfe\xff\0${wide}`, `\xfe\xff\0${wide}`);
});

Deno.test("the head tag has to end within the first 64 KiB", async () => {
  const space = " ".repeat(MAX_SEARCHED_BYTES - "<head>".length);
  assert.equal(await passed(space, "<head>", "a"), `${space}<head>${SCRIPT}a`);
  assert.equal(await passed(`${space}<head>a`), `${space}<head>${SCRIPT}a`);
  assert.equal(await passed(`${space} <head>`), `${space} <head>`);
  assert.equal(await passed(space, " ", "<head>"), `${space} <head>`);
  const comment = `<!--${"-".repeat(MAX_SEARCHED_BYTES)}`;
  assert.equal(await passed(...comment, "><head>"), `${comment}><head>`);
});

Deno.test("without the script, a document of any bytes in any pieces is what it was", async () => {
  const token = fc.constantFrom(
    ...[
      "<head",
      "<head>",
      "<",
      ">",
      "/",
      "=",
      '"',
      "'",
      "!",
      "-",
      "--",
      "<!--",
    ],
    ...["-->", "<html", "</", "<?", " ", "\n", "\0", "\xff", "\xfe", "a", "é"],
  );
  const pieces = fc.array(
    fc.oneof(
      fc.array(token, { minLength: 1, maxLength: 8 }).map((all) =>
        all.join("")
      ),
      fc.uint8Array({ minLength: 1, maxLength: 8 })
        .map((bytes) => String.fromCharCode(...bytes)),
    ),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(pieces, async (pieces) => {
      const document = pieces.join("");
      const result = await passed(...pieces);
      assert.equal(result.replace(SCRIPT, ""), document);
      assert.equal(await passed(...document), result);
      const at = result.indexOf(SCRIPT);
      if (at >= 0) assert.match(document.slice(0, at), /<head[^]*>$/i);
    }),
    { numRuns: 500 },
  );
});

Deno.test("of a document of 5 MiB each part goes out before the next one exists", async () => {
  const part = new Uint8Array(64 * 1024).fill(0x61);
  const first = fromLatin1("<!doctype html><html><he");
  const rest = Array.from({ length: 80 }, () => part);
  const parts = [first, fromLatin1("ad><title>"), ...rest];
  let made = 0;
  const source: BodyReader = {
    read: () => Promise.resolve(parts[made++]?.slice() ?? null),
    cancel() {},
  };
  const body = withScript(source, fromLatin1(SCRIPT));
  assert.ok(!(body instanceof Uint8Array));
  assert.deepEqual(await body.read(), first);
  assert.equal(made, 1);
  const second = await body.read();
  assert.equal(toLatin1(second ?? new Uint8Array()), `ad>${SCRIPT}<title>`);
  for (let count = 3; count <= parts.length; count++) {
    assert.deepEqual(await body.read(), part);
    assert.equal(made, count);
  }
  assert.equal(await body.read(), null);
});

Deno.test("a body that fails or is given up does so through the script", async () => {
  const { promise, reject } = Promise.withResolvers<Bytes | null>();
  const source: BodyReader = {
    read: () => promise,
    cancel: () => reject(new StreamError("aborted", "cancelled")),
  };
  const body = withScript(source, fromLatin1(SCRIPT));
  assert.ok(!(body instanceof Uint8Array));
  const failing = assert.rejects(body.read(), withCode("aborted"));
  body.cancel();
  await failing;
});
