/**
 * Limits the number of file descriptors of the program that it is preloaded into (`deno run --preload`). Deno raises
 * the soft limit itself, and `ulimit` would need a shell, so this calls setrlimit(2) of libc.
 */

/** The soft and the hard limit. */
const LIMIT = BigInt(Deno.env.get("FEW_DESCRIPTORS") ?? 80);

/** Linux's resource number for open files. */
const RLIMIT_NOFILE = 7;

const libc = Deno.dlopen("libc.so.6", {
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
});
const bounds = new BigUint64Array([LIMIT, LIMIT]);
if (libc.symbols.setrlimit(RLIMIT_NOFILE, bounds) !== 0) {
  throw new Error("Cannot limit the number of files");
}
libc.close();
