import { signal } from "@preact/signals";

/** Who is signed in: a user token, kept for as long as the tab is open and no longer. */

const KEY = "dumont.user-token";

export const userToken = signal<string | null>(sessionStorage.getItem(KEY));

export function signIn(token: string): void {
  sessionStorage.setItem(KEY, token);
  userToken.value = token;
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
  userToken.value = null;
}
