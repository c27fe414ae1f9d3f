import type { OpenIdProblem } from "../../../openid/problem.ts";

/** Why a provider's sign-in came to nothing, as the service names it in the address. */
const problems: Readonly<Record<OpenIdProblem, string>> = {
  no_provider: "This service has no sign-in provider.",
  provider_unreachable: "The sign-in provider does not answer. Try again in a moment.",
  provider_refused: "The sign-in provider refused to let you in, or you went back.",
  expired: "That took too long. Start again.",
  not_trusted: "The sign-in provider’s answer does not belong to what was asked here. Start again.",
  unknown_person:
    "Nobody in any account is known by this sign-in. Ask an owner of your account for an invitation.",
  unverified_email: "Your provider has not verified your e-mail address. Ask it to, or sign in by a link.",
  ambiguous_email: "You are in several accounts. Sign in by a link of the one that you mean.",
  known_as_another: "This sign-in belongs to another person of the account.",
  link_over: "This link was used already, or has ended. Each works once. Ask for another.",
  not_a_person: "You signed in by a token. Only a person can be known by the sign-in provider.",
  closed: "This account is suspended, or you were removed from it.",
};

export const englishSignIn = {
  title: "Sign in to Dumont",
  tagline: "Watches rented machines, and stops those that burn money.",
  userToken: "User token",
  signIn: "Sign in",
  tokenHint: "The token is sent once and kept nowhere. This browser stays signed in until you sign out.",
  withToken: "Sign in with a user token",
  or: "or",
  email: "E-mail",
  sendLink: "Send me a link",
  linkSent: (email: string) =>
    `If ${email} belongs to a person of an account, a link is on its way. It works once, for 15 minutes.`,
  otherEmail: "Another address",
  openid: (name: string) => `Continue with ${name}`,
  invited: (provider: string) =>
    `You are invited. With ${provider} you come in again on any device; by the link alone, on this one.`,
  linkAlone: "By the link alone",
  close: "Close",
  byLink: "Signing you in …",
  linkRefused: "This link was used already, or has ended. Each works once. Ask for another.",
  alreadyIn: (name: string, account: string) => `You are signed in as ${name} in the account ${account}.`,
  useLink: "Sign in by the link instead",
  stay: "Stay signed in as I am",
  wrongToken: "This token is not valid.",
  notAUserToken: "This is not a user token.",
  tooMany: "Too many tries. Wait a minute.",
  suspended: "This account is suspended. Ask whoever runs the service.",
  problems,
  otherProblem: "Signing in did not work. Start again.",
  operator: "Operator's page",
};

export type SignInWords = typeof englishSignIn;
