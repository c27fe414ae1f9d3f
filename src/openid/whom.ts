import {
  bindIdentity,
  byEmail,
  type KnownPerson,
  peopleKnownBy,
  proveEmail,
} from "../accounts/identities.ts";
import { accountOfLink, takeLink } from "../accounts/links.ts";
import type { WhomProblem } from "./problem.ts";
import type { Subject } from "./sign-in.ts";

/** Whom of the accounts a sign-in at the provider stands for. */

/** What the browser came with, besides what the provider says. */
export interface Asked {
  /** Of the link that is followed, the digest of its secret. */
  readonly link: string | null;
  /** A person who is signed in, and wants to be known by the provider from now on. */
  readonly connect: KnownPerson | null;
  /** Which account, for somebody who is in several. */
  readonly account: string | null;
}

export type Whom =
  | { readonly outcome: "person"; readonly person: KnownPerson }
  | { readonly outcome: "problem"; readonly problem: WhomProblem };

/** By the provider's name for the person; else by a link that is followed; else by an address that the person has proven. */
export async function whomOf(db: D1Database, subject: Subject, asked: Asked, now: number): Promise<Whom> {
  if (asked.connect !== null) return bound(db, asked.connect, subject, now);
  const known = await peopleKnownBy(db, subject);
  if (asked.link !== null) {
    const account = await accountOfLink(db, asked.link);
    const member = known.find(({ userId }) => userId === account);
    // Somebody who is in the account needs no link, which stays good for whom it was meant.
    if (member !== undefined) return { outcome: "person", person: member };
    const taken = await takeLink(db, asked.link, now);
    return taken === null ? problem("link_over") : bound(db, taken, subject, now);
  }
  const isAsked = ({ userId }: KnownPerson) => asked.account === null || asked.account === userId;
  const person = known.find(isAsked);
  if (person !== undefined) return { outcome: "person", person };
  if (subject.verifiedEmail === null)
    return problem(subject.hasUnverifiedEmail ? "unverified_email" : "unknown_person");
  const [byAddress, another] = (await peopleKnownBy(db, byEmail(subject.verifiedEmail))).filter(isAsked);
  if (byAddress === undefined) return problem("unknown_person");
  return another === undefined ? bound(db, byAddress, subject, now) : problem("ambiguous_email");
}

/** From now on the provider's name stands for this person, and so does the address that it has verified. */
async function bound(db: D1Database, person: KnownPerson, subject: Subject, now: number): Promise<Whom> {
  const { issuer, verifiedEmail } = subject;
  if (!(await bindIdentity(db, person, { issuer, subject: subject.subject }, now)))
    return problem("known_as_another");
  if (verifiedEmail !== null) await proveEmail(db, person, verifiedEmail, now);
  return { outcome: "person", person };
}

function problem(what: WhomProblem): Whom {
  return { outcome: "problem", problem: what };
}
