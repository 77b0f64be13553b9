/** What troubles do to clients who meet them. */

/** Of a runner that is away: an exchange that needs it fails, or breaks off where it had begun. */
export const RUNNER_DOWN: readonly string[] = [
  "502 runner_unreachable",
  "502 runner_protocol_error",
  "200 broken off",
];

const API_DOWN: readonly string[] = ["503 api_unreachable"];

/** Of an API that is away: a question that only it can answer, and nothing at hand can stand in for. */
export const API_TROUBLE = {
  api_unavailable: API_DOWN,
  api_refusing: API_DOWN,
  api_silent: API_DOWN,
} as const;
