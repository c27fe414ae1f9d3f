/** Where the user wanted to be, kept while they sign in elsewhere: in their mail, or at another service. */

const KEY = "dumont.next";

/** A link in a mail is good for a quarter of an hour. */
const KEPT_MS = 20 * 60_000;

/** Keeps where the user is. */
export function keepNext(): void {
  localStorage.setItem(KEY, JSON.stringify({ address: location.hash, at: Date.now() }));
}

/** Where the user wanted to be, once; null if that is not known, or long ago. */
export function takeNext(): string | null {
  const kept = localStorage.getItem(KEY);
  localStorage.removeItem(KEY);
  return kept === null ? null : readNext(kept, Date.now());
}

/** What was kept, if it is a place of the page that was kept of late. Pure. */
export function readNext(kept: string, now: number): string | null {
  let read: unknown;
  try {
    read = JSON.parse(kept);
  } catch {
    return null;
  }
  if (typeof read !== "object" || read === null || !("address" in read) || !("at" in read)) return null;
  const { address, at } = read;
  if (typeof address !== "string" || typeof at !== "number") return null;
  const isPlace = address.startsWith("#/") && !address.startsWith("#/sign-in");
  return isPlace && at <= now && now - at < KEPT_MS ? address : null;
}
