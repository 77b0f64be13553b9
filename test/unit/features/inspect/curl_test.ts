import assert from "node:assert/strict";
import curl from "../../../../src/features/inspect/curl.js" with {
  type: "text",
};
import { testsThatNeed } from "../../../support/needs_program.ts";

interface Sent {
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly url: string;
}

const curlOf: (sent: Sent) => string = new Function(
  `${curl}; return curlOf;`,
)();

const leftOutOf: (
  sent: Pick<Sent, "headers"> & { readonly receivedBytes: number },
) => string = new Function(`${curl}; return leftOutOf;`)();

const ORIGIN = "https://3000-box.preview.example.com";

/** What a stranger can have sent to a public preview, to have something run in one shell or another. */
const HOSTILE: readonly string[] = [
  `\\' ; echo pwned #`,
  `'; echo pwned; '`,
  `" ; echo pwned ; "`,
  "`echo pwned`",
  "$(echo pwned)",
  "(echo pwned)",
  "& echo pwned &",
  "| echo pwned",
  "%PATH%",
  "!echo",
  "\u2019; echo pwned; \u2019",
  "\u201d; echo pwned; \u201d",
  "\r\necho pwned\r\n",
  "\\",
];

/** The request that a stranger has sent. */
function hostile(text: string): Sent {
  return {
    method: "GET",
    headers: [["x-a", text], ["x-b\\", "1"], ["x-c", `1${text}`], ["x-d", "2"]],
    url: `${ORIGIN}/${text}?a=${text}&b=%7E${text}`,
  };
}

Deno.test("what a command leaves out is said, by the names of the headers and why", () => {
  const headers = [
    ["host", "h"],
    ["accept", "*/*"],
    ["cookie", "a=(hidden)"],
    ["authorization", "(hidden)"],
    ["x-quote", "a'b"],
  ] as const;
  assert.equal(
    leftOutOf({ headers, receivedBytes: 5 }),
    "cookie, authorization (hidden here); x-quote (unsafe in a shell); the content, 5 B",
  );
  const sent = headers.slice(0, 2);
  assert.equal(leftOutOf({ headers: sent, receivedBytes: 0 }), "");
});

Deno.test("a command sends the same request again, without what was hidden or is of the connection", () => {
  const command = curlOf({
    method: "PUT",
    headers: [
      ["host", "3000-box.preview.example.com"],
      ["accept", "text/html;q=0.9, */*"],
      ["user-agent", "Mozilla/5.0 (X11; Linux x86_64) {a} <b> #1"],
      ["cookie", "app=(hidden)"],
      ["content-length", "4"],
      ["if-none-match", '"etag"'],
    ],
    url: `${ORIGIN}/a/./b(1)?q=1&r=%20+;x=[y]*&s=\u00fc'#`,
  });
  assert.equal(
    command,
    "curl --path-as-is --globoff --compressed" +
      ' --request "PUT"' +
      ' --header "accept: text/html;q=0.9, */*"' +
      ' --header "user-agent: Mozilla/5.0 (X11; Linux x86_64) {a} <b> #1"' +
      ` "${ORIGIN}/a/./b(1)?q=1&r=%20+;x=[y]*&s=%C3%BC%27%23"`,
  );
});

Deno.test("nothing of a request ends a command's quotes, or means anything between them, in any shell", () => {
  const quoted = /"[A-Za-z0-9 #&()*+,./:;<=>?@[\]^_{|}~-]*"/.source;
  const url = /"https:[A-Za-z0-9%&()*+,./:;=?@[\]_~-]*"/.source;
  const whole = new RegExp(
    `^curl( --[a-z-]+)+( --request ${quoted})?( --header ${quoted})* ${url}$`,
  );
  for (const text of HOSTILE) {
    const command = curlOf({ ...hostile(text), method: `GET${text}` });
    assert.match(command, whole, text);
    assert.match(command, / --header "x-d: 2"/);
    for (const [octet] of command.matchAll(/%.{0,2}/g)) {
      assert.match(octet, /^%[0-9A-Fa-f]{2}$/, text);
    }
  }
});

Deno.test("cmd.exe finds no variable's name in an address", () => {
  const command = curlOf({
    method: "GET",
    headers: [],
    url: `${ORIGIN}/%DATABASE_URL%20?%PATH%&%access_TOKEN%2F`,
  });
  for (const [, name = ""] of command.matchAll(/%([^%]*)(?=%)/g)) {
    assert.match(name, /^(?:[0-9]|[A-F][0-9A-F]$|[a-f][0-9a-f]$)/);
  }
  const sent = decodeURIComponent(
    (command.match(/https:[^"]*/)?.[0] ?? "").replace(/%D[AB]|%ac/g, "_"),
  );
  assert.equal(sent, `${ORIGIN}/_TABASE_URL ?%PATH%&_cess_TOKEN/`);
});

const SHELLS = {
  bash: `curl() { printf '<%s>' "$@"; }\n`,
  fish: `function curl; printf '<%s>' $argv; end\n`,
};

for (const [shell, definition] of Object.entries(SHELLS)) {
  const test = await testsThatNeed(shell);
  test(`what ${shell} makes of a command is one request, whatever a stranger has sent`, async () => {
    for (const text of HOSTILE) {
      const command = curlOf(hostile(text));
      const { stdout, stderr } = await new Deno.Command(shell, {
        args: ["-c", definition + command],
      }).output();
      const [output, errors] = [stdout, stderr].map((bytes) =>
        new TextDecoder().decode(bytes)
      );
      const [url = ""] = command.match(/https:[^"]*/) ?? [];
      assert.equal(errors, "", text);
      assert.ok(output?.endsWith(`<--header><x-d: 2><${url}>`), text);
      const words = output?.match(/<[^>]*>/g) ?? [];
      assert.equal(words.join(""), output, text);
    }
  });
}
