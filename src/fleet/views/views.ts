import { toIso } from "../../lifecycle/model/time.ts";
import type { Reader } from "../../lifecycle/model/words/said.ts";
import type { Guard } from "../../lifecycle/rules/outage-guard.ts";
import type { Standings } from "../../providers/connections.ts";
import type { GuardView, SummaryView } from "../live/messages.ts";
import { shownView } from "../report.ts";
import type { ListedRow } from "../tables/registry.ts";
import { wordedView } from "./line-words.ts";

/** What a fleet knows, as the HTTP API and the live connection show it. */

export function summaryView(
  { view, words, asOf }: Pick<ListedRow, "view" | "words" | "asOf">,
  standings: Standings,
  reader: Reader,
): SummaryView {
  return { ...shownView(wordedView(view, words, reader), standings), as_of: toIso(asOf) };
}

export function guardView({ user, service }: { readonly user: Guard; readonly service: Guard }): GuardView {
  return {
    state: user.closedAt === null ? "open" : "closed",
    closed_at: user.closedAt === null ? null : toIso(user.closedAt),
    opened_at: user.openedAt === null ? null : toIso(user.openedAt),
    service_wide: service.closedAt === null ? "open" : "closed",
  };
}
