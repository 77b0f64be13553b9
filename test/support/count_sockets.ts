/**
 * A program that counts TCP sockets: for each line of port numbers, it prints how many open sockets have one of them as
 * their local or remote port. It is a process of its own because Deno requires all permissions to read Linux's table.
 */
const encoder = new TextEncoder();

/** A line of proc_pid_net(5): number, both addresses, state, queues, timer, retransmits, user, timeout, inode. */
const LINE =
  /^ *\d+: \w+:(\w{4}) \w+:(\w{4}) \w\w \w+:\w+ \w+:\w+ \w+ +\d+ +\d+ (\d+) /;

function countAt(ports: ReadonlySet<number>): number {
  let count = 0;
  for (const line of Deno.readTextFileSync("/proc/net/tcp").split("\n")) {
    const [, local = "", remote = "", inode] = LINE.exec(line) ?? [];
    // A socket that no process holds any more, such as one in TIME_WAIT, has no inode.
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
