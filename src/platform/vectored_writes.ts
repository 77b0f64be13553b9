/**
 * Deno 2.9.6 copies each message of a WebSocket from `Deno.upgradeWebSocket()` before it writes it, into a buffer that
 * grows with the longest message and is kept until the WebSocket closes: a message of 16 MiB costs 32 MiB on its way,
 * and 16 MiB ever after. No upstream issue is known.
 *
 * Instead, it is told to write header and message apart, by a variable that it reads with the first upgrade.
 */

/** The variable of the environment to set before the first upgrade, to any value. */
export const VECTORED_WRITES = "DENO_USE_WRITEV";
