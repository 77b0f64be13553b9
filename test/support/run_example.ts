/** An example of the documents, for a shell, run against a gateway of the tests. */
import assert from "node:assert/strict";

const DOMAIN = "preview.example.com";
const PREVIEW = `3000-locked.${DOMAIN}`;

/** Runs a script whose curl reaches the gateway for every host; resolves to what it printed. */
export async function runExample(
  script: string,
  { port }: { readonly port: number },
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const prelude = [
    "set -e -o pipefail",
    `curl() { command curl -sS --noproxy '*' --connect-to ${DOMAIN}::127.0.0.1:${port} ` +
    `--connect-to ${PREVIEW}:80:127.0.0.1:${port} "$@"; }`,
    // Without the program, which a runner of GitHub's has.
    `jq() { sed -E 's/.*"value": *"([^"]+)".*/\\1/'; }`,
  ];
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: [
      "-c",
      [...prelude, script.replaceAll("https://3000-", "http://3000-")]
        .join("\n"),
    ],
    env,
  }).output();
  const [out = "", err = ""] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  assert.equal(code, 0, `${err}\n${out}`);
  return out;
}
