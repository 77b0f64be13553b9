/** Goals that are not to be had with what the gateway is built on: each with a profile that shows it, and what was tried. */

/** Goals that one cause keeps out of reach, in Markdown. */
export interface Floor {
  /** By scenario and figure, as `judge()` names them. */
  readonly goals: readonly string[];
  readonly proof: string;
}

/** All of them. */
export const FLOORS: readonly Floor[] = [];

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
