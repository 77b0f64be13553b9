/** The samples of nginx and HAProxy in front of gateways: a restart must cost nobody anything. */
import assert from "node:assert/strict";
import { configOf } from "../support/config.ts";
import { readDocument } from "../support/documents.ts";
import { testsThatNeed } from "../support/needs_program.ts";
import { textFile } from "../support/text_file.ts";
import { readDeployFile } from "./deploy_files.ts";

const { limits, upstream } = configOf();

const haproxy = await readDeployFile("haproxy.cfg");

const [, nginx = ""] = /```nginx\n([^]*?)```/
  .exec(await readDocument("docs/run/tls.md")) ?? [];

/** The number in a sample, in ms: the group of the pattern, of a unit that follows it. */
function msIn(text: string, pattern: RegExp): number {
  const [, count] = pattern.exec(text) ?? assert.fail(String(pattern));
  return Number(count) * 1000;
}

Deno.test("HAProxy notices within the delay that a gateway stops, and asks it nothing more", () => {
  assert.match(haproxy, /http-check send meth GET uri \/ready /);
  const pause = msIn(haproxy, /\bcheck inter (\d+)s\b/);
  const [, falls] = /\bfall (\d+)\b/.exec(haproxy) ?? [];
  assert(pause * (Number(falls) + 1) < limits.shutdownDelayMs);
});

Deno.test("fronts give idle connections up before a gateway that stops closes them", () => {
  const { shutdownDelayMs } = limits;
  assert(msIn(nginx, /^ {2}keepalive_timeout (\d+)s;/m) < shutdownDelayMs);
  // They go by halves, each after that time.
  assert(2 * msIn(haproxy, /\bpool-purge-delay (\d+)s\b/) < shutdownDelayMs);
});

Deno.test("nginx asks another gateway once one says that it stops, sends no POST twice, and takes none for down because of an app", () => {
  const [, next = ""] = /proxy_next_upstream ([^;]*);/.exec(nginx) ?? [];
  assert.deepEqual(next.split(" "), ["error", "timeout", "http_503"]);
  assert.match(nginx, /^ {2}server \S+ max_fails=0;/m);
});

Deno.test("fronts wait for an app for longer than the gateway does", () => {
  const { headerTimeoutMs } = upstream;
  assert(msIn(nginx, /proxy_read_timeout (\d+)s;/) > headerTimeoutMs);
  assert(msIn(haproxy, /timeout server (\d+)s$/m) > headerTimeoutMs);
});

const testHaproxy = await testsThatNeed("haproxy");

testHaproxy("HAProxy accepts the sample, but for its certificate", async () => {
  const text = haproxy.replace(/bind :443 .*/, "bind 127.0.0.1:443"); // which -c does not open
  await using file = await textFile(text);
  const args = ["-c", "-f", file.path];
  const { success, stderr } = await new Deno.Command("haproxy", { args })
    .output();
  assert(success, new TextDecoder().decode(stderr));
});
