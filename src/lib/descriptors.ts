/**
 * File descriptors that are kept in use for nothing. How many there may be is not told without all permissions; but
 * once there are no others, these are given up for whoever has to be refused, until they can be had again.
 */

/** One for each who is being refused at the same time. */
const RESERVED = 32;

/** Time between two tries to have the reserve again, ms. */
const RETRY_MS = 1000;

let onRunOut = () => {};
let isShort = false;

/** True from when they ran out until there is a reserve again: nothing that takes more should be begun. */
export function areDescriptorsShort(): boolean {
  return isShort;
}

/** True if a failure says that there are no more, which gives the reserve up. */
export function ranOutOfDescriptors(failure: unknown): boolean {
  const hasRunOut = /Too many open files/.test(String(failure));
  if (hasRunOut) onRunOut();
  return hasRunOut;
}

/**
 * Keeps a reserve until the result is disposed of, for the whole process.
 * @param open Takes a descriptor; throws if there is none
 * @param onChange Told whether they are short
 */
export function keepDescriptors(
  open: () => { close(): void },
  onChange: (isShort: boolean) => void,
): Disposable {
  const reserve: { close(): void }[] = [];
  let retrying: ReturnType<typeof setTimeout> | undefined;

  function change(to: boolean): void {
    if (isShort !== to) onChange(to);
    isShort = to;
  }

  function giveUp(): void {
    for (const descriptor of reserve.splice(0)) descriptor.close();
    change(true);
    clearTimeout(retrying);
    Deno.unrefTimer(retrying = setTimeout(take, RETRY_MS));
  }

  function take(): void {
    try {
      while (reserve.length < RESERVED) reserve.push(open());
    } catch (failure) {
      if (ranOutOfDescriptors(failure)) return;
      // Such as a permission: there can be no reserve.
    }
    change(false);
  }

  onRunOut = giveUp;
  take();
  return {
    [Symbol.dispose]() {
      clearTimeout(retrying);
      for (const descriptor of reserve.splice(0)) descriptor.close();
      onRunOut = () => {};
      isShort = false;
    },
  };
}
