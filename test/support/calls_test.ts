import assert from "node:assert/strict";
import { Calls } from "./calls.ts";

const CALLS = new Calls(
  new Map(Object.entries({
    "/door.ts": `
      import type { Guest } from "./guest.ts";
      import { ring, Bell } from "./bell.ts";
      interface Rooms { readonly guest: Guest; readonly bell: Pick<Bell, "silence">; }
      export class Door {
        constructor(readonly rooms: Rooms) { new Bell(1); }
        open() { this.#greet(); }
        #greet() { const { guest } = this.rooms; [1].map(() => guest.wave()); }
        empty(all: readonly Guest[]) { for (const one of all) one.leave(); }
        close() { ring(); this.rooms.bell.silence(); }
      }
    `,
    "/guest.ts": "export interface Guest { wave(): void; leave(): void }",
    "/ann.ts": `
      import type { Guest } from "./guest.ts";
      export class Ann implements Guest { wave() {} leave() {} }
      export class Eve { wave() {} }
    `,
    "/tom.ts": `
      import type { Guest } from "./guest.ts";
      export const other = { nod() {} };
      export function makeTom(): Guest { return { wave: () => {}, leave() {} }; }
    `,
    "/bell.ts": `
      import { hum } from "./hum.ts";
      export function ring() { hum(); }
      export class Metal { constructor(size: number) { hum(); } }
      export class Bell extends Metal { constructor(size: number) { super(size); } silence() {} }
    `,
    "/hum.ts": "export function hum() {}",
  })),
);

function leads(
  [from, caller]: [string, string],
  [to, called]: [string, string],
): boolean {
  const one = CALLS.find(from, caller) ?? assert.fail(caller);
  const other = CALLS.find(to, called) ?? assert.fail(called);
  return CALLS.leads(one, other);
}

Deno.test("a call is followed through functions of the same file, but not of another", () => {
  assert(leads(["/door.ts", "Door.close"], ["/bell.ts", "ring"]));
  assert(leads(["/bell.ts", "ring"], ["/hum.ts", "hum"]));
  assert(!leads(["/door.ts", "Door.close"], ["/hum.ts", "hum"]));
  assert(!leads(["/door.ts", "Door.open"], ["/bell.ts", "ring"]));
});

Deno.test("a call by an interface leads to a method of the class that implements it, and to no other", () => {
  assert(leads(["/door.ts", "Door.open"], ["/ann.ts", "Ann.wave"]));
  assert(leads(["/door.ts", "#greet"], ["/ann.ts", "Ann.wave"]));
  assert(!leads(["/door.ts", "Door.open"], ["/ann.ts", "Ann.leave"]));
  assert(!leads(["/door.ts", "Door.open"], ["/ann.ts", "Eve.wave"]));
});

Deno.test("a call by an interface leads to a member of the object that is returned as it", () => {
  assert(leads(["/door.ts", "Door.open"], ["/tom.ts", "wave"]));
  assert(leads(["/door.ts", "Door.empty"], ["/tom.ts", "leave"]));
  assert(!leads(["/door.ts", "Door.empty"], ["/tom.ts", "nod"]));
});

Deno.test("a call of what was picked of a class leads to that class", () => {
  assert(leads(["/door.ts", "Door.close"], ["/bell.ts", "Bell.silence"]));
});

Deno.test("a constructor leads to that of its base class", () => {
  assert(leads(["/door.ts", "new Door"], ["/bell.ts", "new Bell"]));
  assert(leads(["/bell.ts", "new Bell"], ["/bell.ts", "new Metal"]));
  assert(leads(["/bell.ts", "new Bell"], ["/hum.ts", "hum"]));
});

Deno.test("a function that is not there is not found", () => {
  assert.equal(CALLS.find("/door.ts", "Door.ring"), undefined);
  assert.equal(CALLS.find("/ann.ts", "Bell.silence"), undefined);
  assert.equal(CALLS.find("/wall.ts", "ring"), undefined);
});
