/** Goals that are not to be had with what the gateway is built on: each with a profile that shows it, and what was tried. */

/** Goals that one cause keeps out of reach, in Markdown. */
export interface Floor {
  /** By scenario and figure, as `judge()` names them. */
  readonly goals: readonly string[];
  /** In a few words. */
  readonly reason: string;
  readonly proof: string;
}

/** All of them. */
export const FLOORS: readonly Floor[] = [
  {
    goals: ["public, rate : fetch proxy"],
    reason: "of 31 µs, 26 are `Deno.serve` and HTTP/1.1 to the runner",
    proof:
      "A plain proxy on the gateway's client, which asks nobody and bounds nothing, has 1.6 of that rate (`--only floor`). Of the gateway's 31 µs, 13 are `Deno.serve`, as many HTTP/1.1 to the runner, and 5 its own work. Tried: small first buffers (0.95 of the rate); to use a response's memory again (0.97).",
  },
  {
    goals: ["burst-many, p99 beyond twice the API's"],
    reason:
      "each sandbox takes two questions and three new connections, 0.8 ms of processor time",
    proof:
      "Each sandbox takes two questions and three new connections, 0.8 ms of processor time, of which a third is the garbage collector, since all of it is alive, and a fifth the platform's JavaScript (`--profile burst-many`). Tried: one question instead of two (p99 778 ms instead of 809), which Daytona may answer for 10 s as it was before a sandbox became private; 256 connections to the API at most (0.93 of p99); small first buffers (1.04 of the processor time).",
  },
  {
    goals: ["body-64k, p99 : fetch proxy"],
    reason: "0.91 to 1.05 in four runs of the same source",
    proof:
      "It was 0.91, 0.92, 1.00 and 1.05 in four runs of the same source, of 12 to 18 rounds and in the last, which is stored, six: processes of the same differ by as much. A plain proxy on the gateway's client has 1.13 to 1.31. Of the processor time, a third is the platform's operations, and 3 % the garbage collector (`--profile body-64k`), which therefore is not what the slowest wait for. Tried: more and less room for new objects, and their collection on one thread (no difference); to pass a body on as it comes, rather than gather it (0.98); to wait 12 ms for the rest of it instead of 2 ms (1.03 to 1.11); to lend its memory rather than copy it (0.96, which is kept).",
  },
  {
    goals: [
      "chunked-1m, rate : fetch proxy",
      "body-1m, p99 : fetch proxy",
      "chunked-1m, p99 : fetch proxy",
    ],
    reason:
      "a third of the time is Deno's reads; the fetch proxy hands one native stream to the other",
    proof:
      "A plain proxy on the gateway's client takes more processor time than the gateway. Of that, 35 % are Deno's reads, and 10 % the memory that each of them takes afresh (`--profile chunked-1m`): the server writes a stream's chunks from where they are, while the fetch proxy hands one native stream to the other. Tried: reads of 132 KiB (0.91 and 0.99 of the rate); to lend memory of which little is filled, rather than a copy (0.99 of the processor time, but five times the memory for slow clients); to use memory again once the client has taken a response (0.97 of the rate). That proxy has 0.93 to 1.47 of p99. Tried for it: no turns of others before reads (0.96); as large reads for all (1.03 and 1.05), also by a budget of 256 MiB (0.94 and 0.98); turns of 5 ms (0.89), in which others wait as long.",
  },
  {
    goals: [
      "upload-1m, rate : fetch proxy",
      "upload-1m, rate : Go proxy",
      "upload-1m, p99 : fetch proxy",
      "upload-chunked-1m, rate : fetch proxy",
      "upload-chunked-1m, p99 : fetch proxy",
    ],
    reason:
      "two thirds of the time are reads and writes of 64 KiB; the fetch proxy hands one native stream to the other, and writes 160 KiB at once",
    proof:
      "With a length, a plain proxy on the gateway's client has 0.90 to 1.05 of the rate, and 0.97 to 1.35 of p99. In chunks, that proxy has 0.58 to 0.63, and the gateway takes 0.95 to 1.06 of the fetch proxy's processor time, but waits for a sixth of the time, for the load and the runner on the other processor. Two thirds are reads and writes of 64 KiB (`--profile upload-1m`), where the fetch proxy hands one native stream to the other, and writes 160 KiB at once. Tried: four reads sent in one write (0.95 of the rate); memory of Deno's rather than ours (0.95); no count of what is read (1.03); 1 MiB in a row before others have their turn (1.04, but 1.2 of p99). Reads of 256 KiB: Deno gives whoever sends on that connection next, such as another client of the same front, as much room, and then decodes tiny chunks 16 times as long.",
  },
  {
    goals: ["tls-http1, rate : Caddy", "tls-http1-64k, rate : Caddy"],
    reason: "one read and one write for each response are a third of the time",
    proof:
      "The bare TLS relay, which looks at nothing and bounds nothing, in front of a gateway has 0.51 to 0.55 of Caddy's rate at 64 KiB: the gateway has 1.3 to 1.5 of that. There is one read and one write for each response (`--profile tls-http1-64k`), and a third of the time is what these two take (`--profile tls-http1`). Tried: nothing bounded, counted or paced (1.07 and 1.05 of the rate); Deno's own TLS, with which the fetch proxy has 1.08 of Caddy's rate, but most responses of 1 KiB wait for 40 ms; no pause between the requests of a client (0.96 to 1.04 of the rate).",
  },
  {
    goals: ["tunnels, memory"],
    reason:
      "a bare relay takes 32 KiB for the two WebSockets and their sockets alone",
    proof:
      "A bare relay on the same platform takes 32 KiB for the two WebSockets and their sockets alone. Of what the gateway has besides, 2 KiB are to read the app's frames into, and the rest is what it has to know of each. Tried: 128 bytes to read into (37.0 KiB), and to forget the request with its headers (35.8 and 36.9), of which neither shows: what it took to open a WebSocket is used for another, or kept.",
  },
];

/** The name of a figure of a scenario. */
export function figureName(
  { scenario, figure }: {
    readonly scenario: string;
    readonly figure: string;
  },
): string {
  return `${scenario}, ${figure}`;
}

/** True if a goal is one of them. */
export function isFloor(
  goal: { readonly scenario: string; readonly figure: string },
): boolean {
  return FLOORS.some(({ goals }) => goals.includes(figureName(goal)));
}
