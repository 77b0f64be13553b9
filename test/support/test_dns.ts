/** A DNS of a test's own, in place of this machine's resolver. */

type RecordKind = "TXT" | "CNAME";

/** Where a zone begins; every name's zone is there. */
type AnyKind = RecordKind | "SOA";

/** What the DNS of a domain must say, as the API tells it. */
export interface Verification {
  readonly txt: { readonly name: string; readonly value: string };
  readonly cname: { readonly name: string; readonly target: string };
}

/** Has no record until a test sets one. */
export class TestDns {
  readonly #records = new Map<string, readonly string[]>();
  /** Every question but those for zones, such as `TXT _porthole.www.shop.test.`. */
  readonly asked: string[] = [];
  /** What every question fails with, if anything, and what some do. */
  failure: Error | undefined;
  readonly failures = new Map<string, Error>();
  /** Answers wait for it. */
  held: Promise<void> = Promise.resolve();

  /** Has it say these records of a name, and no others of that kind; without any, there is none. */
  set(kind: RecordKind, name: string, ...values: string[]): void {
    this.#records.set(`${kind} ${name}.`, values);
  }

  /** Has it say what a domain's verification asks for. */
  publish({ txt, cname }: Verification): void {
    this.set("TXT", txt.name, txt.value);
    this.set("CNAME", cname.name, `${cname.target}.`);
  }

  async #answer(name: string, kind: AnyKind) {
    const question = `${kind} ${name}`;
    if (kind !== "SOA") this.asked.push(question);
    await this.held;
    const failure = this.failure ?? this.failures.get(question);
    if (failure !== undefined) throw failure;
    if (kind === "SOA") return [{}];
    const found = this.#records.get(question) ?? [];
    if (found.length === 0) throw new Deno.errors.NotFound("no records found");
    // A TXT record is one or more strings (RFC 1035 section 3.3.14).
    return kind === "TXT" ? found.map((text) => text.match(/.{1,9}/g)) : found;
  }

  readonly resolve =
    ((name: string, kind: AnyKind) =>
      this.#answer(name, kind)) as unknown as typeof Deno.resolveDns;
}
