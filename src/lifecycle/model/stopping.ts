import { abilitiesOf, type ConnectedProvider, kindOf } from "./provider.ts";
import { phrase } from "./words/phrase.ts";
import type { Phrase } from "./words/said.ts";

/** Whether a machine can be stopped, in a way that ends its costs and keeps it. */

/** Whether its provider can end the costs of a machine only by destroying it: no ladder stops it, and it is deleted by its owner's word. */
export function onlyDeletes(provider: ConnectedProvider): boolean {
  const { hibernates, reachesSilent } = abilitiesOf(provider);
  return reachesSilent && hibernates === "never";
}

/** Why nobody hibernates a machine at a provider that only deletes. */
export function whyNotStopped(provider: ConnectedProvider): Phrase {
  return phrase("provider.only_deletes", { provider: kindOf(provider) });
}

/** Whether an order to stop reaches a silent machine. */
export function stopsSilent(provider: ConnectedProvider): boolean {
  return abilitiesOf(provider).reachesSilent && !onlyDeletes(provider);
}
