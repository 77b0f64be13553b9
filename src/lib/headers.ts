/** Header fields (RFC 9110 section 5). */

/** One header line. */
export type Header = readonly [name: string, value: string];

/** Field lines in wire order: names as received, values as Latin-1 strings. */
export type HeaderList = readonly Header[];

/** The values of a field by its lower-case name, one for each of its lines. */
export function valuesOf(fields: HeaderList, name: string): string[] {
  return fields.filter(([field]) => field.toLowerCase() === name)
    .map(([, value]) => value);
}

/** Whether there is such a field, by its lower-case name. */
export function hasHeader(fields: HeaderList, name: string): boolean {
  return fields.some(([field]) => field.toLowerCase() === name);
}

/** A request's header fields: lower-case names, each once. `Headers` implements it; a plain table is a faster one. */
export interface RequestHeaders
  extends Iterable<[name: string, value: string]> {
  /** The value of a field by its lower-case name; null if there is no such field. */
  get(name: string): string | null;
  has(name: string): boolean;
}

/**
 * Copies all fields out of `headers`, once. On the `Headers` of a `Deno.serve` request, a lookup takes about 0.2 µs and
 * iterating over the twenty fields of a browser 13 µs (9 µs by `forEach`); in this table, 0.02 µs and 0.04 µs.
 */
export function requestHeadersOf(headers: Headers): RequestHeaders {
  const list: [string, string][] = [];
  headers.forEach((value, name) => list.push([name, value]));
  return new HeaderTable(list);
}

class HeaderTable implements RequestHeaders {
  readonly #list: [string, string][];

  constructor(list: [string, string][]) {
    this.#list = list;
  }

  get(name: string): string | null {
    for (const field of this.#list) if (field[0] === name) return field[1];
    return null;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  [Symbol.iterator](): ArrayIterator<[string, string]> {
    return this.#list[Symbol.iterator]();
  }
}
