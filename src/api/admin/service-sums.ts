import { CALLED_PROVIDERS } from "../../lifecycle/model/provider.ts";
import { type Counts, parseCounterKey } from "../../service/meter.ts";

/** Sums of the service's counters, over the labels that nobody asks for. */
export class Sums {
  readonly #counters: readonly { name: string; labels: Readonly<Record<string, string>>; total: number }[];

  constructor(counts: Counts) {
    this.#counters = Object.entries(counts).map(([key, counted]) => ({
      ...parseCounterKey(key),
      total: counted,
    }));
  }

  of(name: string, labels: Readonly<Record<string, string>> = {}): number {
    return this.#counters
      .filter((counter) => counter.name === name)
      .filter((counter) => Object.entries(labels).every(([label, value]) => counter.labels[label] === value))
      .reduce((sum, counter) => sum + counter.total, 0);
  }

  valuesOf(names: readonly string[], label: string): string[] {
    const values = this.#counters.flatMap(({ name, labels }) =>
      names.includes(name) && labels[label] !== undefined ? [labels[label]] : [],
    );
    return [...new Set(values)].sort();
  }
}

/** How the providers that were called keep pace, the slowest first. */
export function paceOfProviders(sums: Sums) {
  return CALLED_PROVIDERS.map((provider) => {
    const calls = sums.of("turns", { provider });
    return {
      provider,
      calls,
      average_wait_seconds: calls === 0 ? null : sums.of("turn_seconds", { provider }) / calls,
      limited: sums.of("limits", { provider }),
      given_up: sums.of("turns_given_up", { provider }),
    };
  })
    .filter(({ calls, limited, given_up }) => calls + limited + given_up > 0)
    .sort((one, other) => (other.average_wait_seconds ?? 0) - (one.average_wait_seconds ?? 0));
}

/** What became of messages, by kind of channel. */
export function outcomesOfChannels(sums: Sums) {
  return sums.valuesOf(["alerts", "alerts_given_up"], "channel").map((channel) => ({
    kind: channel,
    delivered: sums.of("alerts", { channel, outcome: "delivered" }),
    failed: sums.of("alerts", { channel, outcome: "failed" }),
    given_up: sums.of("alerts_given_up", { channel }),
  }));
}
