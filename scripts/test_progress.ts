/** What is worth saying of a run of tests, of all that Deno prints. */

/** The result of a test, as Deno prints it where files run side by side. */
const RESULT = /^(\.\/\S+_test\.ts) => .* \.\.\. (ok|FAILED|ignored)\b/;

/** What precedes the errors, and the summary. */
const END = /^(?: ERRORS |ok \||FAILED \|)/;

/** The summary's numbers. */
const SUMMARY = /^(?:ok|FAILED) \| (\d+) passed.* \| (\d+) failed/;

/** Most lines of progress that stay. */
const STEPS = 10;

/** Reads what Deno prints, line by line. */
export class TestProgress {
  readonly #files: number;
  readonly #begun = new Set<string>();
  #tests = 0;
  #failed = 0;
  #shown = 0;
  #hasEnded = false;
  #result: string | undefined;

  /** `files` is how many there are to run. */
  constructor(files: number) {
    this.#files = files;
  }

  /** True once all tests have run. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** How many tests passed and failed, once all have run. */
  get result(): string | undefined {
    return this.#result;
  }

  /** How far the run is. */
  get line(): string {
    const failed = this.#failed === 0 ? "" : `, ${this.#failed} failed`;
    return `${this.#begun.size} of ${this.#files} files, ${this.#tests} tests${failed}`;
  }

  /** True if the run is far enough for another line that stays. */
  get isDue(): boolean {
    const step = Math.floor(STEPS * this.#begun.size / this.#files);
    if (this.#hasEnded || !(step > this.#shown)) return false;
    this.#shown = step;
    return true;
  }

  /** Reads a line; true if it is worth showing: a failure, the errors in full, and the summary. */
  read(line: string): boolean {
    this.#hasEnded ||= END.test(line);
    const [, passed, failed] = SUMMARY.exec(line) ?? [];
    if (passed !== undefined) {
      this.#result = `${passed} passed, ${failed} failed`;
    }
    if (this.#hasEnded) return true;
    const [, file, result] = RESULT.exec(line) ?? [];
    if (file === undefined) return false;
    this.#begun.add(file);
    this.#tests++;
    if (result === "FAILED") this.#failed++;
    return result === "FAILED";
  }
}
