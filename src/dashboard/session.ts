import { computed, signal } from "@preact/signals";
import type { Role } from "../accounts/roles.ts";

/**
 * Who is signed in. The browser keeps that in a cookie which the page never sees; what the page keeps is only that there is
 * one, and of which role, so that it need not wait for the service's word to begin.
 */

/** Who the service says is asking. */
export interface Whoami {
  readonly user: { readonly id: string; readonly name: string };
  readonly role: Role;
  /** As whom: a person, or the holder of a token. */
  readonly by: { readonly kind: "person" | "token"; readonly id: string; readonly name: string };
  readonly session_id: string | null;
  readonly language: string | null;
  readonly time_zone: string | null;
}

const KEY = "dumont.signed-in";

const RANK: Readonly<Record<Role, number>> = { metrics: 0, viewer: 1, operator: 2, owner: 3 };

const expected = expectedRole(localStorage.getItem(KEY));

/** Null: nobody. Undefined: the service has not said it yet. */
export const whoami = signal<Whoami | null | undefined>(undefined);

/**
 * Which sign-in this is, counted: what was asked for one is of no use to the next. Null: nobody is signed in. Undefined: nobody
 * knows yet.
 */
export const signedIn = signal<number | null | undefined>(expected === null ? undefined : 0);

/** The number of the last sign-in. */
let signIns = 0;

/** What the asker may do in the account; undefined while it is not known. */
export const role = computed<Role | undefined>(() => whoami.value?.role ?? expected ?? undefined);

/** Whether the asker may do what needs `needed`. True while it is not known: the service refuses what may not be. */
export function may(needed: Role): boolean {
  return role.value === undefined || RANK[role.value] >= RANK[needed];
}

/** Notes who has signed in, also for the other tabs of this browser. */
export function begin(who: Whoami): void {
  localStorage.setItem(KEY, `${who.role} ${who.session_id ?? ""}`);
  signIns += 1;
  signedIn.value = signIns;
  whoami.value = who;
}

/** Notes what the service says of the session that the browser had when the page began. */
export function confirm(who: Whoami | null): void {
  if (who === null) {
    forget();
    return;
  }
  localStorage.setItem(KEY, `${who.role} ${who.session_id ?? ""}`);
  whoami.value = who;
  if (typeof signedIn.peek() === "number") return;
  signIns += 1;
  signedIn.value = signIns;
}

/** Nobody is signed in any more, or ever was. */
export function forget(): void {
  localStorage.removeItem(KEY);
  whoami.value = null;
  signedIn.value = null;
}

/** The tabs of a browser share its cookie: calls `work` when another one has signed in or out. */
export function onOtherTab(work: () => void): void {
  addEventListener("storage", ({ key }) => {
    if (key === KEY) work();
  });
}

function expectedRole(kept: string | null): Role | null {
  const [name] = kept?.split(" ") ?? [];
  return name === "metrics" || name === "viewer" || name === "operator" || name === "owner" ? name : null;
}
