import type { CostReport } from "../alerts/cost-report.ts";
import type { CostGrouping, DayRange, GroupPage } from "../history/costs.ts";
import type { Page, Position } from "../history/page.ts";
import type { ConnectedProvider } from "../lifecycle/model/provider.ts";
import { ANYBODY, type Reader } from "../lifecycle/model/words/said.ts";
import { standingsOf } from "../providers/connections.ts";
import { READY } from "./keeper.ts";
import { FleetPreviews } from "./previews.ts";
import type { FleetEvent } from "./tables/events.ts";
import { readCostReport } from "./views/cost-report.ts";
import { type CostsOfFleet, costsOfFleet, type PagedGrouping } from "./views/costs.ts";
import {
  type DaysOfFleet,
  type DaysOfInstance,
  daysOfFleet,
  daysOfInstance,
  type RecentGroups,
  recentGroups,
} from "./views/day-costs.ts";
import type { ListFilter } from "./views/list-filter.ts";
import { type MoneyNow, moneyNow } from "./views/money.ts";
import { type FleetSavings, readSavings } from "./views/savings.ts";
import { readSummaries, type SummaryPage } from "./views/summaries.ts";

/** What a fleet shows of its instances. */
export abstract class FleetReader extends FleetPreviews {
  async hasInstanceOf(provider: ConnectedProvider): Promise<boolean> {
    return (await this[READY]()).registry.hasInstanceOf(provider);
  }

  async instanceIds(after: string, limit: number, filter: ListFilter = {}): Promise<string[]> {
    return (await this[READY]()).registry.idsAfter(after, limit, filter);
  }

  /** A worker of the former release does not say for whom. */
  async summaries(
    filter: ListFilter,
    after: string,
    limit: number,
    reader: Reader = ANYBODY,
  ): Promise<SummaryPage> {
    const standings = standingsOf((await this[READY]()).connections.list());
    return readSummaries({ sql: this.ctx.storage.sql, standings, reader }, filter, after, limit);
  }

  async hibernations(): Promise<{ reason: string; hibernations: number; regretted: number }[]> {
    const { state } = await this[READY]();
    return Object.entries(state.hibernations).map(([reason, count]) => ({ reason, ...count }));
  }

  async savings(after: string, limit: number): Promise<FleetSavings> {
    return readSavings((await this[READY]()).registry, after, limit, Date.now());
  }

  /** What the instances cost now, today and this month. */
  async money(): Promise<MoneyNow> {
    return moneyNow(await this[READY](), Date.now());
  }

  async daysOfCosts(range: DayRange): Promise<DaysOfFleet> {
    return daysOfFleet(await this[READY](), range, Date.now());
  }

  /** What one instance has cost on these days, as far as the history does not know it yet. */
  async daysOfInstance(instanceId: string, range: DayRange): Promise<DaysOfInstance> {
    return daysOfInstance(await this[READY](), instanceId, range, Date.now());
  }

  /** What the month has cost that begins then. */
  async costReport(month: number): Promise<CostReport> {
    return readCostReport(this.env, this.ctx.id.name ?? "", await this[READY](), month);
  }

  /** What of these days the history does not know yet. */
  async recentCosts(range: DayRange, grouping: CostGrouping, page: GroupPage): Promise<RecentGroups> {
    return recentGroups(await this[READY](), range, grouping, page, Date.now());
  }

  /** What the instances cost now, and have cost on each day of a range; by groups too, where a grouping is given. */
  async costs(range: DayRange, grouping: PagedGrouping | null): Promise<CostsOfFleet> {
    return costsOfFleet(await this[READY](), range, grouping, Date.now());
  }

  async events(before: Position | null, limit: number): Promise<Page<FleetEvent>> {
    return (await this[READY]()).events.page(before, limit);
  }
}
