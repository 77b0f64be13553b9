/**
 * Deno 2.9.6 copies the bytes that a `Response` is made of, into memory that is left to the garbage collector. Of 64 KiB for
 * each request, there are 64 MiB of dead copies before V8 looks at what is young: it then looks at all that there is, five
 * times a second, for 20 ms each.
 *
 * The copy is made by `TypedArray.prototype.slice`, which asks the array's class for memory (ECMA-262, TypedArraySpeciesCreate).
 * Here it gets some that is ours, and so can be freed. If Deno did it in another way, the memory would just be unused.
 */
import { freeBuffer } from "./free_buffer.ts";

/** The memory for the next copy, which is taken at once. */
let memory = new Uint8Array();

function takeMemory(): Uint8Array<ArrayBuffer> {
  return memory;
}

class CopiedThere extends Uint8Array<ArrayBuffer> {
  static get [Symbol.species](): typeof takeMemory {
    return takeMemory;
  }
}

/** `bytes` to make a `Response` of, as the next thing that is done; its copy of them is freed once `delivered` settles. */
export function freedCopy(
  bytes: Uint8Array<ArrayBuffer>,
  delivered: Promise<void>,
): Uint8Array<ArrayBuffer> {
  const copy = memory = new Uint8Array(bytes.length);
  const free = () => freeBuffer(copy);
  delivered.then(free, free);
  return new CopiedThere(bytes.buffer, bytes.byteOffset, bytes.length);
}
