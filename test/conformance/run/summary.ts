/** The results of a run, file by file, taken from the test runner's JUnit report. */

/** The results of one file. */
export interface FileSummary {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  /** Cases that apply to Porthole only. */
  readonly ignored: number;
}

const SUITE = /<testsuite name="([^"]*)"[^>]*>(.*?)<\/testsuite>/gs;

/** Counts the cases of a report. */
export function summarize(junit: string): FileSummary[] {
  return [...junit.matchAll(SUITE)].map(([, name = "", cases = ""]) => {
    const count = (tag: string) => cases.split(`<${tag}`).length - 1;
    const failed = count("failure");
    const ignored = count("skipped");
    return {
      file: name.replace(/^.*\//, ""),
      passed: count("testcase") - failed - ignored,
      ...{ failed, ignored },
    };
  });
}

/** Formats a table with a line for each file and one for the total. */
export function table(files: readonly FileSummary[]): string {
  const sum = (key: "passed" | "failed" | "ignored") =>
    files.reduce((total, file) => total + file[key], 0);
  const all = {
    file: "all",
    passed: sum("passed"),
    failed: sum("failed"),
    ignored: sum("ignored"),
  };
  const width = Math.max(...[...files, all].map(({ file }) => file.length));
  const lines = [...files, all].map(({ file, passed, failed, ignored }) =>
    `${file.padEnd(width)} ${cell(passed)} ${cell(failed)} ${cell(ignored)}`
  );
  const head = `${"".padEnd(width)} ${cell("passed")} ${cell("failed")} ${
    cell("ignored")
  }`;
  return [head, ...lines, ""].join("\n");
}

function cell(value: number | string): string {
  return String(value).padStart(7);
}
