const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes text for element content and quoted attribute values. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}

/** A text of a page, with HTML in the place of each `{name}` that has some. */
export function filled(
  text: string,
  html: Readonly<Record<string, string>>,
): string {
  return text.trimEnd().replace(
    /\{(\w+)\}/g,
    (mark, name) => html[name] ?? mark,
  );
}
