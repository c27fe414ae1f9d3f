import type { CostsOfFleet, PagedGrouping } from "../../fleet/views/costs.ts";
import type { RecentGroups } from "../../fleet/views/day-costs.ts";
import { type CostGroup, readCostDays } from "../../history/costs.ts";
import { historyOf } from "../../history/shards.ts";
import { answerOrUnavailable } from "../../http/answered.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { answerCsv, prefersCsv } from "../../http/csv.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { security } from "../../http/openapi.ts";
import { roundDollars } from "../../lifecycle/model/dollars.ts";
import type { Found } from "../../lifecycle/model/stored.ts";
import { DAY_MS, SECOND_MS, toIso, utcDay } from "../../lifecycle/model/time.ts";
import { fleetOf } from "../../platform/address.ts";
import { within } from "../../platform/within.ts";
import { mergedPage } from "./pages.ts";
import { type Asked, type CostsQuestion, costsQuery, cursorAfter, readCostsQuery } from "./query.ts";
import { type CostRow, costRow, costsOfView, rowsByDay, rowsByStatus, sumOfCosts } from "./rows.ts";
import { type CostsAnswer, costsResponse } from "./schemas.ts";
import { tableOf } from "./table.ts";

/** How long the history may take. */
const HISTORY_LIMIT_MS = 10 * SECOND_MS;

export class GetCosts extends Endpoint {
  override schema = {
    operationId: "getCosts",
    tags: ["Costs"],
    summary: "See what the instances cost: by day, instance, provider, tag or status; now; and this month",
    description:
      "Days are UTC; what is not closed yet, today above all, is counted up to this moment. There are rows where something is known: by day and by status all at once, else a page of them in the order of their keys. `total` is of all rows. `Accept: text/csv` gives the rows as a table, with a `Link` header to the next page.",
    security: security("user"),
    request: { query: costsQuery },
    responses: { 200: costsResponse, ...errorResponses(400, 401, 403) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query } = await this.getValidatedData<typeof this.schema>();
    const question = readCostsQuery(query, Date.now());
    const userId = userIdOf(c.var.principal);
    const grouping = pagedGrouping(question.asked);
    const fleet = await answerOrUnavailable<CostsOfFleet>(fleetOf(c.env, userId).costs(question, grouping));
    const { rows, end } =
      grouping === null || fleet.recent === null
        ? { rows: wholeRows(question.asked, fleet), end: null }
        : await pageOfRows(c.env, userId, question, grouping, fleet.recent);
    const cursor = cursorAfter(question.asked, end);
    c.header("Vary", "Accept");
    return prefersCsv(c)
      ? answerTable(c, question, rows, cursor)
      : c.json(costsAnswer(question, rows, fleet, cursor));
  }
}

/** What only the fleet and the history together know. Of days and of uses the fleet knows all. */
function pagedGrouping(asked: Asked): PagedGrouping | null {
  switch (asked.by) {
    case "day":
    case "status":
      return null;
    case "instance":
    case "provider":
    case "tag":
      return asked;
  }
}

function wholeRows({ by }: Asked, { days }: CostsOfFleet): CostRow[] {
  return by === "day" ? rowsByDay(days) : rowsByStatus(sumOfCosts(days));
}

/** The fleet says up to which day the history knows, in one answer with all later days: so each day counts once. */
async function pageOfRows(
  env: Env,
  userId: string,
  { from, before }: CostsQuestion,
  { page, ...grouping }: PagedGrouping,
  recent: RecentGroups,
): Promise<Found<CostRow, string>> {
  const { shard, knownBefore } = recent;
  const kept = { from, before: Math.min(before, knownBefore) };
  const earlier =
    shard === null || kept.from >= kept.before
      ? NO_GROUPS
      : await within(HISTORY_LIMIT_MS, readCostDays(historyOf(env, shard), userId, kept, grouping, page));
  const { rows, end } = mergedPage(earlier, recent, page.limit);
  return { rows: rows.map(costRow), end };
}

const NO_GROUPS: Found<CostGroup, string> = { rows: [], end: null };

function costsAnswer(
  { from, before, asked }: CostsQuestion,
  rows: readonly CostRow[],
  { days, money, forecast }: CostsOfFleet,
  cursor: string | null,
): CostsAnswer {
  return {
    from: utcDay(from),
    to: utcDay(before - DAY_MS),
    by: asked.by,
    rows,
    total: costsOfView(sumOfCosts(days)),
    now: {
      at: toIso(money.at),
      rate: roundDollars(money.rate),
      unknown_rates: money.unknown_rates,
      wasted_rate: roundDollars(money.wasted_rate),
      wasting: money.wasting.map(({ rate, wasted_today, ...instance }) => ({
        ...instance,
        rate: rate === null ? null : roundDollars(rate),
        wasted_today: roundDollars(wasted_today),
      })),
    },
    forecast,
    next_cursor: cursor,
  };
}

function answerTable(
  c: ApiContext,
  { from, before, asked }: CostsQuestion,
  rows: readonly CostRow[],
  cursor: string | null,
): Response {
  if (cursor !== null) {
    const next = new URL(c.req.url);
    next.searchParams.set("cursor", cursor);
    c.header("Link", `<${next.pathname}${next.search}>; rel="next"`);
  }
  const name = `costs-${utcDay(from)}-to-${utcDay(before - DAY_MS)}-by-${asked.by}.csv`;
  return answerCsv(c, name, tableOf(asked, rows));
}
