/** What is said of alerts. Loaded with the page that lists them. */

const count = (of: number, one: string, many: string) => `${of} ${of === 1 ? one : many}`;

export const englishAlerts = {
  title: "Alerts",
  whereTold: "Where you are told",
  needsAnEye: "What needs an eye",
  nothingOpen: "Nothing is wrong that somebody has not seen to.",
  counts: (open: number, unseen: number) =>
    open === 0
      ? "All is well."
      : `${count(open, "alert is", "alerts are")} open, ${unseen === 0 ? "and all of them are acknowledged" : `${unseen} of them not acknowledged`}.`,
  moreOpen: (more: number) => `And ${more} more, which a filter shows.`,
  history: "History",
  historyHint: "What you were told of in the last 30 days, the newest first.",
  noHistory: "No alert in the last 30 days.",
  older: "Older ones",
  severity: { info: "Information", warning: "Warning", critical: "Critical" },
  filterSeverity: "Severity",
  anySeverity: "Any severity",
  onlyInstance: (instance: string) => `Only ${instance}`,
  allInstances: "All instances",
  since: (when: string) => `since ${when}`,
  acknowledge: "Acknowledge",
  acknowledged: (by: string, when: string) => `Acknowledged by ${by}, ${when}`,
  nowAcknowledged: "Acknowledged: it is not told again unless it gets worse.",
  choose: "Choose",
  chooseAll: "Choose all",
  chosen: (chosen: number) => `${chosen} chosen`,
  acknowledgeChosen: (chosen: number) => `Acknowledge ${count(chosen, "alert", "alerts")}`,
  allAcknowledged: (done: number) => `${count(done, "alert is", "alerts are")} acknowledged.`,
  someAcknowledged: (done: number, refused: number, why: string) =>
    `${count(done, "alert is", "alerts are")} acknowledged, ${refused} ${refused === 1 ? "is" : "are"} not. ${why}`,
  status: { open: "Open", acknowledged: "Acknowledged", over: "Over" },
  snooze: "Snooze",
  snoozeFor: { 1: "1 hour", 4: "4 hours", 24: "1 day", 168: "7 days" },
  snoozeHint: "Only critical alerts of it are told meanwhile.",
  nowSnoozed: (when: string) => `Snoozed until ${when}. Critical alerts are told all the same.`,
  snoozed: "Snoozed",
  snoozedBy: (by: string, until: string) => `until ${until}, by ${by}`,
  endSnooze: "Tell again",
  nowTold: "All its alerts are told again.",
  of: (what: string, whose: string) => `${what}: ${whose}`,
};

export type AlertWords = typeof englishAlerts;
