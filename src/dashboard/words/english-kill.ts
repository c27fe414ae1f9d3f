/** What is said of the kill switch. */

const machines = (count: number) => (count === 1 ? "1 machine" : `${count} machines`);

function saves(dollars: string, unknown: number, will: string): string {
  if (unknown === 0) return `${will} ${dollars} an hour.`;
  return `${will} ${dollars} an hour, and more: the price of ${machines(unknown)} is not known.`;
}

const whyLeft: Record<string, string> = {
  kept_alive: "kept alive by hand",
  pending: "never heard: somebody else may use its machine",
  hibernating: "hibernates already",
  hibernated: "hibernated already",
  waking: "is waking",
  deleting: "is being deleted",
  deleted: "deleted",
  not_idle: "not idle",
  no_provider: "no provider is named that could stop it",
  silent: "silent, and only its own agent could stop it",
  not_connected: "its provider is not connected",
  refused: "the keys of its connection are refused",
  cannot_stop: "its provider can’t stop machines",
  // How one ended that was asked for
  changed:
    "has changed since: woken, kept alive, registered anew, another machine or status, or not named any more",
  busy: "wakes, or is being deleted",
  not_possible: "not possible",
  suspended: "the account is suspended",
  unknown: "was removed",
  unreadable: "what is stored of it can’t be read",
  out_of_reach: "could not be reached for an hour",
  observe: "its policy only observes",
  within_budget: "spared: the budget was raised, or its day or month is over",
  dropped: "given up: the account was suspended or set back",
  waiting: "still to be asked",
};

const uses: Record<string, string> = { working: "works", idle: "idle", silent: "silent" };

export const englishKill = {
  title: "Hibernate many",
  hint: "Everything, or what you choose. First see what it would do: nothing is stopped before you have.",
  anyProvider: "Any provider",
  tag: "Tag",
  anyTag: "Any tag",
  onlyIdle: "Only what is idle past the warning",
  keptAliveToo: "Also what is kept alive by hand",
  look: "See what it would do",
  would: (count: number) => `${machines(count)} would be hibernated`,
  wouldSave: (dollars: string, unknown: number) => saves(dollars, unknown, "That would save"),
  saves: (dollars: string, unknown: number) => saves(dollars, unknown, "That saves"),
  nobody: "Nothing would be hibernated.",
  noInstances: "There is no such instance.",
  meant: "To be hibernated",
  savesColumn: "Saves an hour",
  nowColumn: "Now",
  whyColumn: "Why",
  leftAlone: (count: number) => `${machines(count)} left alone`,
  leftBecause: (count: number, why: string) => `${count} · ${why}`,
  more: (count: number) => `And ${count} more, which are not named here.`,
  button: (count: number) => `Hibernate ${machines(count)}`,
  question: (count: number) => `Hibernate ${machines(count)}?`,
  stakes: "What runs on them stops, and work that is not saved to disk is lost.",
  old: "This is more than two minutes old. See again what it would do.",
  changed: "It has changed meanwhile, and nothing was done: more would be hibernated now than you saw.",
  ordered: (count: number) =>
    count === 1 ? "1 machine is told to hibernate" : `${machines(count)} are told to hibernate`,
  told: "Told to hibernate",
  last: "The last time:",
  lastByBudget: "By a budget:",
  progress: (ordered: number, all: number) => `${ordered} of ${machines(all)} ordered to hibernate.`,
  waiting: (count: number) => `${count} still to be asked.`,
  which: "Which were not",
  /** What those do that are to be hibernated. */
  uses,
  reasons: whyLeft,
};

export type KillWords = typeof englishKill;
