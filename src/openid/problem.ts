/** Why a sign-in with the OpenID provider came to nothing. The page words it (`dashboard/sign-in/words/`). */

/**
 * - `provider_unreachable`: the provider is away, or does not answer as a provider does;
 * - `provider_refused`: the person or the provider said no;
 * - `expired`: it took too long, or began in another browser, or is used a second time;
 * - `not_trusted`: what the provider sent proves nothing.
 */
export type ProviderProblem = "provider_unreachable" | "provider_refused" | "expired" | "not_trusted";

/**
 * - `unknown_person`: nobody is known by it;
 * - `unverified_email`: nobody is, and the provider has not verified the address by which somebody might be;
 * - `ambiguous_email`: the address is known in several accounts, and none was named;
 * - `known_as_another`: it stands for somebody else in the account;
 * - `link_over`: the link was used, or is too old.
 */
export type WhomProblem =
  | "unknown_person"
  | "unverified_email"
  | "ambiguous_email"
  | "known_as_another"
  | "link_over";

/**
 * - `no_provider`: the operator has named none;
 * - `not_a_person`: who wants to connect it has signed in with a token;
 * - `closed`: the account is suspended, or the person was removed.
 */
export type OpenIdProblem = ProviderProblem | WhomProblem | "no_provider" | "not_a_person" | "closed";
