/** Generated from src/features/inspect/curl.js (`deno task gen`): edit that file, not this one. */
const text: string = `"use strict";

/** What every shell leaves as it is between double quotes: those of POSIX, fish, PowerShell and cmd.exe. */
const SAFE = /^[A-Za-z0-9 #&()*+,./:;<=>?@[\\]^_{|}~-]*$/;

/** The octets of a URL that are not safe there; a \`%\` only as part of what is encoded. */
const UNSAFE = /[^A-Za-z0-9%&()*+,./:;=?@[\\]_~-]|%(?![0-9A-Fa-f]{2})/gu;

const UNSENT = /^(?:host|connection|content-length|transfer-encoding|…)$/i;

const percent = (text) =>
  Array.from(
    new TextEncoder().encode(text),
    (byte) => \`%\${byte.toString(16).toUpperCase().padStart(2, "0")}\`,
  ).join("");

/** What of a request such a command does not send, for people to read; empty if it sends all of it. */
// deno-lint-ignore no-unused-vars -- inspect.js calls it
function leftOutOf({ headers, receivedBytes }) {
  const sent = headers.filter(([name]) => !UNSENT.test(name));
  const named = (why, test) => {
    const names = sent.filter(test).map(([name]) => name);
    return names.length === 0 ? [] : [\`\${names.join(", ")} (\${why})\`];
  };
  const isHidden = ([, value]) => value.includes("(hidden)");
  return [
    ...named("hidden here", isHidden),
    ...named(
      "unsafe in a shell",
      (field) => !isHidden(field) && !SAFE.test(field.join(": ")),
    ),
    ...receivedBytes > 0 ? [\`the content, \${receivedBytes} B\`] : [],
  ].join("; ");
}

/**
 * A command that sends a request again, on one line, without its content and what was hidden. Whoever sent the request
 * must not have anything run where it is pasted, whatever the shell: headers with anything unsafe are left out.
 */
// deno-lint-ignore no-unused-vars -- inspect.js calls it
function curlOf({ method, headers, url }) {
  const fields = headers.filter(([name, value]) =>
    !UNSENT.test(name) && !value.includes("(hidden)")
  ).map(([name, value]) => \`\${name}: \${value}\`);
  const address = url.replace(UNSAFE, percent)
    // Nor may cmd.exe take what is between two \`%\` for the name of a variable, such as DATABASE.
    .replace(
      /(%[A-Fa-f][0-9A-Fa-f])(\\w)/g,
      (_, one, two) => one + percent(two),
    );
  return [
    "curl --path-as-is --globoff --compressed",
    SAFE.test(method) ? \`--request "\${method}"\` : "",
    ...fields.filter((field) => SAFE.test(field))
      .map((field) => \`--header "\${field}"\`),
    \`"\${address}"\`,
  ].filter((part) => part !== "").join(" ");
}
`;
export default text;
