/**
 * Deno 2.9.6, HTTP/2: the signal of a request never aborts for a client that disconnected before the signal was first
 * accessed; over HTTP/1.1 it does. No upstream issue is known.
 *
 * Instead, the signal of a request that may be HTTP/2 is accessed as soon as the request arrives. Not that of every
 * request: creating the signal costs more than most exchanges take.
 */
export function accessSignal(request: Request): void {
  void request.signal;
}
