/** The fronts as operators are told to set them up, without TLS, in front of two gateways on this machine. */
import { nginxCommand } from "../../support/nginx.ts";
import {
  caddyCommand,
  type Front,
  type FrontCommand,
  startFront,
} from "../harness/front.ts";

/** Their names. */
export const RESTART_FRONTS = ["nginx", "caddy", "haproxy"] as const;

/** One of them. */
export type RestartFront = typeof RESTART_FRONTS[number];

const ROOT = new URL("../../../", import.meta.url);

/** Starts a front of two gateways. */
export function startRestartFront(
  name: RestartFront,
  gateways: readonly number[],
): Promise<Front> {
  return startFront((folder, port) => COMMANDS[name](folder, port, gateways));
}

type CommandOf = (
  ...of: [...Parameters<FrontCommand>, gateways: readonly number[]]
) => Promise<string[]>;

const COMMANDS: Readonly<Record<RestartFront, CommandOf>> = {
  async nginx(folder, port, gateways) {
    const page = await read("docs/run/tls.md");
    const [, sample = ""] = /```nginx\n([^]*?)```/.exec(page) ?? [];
    const servers = gateways
      .map((each) => `server 127.0.0.1:${each} max_fails=0;`).join("\n  ");
    const http = replaced(sample, [
      [/server 127\.0\.0\.1:4000 .*/, servers],
      [/listen 443 ssl;/, `listen 127.0.0.1:${port} backlog=4096;`],
      [/server_name .*/, "server_name _;"],
      [/^ +(?:http2|ssl_certificate(?:_key)?) .*\n/gm, ""],
    ]);
    return await nginxCommand(folder, `access_log off;\n${http}`);
  },
  async caddy(folder, port, gateways) {
    const sample = await read("scripts/deploy/Caddyfile.rolling");
    const [snippet = ""] = /^\(gateway\) \{\n[^]*?^\}\n/m.exec(sample) ?? [];
    const upstreams = gateways.map((each) => `127.0.0.1:${each}`).join(" ");
    const site = replaced(snippet, [
      [/gateway-1:4000 gateway-2:4000/, upstreams],
    ]);
    return await caddyCommand(
      folder,
      `${site}
http://:${port} {
	bind 127.0.0.1
	import gateway
}
`,
    );
  },
  async haproxy(folder, port, gateways) {
    const sample = await read("scripts/deploy/haproxy.cfg");
    const [first = 0, second = 0] = gateways;
    const file = `${folder}/haproxy.cfg`;
    await Deno.writeTextFile(
      file,
      replaced(sample, [
        [/bind :443 .*/, `bind 127.0.0.1:${port}`],
        [/127\.0\.0\.1:4001/, `127.0.0.1:${first}`],
        [/127\.0\.0\.1:4002/, `127.0.0.1:${second}`],
      ]),
    );
    return ["haproxy", "-db", "-f", file];
  },
};

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

/** @throws {Error} if a sample does not have what is to be replaced */
function replaced(
  text: string,
  changes: readonly (readonly [RegExp, string])[],
): string {
  let result = text;
  for (const [pattern, replacement] of changes) {
    const next = result.replace(pattern, replacement);
    if (next === result) throw new Error(`The sample has no ${pattern}`);
    result = next;
  }
  return result;
}
