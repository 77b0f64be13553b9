/**
 * A process of its own that counts TCP sockets: asked with port numbers in a line, it says how many sockets at either end
 * of a connection from or to them are in somebody's hands. It reads Linux's own table, for which Deno wants all permissions.
 */
const encoder = new TextEncoder();

/** The fields of a line: number, both addresses, state, queues, timer, retransmits, user, timeout, inode. */
const LINE =
  /^ *\d+: \w+:(\w{4}) \w+:(\w{4}) \w\w \w+:\w+ \w+:\w+ \w+ +\d+ +\d+ (\d+) /;

function countAt(ports: ReadonlySet<number>): number {
  let count = 0;
  for (const line of Deno.readTextFileSync("/proc/net/tcp").split("\n")) {
    const [, local = "", remote = "", inode] = LINE.exec(line) ?? [];
    // What nobody holds any more, such as TIME_WAIT, has no inode.
    if (inode === undefined || inode === "0") continue;
    if ([local, remote].some((port) => ports.has(parseInt(port, 16)))) count++;
  }
  return count;
}

for await (const line of Deno.stdin.readable) {
  const ports = new TextDecoder().decode(line).trim().split(" ").map(Number);
  const answer = `${countAt(new Set(ports))}\n`;
  await Deno.stdout.write(encoder.encode(answer));
}
