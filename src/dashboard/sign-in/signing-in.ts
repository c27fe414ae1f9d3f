import { ask, SESSION } from "../api.ts";
import { asApiError } from "../poll.ts";
import { begin, confirm, forget, onOtherTab, signedIn, type Whoami } from "../session.ts";
import { suggestLanguage } from "../words.ts";
import { takeNext } from "./next.ts";

/** How somebody comes into an account, and out of it again. */

/** The ways to sign in that the service offers. */
export interface Ways {
  readonly token: boolean;
  readonly email: boolean;
  readonly openid: { readonly name: string } | null;
}

/** What a sign-in is asked with. */
export type Proof = { readonly token: string } | { readonly link: string };

/** Signs in, and goes on to where the user wanted to be. Throws an `ApiError` if it is refused. */
export async function signIn(proof: Proof): Promise<void> {
  const who = await ask<Whoami>("POST", SESSION, proof);
  goOn();
  // First, since a live connection speaks one language.
  suggestLanguage(who.language);
  begin(who);
}

/** Signs out here; the session is of no use to anybody any more. */
export async function signOut(): Promise<void> {
  try {
    await ask("DELETE", SESSION);
  } catch (error) {
    // One that has ended is signed out too. For all others the cookie is still good.
    if (asApiError(error).status !== 401) throw error;
  }
  forget();
}

/** Has a link sent to an address, if a person has it. */
export async function sendLink(email: string): Promise<void> {
  await ask("POST", "/api/session/links", { email });
}

/** Finds out who is signed in: at once, and whenever another tab signs in or out. */
export function watchSession(): void {
  void learn();
  onOtherTab(() => {
    signedIn.value = undefined;
    void learn();
  });
}

async function learn(): Promise<void> {
  const asker = signedIn.peek();
  try {
    const { session } = await ask<{ session: Whoami | null }>("GET", SESSION);
    // Somebody has signed in since it was asked.
    if (session === null && signedIn.peek() !== asker) return;
    if (session !== null) goOn();
    suggestLanguage(session?.language ?? null);
    confirm(session);
  } catch {
    // What is asked next tells how the service is.
    if (signedIn.peek() === undefined) forget();
  }
}

/** From the place of signing in to where the user wanted to be. */
function goOn(): void {
  const [place = ""] = location.hash.split("?");
  if (!["", "#", "#/", "#/sign-in"].includes(place)) return;
  const next = takeNext();
  if (next !== null || place === "#/sign-in") location.replace(next ?? "#/");
}
