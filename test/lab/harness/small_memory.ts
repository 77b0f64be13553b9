/** The settings for a container of 256 MiB: those of docs/operate.md, which a test compares. */
export const SMALL_MEMORY: Readonly<Record<string, string>> = {
  BUFFER_BUDGET_BYTES: "16777216",
  MAX_MESSAGE_BYTES: "4194304",
  MAX_TUNNELS: "300",
  MAX_TUNNELS_PER_CLIENT: "20",
  MAX_CONCURRENT_EXCHANGES: "480",
  CACHE_MAX_ENTRIES: "2000",
};

/** Those for 512 MiB, where they are not the defaults. */
export const MEDIUM_MEMORY: Readonly<Record<string, string>> = {
  MAX_TUNNELS: "800",
  MAX_TUNNELS_PER_CLIENT: "50",
  MAX_CONCURRENT_EXCHANGES: "1000",
};

/** Those for so many MiB: the defaults from 1 GiB on. */
export function settingsFor(mib: number): Readonly<Record<string, string>> {
  if (mib < 512) return SMALL_MEMORY;
  return mib < 1024 ? MEDIUM_MEMORY : {};
}

/** The environment variables of the runtime that docs/operate.md gives besides. */
export const RUNTIME: Readonly<Record<string, string>> = {
  // The C library gives the memory of long messages back.
  MALLOC_MMAP_THRESHOLD_: "1048576",
  // V8 keeps less for short-lived objects.
  DENO_V8_FLAGS: "--max-semi-space-size=4",
};

/** Those for so many MiB, where V8 also collects what closed connections have left before it takes more than half. */
export function runtimeFor(mib: number): Readonly<Record<string, string>> {
  const half = `--max-old-space-size=${mib / 2}`;
  return { ...RUNTIME, DENO_V8_FLAGS: `${RUNTIME.DENO_V8_FLAGS},${half}` };
}
