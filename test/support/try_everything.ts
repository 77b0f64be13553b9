/** A program that attempts what a compromised program would, and reports what it was allowed to do. */
const attempts: Record<string, () => unknown> = {
  "read a file": () => Deno.readTextFile("/etc/passwd"),
  "read the source": () => Deno.readTextFile("./src/main.ts"),
  "write a file": () => Deno.writeTextFile("./src/planted.ts", ""),
  "write outside": () => Deno.writeTextFile("/tmp/planted", ""),
  "run a program": () => new Deno.Command("sh").output(),
  "run deno": () => new Deno.Command("deno").output(),
  "load a library": () => Deno.dlopen("libc.so.6", {}),
  "ask about the system": () => Deno.hostname(),
};

const allowed: string[] = [];
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    await attempt();
    allowed.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) allowed.push(name);
  }
}
await Deno.stdout.write(
  new TextEncoder().encode(
    JSON.stringify({ tried: Object.keys(attempts).length, allowed }),
  ),
);
