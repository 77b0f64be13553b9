/**
 * Where the start tag `<head>` of a document ends, as browsers see it (HTML, section 13.2.5). That needs no tree: what
 * could hide a tag within text ends the search.
 */

/** Takes a document's characters one by one; returns at a tag's end. */
type Search<T> = Generator<undefined, T, string>;

/** Elements whose content looks like tags and is none, or is no part of the document. */
const OPAQUE =
  /^(?:iframe|math|no(?:embed|frames|script)|plaintext|script|style|svg|te(?:mplate|xtarea)|title|xmp)$/;

/** Returns true right behind the first `<head>`, or false where none can follow. The encoding has ASCII as it is, or a UTF-16 mark. */
export function* headSearch(): Search<boolean> {
  let char = yield;
  if (char === "\xfe" || char === "\xff") {
    const mark = char;
    char = yield;
    if (char !== mark && (char === "\xfe" || char === "\xff")) return false;
  }
  for (;;) {
    if (char !== "<") {
      char = yield;
      continue;
    }
    char = yield;
    if (isLetter(char)) {
      const name = yield* restOfTag(char);
      if (name === "head") return true;
      if (OPAQUE.test(name)) return false;
    } else if (char === "/") {
      char = yield;
      if (isLetter(char)) yield* restOfTag(char);
      else yield* through(">", char);
    } else if (char === "!") yield* restOfDeclaration();
    else if (char === "?") yield* through(">", char);
    else continue; // text, which may be another "<"
    char = yield;
  }
}

function isLetter(char: string): boolean {
  return /[a-z]/i.test(char);
}

function isSpace(char: string): boolean {
  return /[\t\n\f\r ]/.test(char);
}

/** Through the next `end`, which the character at hand may be. */
function* through(end: string, atHand: string): Search<void> {
  let char = atHand;
  while (char !== end) char = yield;
}

/** Through a tag, from the first letter of its name, which is returned in lower case. Quotes count around values only. */
function* restOfTag(first: string): Search<string> {
  let name = "";
  let char = first;
  while (!/[\t\n\f\r />]/.test(char)) {
    name += char;
    char = yield;
  }
  while (char !== ">") {
    if (isSpace(char) || char === "/") {
      char = yield;
      continue;
    }
    // An attribute, whose name may begin with "=".
    do char = yield; while (!/[\t\n\f\r />=]/.test(char));
    while (isSpace(char)) char = yield;
    if (char !== "=") continue;
    do char = yield; while (isSpace(char));
    if (char === '"' || char === "'") {
      yield* through(char, yield);
      char = yield;
    } else {
      while (char !== ">" && !isSpace(char)) char = yield;
    }
  }
  return name.toLowerCase();
}

/** Through a doctype or a comment, from behind its `<!`. */
function* restOfDeclaration(): Search<void> {
  let char = yield;
  if (char !== "-") return yield* through(">", char);
  char = yield;
  if (char !== "-") return yield* through(">", char);
  // The opening dashes count for `-->`, but not for `--!>`.
  let dashes = 2;
  let isBang = false;
  for (let at = 0;; at++) {
    char = yield;
    if (char === ">" && (dashes >= 2 || isBang)) return;
    isBang = char === "!" && dashes >= 2 && at >= 2;
    dashes = char === "-" ? dashes + 1 : 0;
  }
}
