/** The judgement on a dev server: what is worse than described, and what is better. */
import assert from "node:assert/strict";
import type { DevServer } from "./dev_server.ts";
import { inWords } from "./in_words.ts";
import type { Fault, Row } from "./matrix.ts";
import { judge } from "./verdict.ts";

const SERVER: DevServer = {
  name: "one",
  title: "One",
  packages: { npm: { one: "1.0.0" } },
  files: () => ({}),
  command: () => ["one"],
  checks: [],
};
const LINE = { text: "`one: true`", reason: "It must." };

function fault(
  what: Fault["what"],
  schemes: Fault["schemes"] = ["http", "https"],
): Fault {
  return { what, schemes, error: new Error(what) };
}

function complaints(server: Partial<DevServer>, faults: Row["faults"]) {
  return judge({ server: { ...SERVER, ...server }, version: "1.0.0", faults })
    .map(({ text }) => text);
}

Deno.test("a dev server that needs nothing has to work as it is", () => {
  assert.deepEqual(complaints({}, { auto: [] }), []);
  assert.deepEqual(complaints({}, { auto: [fault("edit")] }), [
    "It does not work as it is.",
  ]);
});

Deno.test("one that needs a line has to work with it, and to need it", () => {
  const broken = { auto: [fault("form")], line: [] };
  assert.deepEqual(complaints({ line: LINE }, broken), []);
  assert.deepEqual(
    complaints({ line: LINE }, { ...broken, line: [fault("form")] }),
    ["It does not work with its line."],
  );
  assert.deepEqual(complaints({ line: LINE }, { auto: [], line: [] }), [
    "It works as it is now: its line and label can go.",
  ]);
});

Deno.test("one that needs the label has to work with it", () => {
  const auto = [fault("form")];
  const server = { worksInLocal: true } as const;
  assert.deepEqual(complaints(server, { auto, local: [] }), []);
  assert.deepEqual(complaints(server, { auto, local: auto }), [
    "It does not work in `local`.",
  ]);
});

Deno.test("what works in `pass` has to work in `auto`, over each scheme", () => {
  const worse = ["What works in `pass` does not in `auto`."];
  const server = { worksInLocal: true } as const;
  const auto = [fault("form")];
  const local: Fault[] = [];
  assert.deepEqual(
    complaints(server, { auto, local, pass: [fault("form"), fault("edit")] }),
    [],
  );
  assert.deepEqual(
    complaints(server, { auto, local, pass: [fault("form", ["http"])] }),
    worse,
  );
  assert.deepEqual(complaints(server, { auto, local, pass: [] }), worse);
  // Without a page, nothing else was tried.
  assert.deepEqual(
    complaints(server, { auto, local, pass: [fault("page")] }),
    [],
  );
});

Deno.test("the table says what does not work, and over which scheme if the other one does", () => {
  assert.equal(inWords([]), "works");
  assert.equal(
    inWords([fault("edit"), fault("form", ["https"])]),
    "edits do not arrive; forms refused (https)",
  );
  assert.equal(inWords(undefined), "");
});
