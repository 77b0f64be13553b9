/** How operations may end during trouble. */

/** The runner is down: an exchange that needs it fails, or breaks off if it had begun. */
export const RUNNER_DOWN: readonly string[] = [
  "502 runner_unreachable",
  "502 runner_protocol_error",
  "200 broken off",
];

const API_DOWN: readonly string[] = ["503 api_unreachable"];

/** The API is down: what only it can answer fails, unless a cached answer can stand in. */
export const API_TROUBLE = {
  api_unavailable: API_DOWN,
  api_refusing: API_DOWN,
  api_silent: API_DOWN,
} as const;
