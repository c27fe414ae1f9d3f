import { type Provider, ProviderError } from "./provider.ts";

/** What is said to orders that a provider can't carry out, before it is called at all. */

/** Orders to a machine that can only be deleted. `because`: what its provider bills a machine for that is switched off. */
export function refusingStops(
  provider: string,
  because: string,
): Pick<Provider, "hibernate" | "forceHibernate" | "wake"> {
  const refuse = async () => {
    throw new ProviderError("unsupported", `${provider} can neither stop nor start a machine: ${because}`);
  };
  return { hibernate: refuse, forceHibernate: refuse, wake: refuse };
}

export function refusingSnapshots(because: string): Pick<Provider, "snapshot" | "snapshotState"> {
  return {
    snapshot: async () => {
      throw new ProviderError("unsupported", because);
    },
    snapshotState: async () => "failed",
  };
}
