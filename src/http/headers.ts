/** Headers ("fields" in RFC 9110 section 5). */

/** One header line. */
export type Header = readonly [name: string, value: string];

/** Header lines in wire order: names as received, values as Latin-1 strings. */
export type HeaderList = readonly Header[];

/** A header's values, by its lower-case name. @example `valuesOf([["Via", "a"], ["via", "b"]], "via")` is `["a", "b"]` */
export function valuesOf(headers: HeaderList, name: string): string[] {
  return headers.filter(([given]) => isName(given, name))
    .map(([, value]) => value);
}

/** True if there is such a header, by its lower-case name. */
export function hasHeader(headers: HeaderList, name: string): boolean {
  return headers.some(([given]) => isName(given, name));
}

/** The headers but for one, by its lower-case name. */
export function withoutHeader<H extends Header>(
  headers: readonly H[],
  name: string,
): H[] {
  return headers.filter(([given]) => !isName(given, name));
}

/** True if that is the lower-case name; comparing the lengths first saves lower-casing nearly all others. */
export function isName(given: string, name: string): boolean {
  return given.length === name.length && given.toLowerCase() === name;
}

/** A request's headers: lower-case names, each once. `Headers` implements it; a plain table is a faster one. */
export interface RequestHeaders
  extends Iterable<[name: string, value: string]> {
  /** The value of a header by its lower-case name; null if there is no such header. */
  get(name: string): string | null;
  has(name: string): boolean;
}

/** Copies all headers: on those of `Deno.serve`, a lookup takes 0.2 µs and all of twenty 13 µs; here 0.02 µs and 0.04 µs. */
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
    for (const header of this.#list) if (header[0] === name) return header[1];
    return null;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  [Symbol.iterator](): ArrayIterator<[string, string]> {
    return this.#list[Symbol.iterator]();
  }
}
