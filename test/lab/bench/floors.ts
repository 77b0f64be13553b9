/** Goals that are not to be had with what the gateway is built on: each with a profile that shows it, and what was tried. */

/** Goals that one cause keeps out of reach, in Markdown. */
export interface Floor {
  /** By scenario and figure, as `judge()` names them. */
  readonly goals: readonly string[];
  readonly proof: string;
}

/** All of them. */
export const FLOORS: readonly Floor[] = [
  {
    goals: [
      ...["upload-1m", "upload-chunked-1m"].flatMap((scenario) => [
        `${scenario}, rate : fetch proxy`,
        `${scenario}, p99 : fetch proxy`,
      ]),
      "upload, rate : fetch proxy",
    ],
    proof:
      "Of 1.3 ms for 1 MiB, Deno's reads and writes of 64 KiB alone are 0.84 (`--profile upload-1m`), where the fetch proxy, which hands one native stream to the other, takes 0.72 for all. A plain proxy on the gateway's client has 0.83 of its rate. Tried: reads of 256 KiB have 1.5 times the rate, but Deno gives whoever sends on that connection next, such as another client of the same front, as much room, and then decodes tiny chunks 16 times as long; reads without memory of ours have 0.96 of the rate.",
  },
  {
    goals: [
      "burst-one, p99 beyond twice the API's",
      "burst-many, p99 beyond twice the API's",
    ],
    proof:
      "A thousand connections that open at once take the fetch proxy, which asks nothing, as long as `burst-one` takes here. In `burst-many`, each sandbox takes two questions and three new connections, 0.8 ms of processor time, of which a third is the garbage collector, since all of it is alive, and a fifth the platform's JavaScript (`--profile burst-many`). Tried: one question instead of two (p99 778 ms instead of 809), which Daytona may answer for 10 s as it was before a sandbox became private; 256 connections to the API at most (0.93 of p99); small first buffers (1.04 of the processor time).",
  },
  {
    goals: ["tunnels, memory"],
    proof:
      "A bare relay on the same platform takes 32 KiB for the two WebSockets and their sockets alone. Of what the gateway has besides, 2 KiB are to read the app's frames into, and the rest is what it has to know of each.",
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
