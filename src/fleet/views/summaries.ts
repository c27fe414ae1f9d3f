import { z } from "zod";
import { jsonText, readFound } from "../../lifecycle/model/stored.ts";
import { toIso } from "../../lifecycle/model/time.ts";
import { completeView } from "../report.ts";
import { instanceIdOf, reportedView } from "../tables/registry.ts";
import { conditionOf, type ListFilter } from "./list-filter.ts";

/** A page of summaries as text: what is stored as JSON goes out as it is, since reading and writing it anew takes most of the time. */
export interface SummaryPage {
  /** The id with which it ends; null on the last one. */
  readonly end: string | null;
  /** A JSON array of `SummaryView`. */
  readonly json: string;
  /** Differs whenever the page does. */
  readonly version: string;
}

const textRow = z.object({
  instance_id: z.string(),
  changed: z.number(),
  as_of: z.number(),
  /** JSON of a `LiveView`, as `JSON.stringify` wrote it. */
  view: z.string().startsWith('{"').endsWith("}"),
});

/** An instance of the former release did not report what it costs hibernated. In a name the quotes would be escaped. */
function completeText(view: string): string {
  if (view.includes('"hibernated_cost":')) return view;
  const read = jsonText(reportedView).safeParse(view);
  return read.success ? JSON.stringify(completeView(read.data)) : view;
}

export function readSummaries(
  sql: SqlStorage,
  filter: ListFilter,
  after: string,
  limit: number,
): SummaryPage {
  const { condition, values } = conditionOf(filter);
  const found = sql.exec(
    `SELECT instance_id, changed, as_of, view FROM instances
     WHERE instance_id > ? ${condition} ORDER BY instance_id LIMIT ?`,
    after,
    ...values,
    limit,
  );
  const { rows, end } = readFound(textRow, instanceIdOf, found.toArray(), limit);
  const texts = rows.map(
    ({ view, as_of }) => `${completeText(view).slice(0, -1)},"as_of":"${toIso(as_of)}"}`,
  );
  return {
    end,
    json: `[${texts.join()}]`,
    version: rows.map(({ instance_id, changed }) => `${instance_id} ${changed}`).join(),
  };
}
