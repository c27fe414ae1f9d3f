import { z } from "zod";
import type { Status } from "../../lifecycle/model/phase.ts";
import { type ConnectedProvider, kindOf } from "../../lifecycle/model/provider.ts";
import { jsonText, openEnum, readFound } from "../../lifecycle/model/stored.ts";
import { toIso } from "../../lifecycle/model/time.ts";
import type { Reader } from "../../lifecycle/model/words/said.ts";
import { type Control, controlOf } from "../../lifecycle/views/control.ts";
import type { Health } from "../../lifecycle/views/health.ts";
import type { Standings } from "../../providers/connections.ts";
import { shownView } from "../report.ts";
import { instanceIdOf, reportedView } from "../tables/registry.ts";
import { isAnybody, storedWords, wordedView } from "./line-words.ts";
import { conditionOf, isWanted, type ListFilter } from "./list-filter.ts";

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
  provider: openEnum<ConnectedProvider>().transform(kindOf),
  status: openEnum<Status>(),
  health: openEnum<Health>(),
  /** JSON of a `LiveView`, as `JSON.stringify` wrote it. */
  view: z.string().startsWith('{"').endsWith("}"),
  words: storedWords,
});

/** Its connection comes before its tags, of which one may be called the same. In a text the quotes would be escaped. */
const CONNECTION = /"connection":(?:null|"([^"]*)")/;

/** An instance of a former release reported no tags, perhaps no connection, or not what it costs. A tag's value is a text. */
const TAGS = '"tags":{';

/** The row as it is answered, which its stored text already is while its connection stands well, for whoever has chosen nothing. */
function shownRow(
  { view, words, ...row }: z.infer<typeof textRow>,
  standings: Standings,
  reader: Reader,
): ShownRow {
  const said = view.match(CONNECTION);
  const connection = standings(said?.[1] ?? null);
  const isWhole = said !== null && view.includes(TAGS);
  if (!isWhole || connection !== "active" || !isAnybody(reader)) {
    const { data } = jsonText(reportedView).safeParse(view);
    if (data !== undefined) {
      const shown = shownView(wordedView(data, words, reader), standings);
      return { text: JSON.stringify(shown).slice(0, -1), control: shown.control };
    }
  }
  const control = controlOf(row, connection);
  return { text: `${view.slice(0, -1)},"control":${JSON.stringify(control)}`, control };
}

/** `text`: without its end. */
interface ShownRow {
  readonly text: string;
  readonly control: Control;
}

export function readSummaries(
  {
    sql,
    standings,
    reader,
  }: { readonly sql: SqlStorage; readonly standings: Standings; readonly reader: Reader },
  filter: ListFilter,
  after: string,
  limit: number,
): SummaryPage {
  const { condition, values } = conditionOf(filter);
  const found = sql.exec(
    `SELECT instance_id, changed, as_of, provider, status, health, view, words FROM instances
     WHERE instance_id > ? ${condition} ORDER BY instance_id LIMIT ?`,
    after,
    ...values,
    limit,
  );
  const { rows, end } = readFound(textRow, instanceIdOf, found.toArray(), limit);
  const shown = rows
    .map((row) => ({ row, ...shownRow(row, standings, reader) }))
    .filter(({ control }) => isWanted(control, filter));
  return {
    end,
    json: `[${shown.map(({ text, row }) => `${text},"as_of":"${toIso(row.as_of)}"}`).join()}]`,
    version: [
      `${reader.language} ${reader.timeZone ?? ""}`,
      ...shown.map(({ row, control }) => `${row.instance_id} ${row.changed} ${control.why_not ?? ""}`),
    ].join(),
  };
}
