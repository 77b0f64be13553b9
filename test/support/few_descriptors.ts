/**
 * Runs in front of a program (`deno run --preload`), which then may have few file descriptors. Deno takes all that it may have,
 * and a shell's `ulimit` needs a shell: so this asks libc.
 */

/** As many as a program may have. */
const LIMIT = 80n;

/** Linux's name for the number of files. */
const RLIMIT_NOFILE = 7;

const libc = Deno.dlopen("libc.so.6", {
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
});
const bounds = new BigUint64Array([LIMIT, LIMIT]);
if (libc.symbols.setrlimit(RLIMIT_NOFILE, bounds) !== 0) {
  throw new Error("Cannot limit the number of files");
}
libc.close();
