import { computed, signal } from "@preact/signals";
import type { Role } from "../accounts/roles.ts";

/** Who is signed in: a user token, kept for as long as the tab is open and no longer. */

const KEY = "dumont.user-token";

export const userToken = signal<string | null>(sessionStorage.getItem(KEY));

/** What the asker may do in the account; undefined while it is not known. */
export const role = computed<Role | undefined>(() => undefined);

const RANK: Readonly<Record<Role, number>> = { metrics: 0, viewer: 1, operator: 2, owner: 3 };

/** Whether the asker may do what needs `needed`. True while it is not known: the service refuses what may not be. */
export function may(needed: Role): boolean {
  return role.value === undefined || RANK[role.value] >= RANK[needed];
}

export function signIn(token: string): void {
  sessionStorage.setItem(KEY, token);
  userToken.value = token;
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
  userToken.value = null;
}
