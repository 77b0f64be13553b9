import assert from "node:assert/strict";
import { preferredLanguage } from "../../../src/http/accept_language.ts";

const LANGUAGES = new Set(["de", "en", "pt-br", "zh-hant"]);

Deno.test("preferredLanguage() takes the first by weight, and a language for its varieties", () => {
  for (
    const [header, language] of [
      ["de", "de"],
      ["de-AT", "de"],
      ["DE-at-1996, en", "de"],
      ["fr, de", "de"],
      ["en;q=0.5, de;q=0.8", "de"],
      ["en; q=0.5 , de ; q=0.8", "de"],
      ["de;q=0, en;q=0.1", "en"],
      ["de;q=0.3,en;q=0.3", "de"],
      ["pt-BR,pt;q=0.9,en;q=0.8", "pt-br"],
      ["zh-Hant-TW", "zh-hant"],
      // A variety is not all of its language.
      ["pt", undefined],
      ["zh-Hans", undefined],
      ["fr", undefined],
      ["*", undefined],
      ["de;q=x", undefined],
      ["-, ;q=1, ,", undefined],
      ["", undefined],
      [null, undefined],
    ] as const
  ) {
    assert.equal(preferredLanguage(header, LANGUAGES), language, `${header}`);
  }
});

Deno.test("preferredLanguage() reads no more of a long header than browsers send", () => {
  const long = "fr,".repeat(200);
  assert.equal(preferredLanguage(`de,${long}`, LANGUAGES), "de");
  assert.equal(preferredLanguage(`${long}de`, LANGUAGES), undefined);
  const deep = "x-".repeat(30_000);
  assert.equal(preferredLanguage(deep, LANGUAGES), undefined);
});
