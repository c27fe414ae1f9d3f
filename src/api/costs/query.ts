import { z } from "zod";
import type { DayRange, GroupPage } from "../../history/costs.ts";
import { encodeId, idCursor, pageLimit } from "../../http/cursor.ts";
import { invalid, issueAt } from "../../http/errors.ts";
import { tagKeySchema } from "../../lifecycle/model/tags-schema.ts";
import { DAY_MS, startOfUtcDay, startOfUtcMonth, utcDay } from "../../lifecycle/model/time.ts";
import { phrase } from "../../lifecycle/model/words/phrase.ts";
import type { Said } from "../../lifecycle/model/words/said.ts";
import { text } from "../../lifecycle/model/words/say.ts";

/** What a request asks of the costs. */

export const GROUPINGS = ["day", "instance", "provider", "tag", "status"] as const;

const MAXIMUM_DAYS = 400;

const day = z.iso
  .date(text("must.be_day"))
  .transform((text) => Date.parse(text))
  .describe("A UTC day, as `2025-12-31`");

/** Of which days. */
export const daysQuery = z.object({
  from: day.optional().describe("The first UTC day. Default: the first of the month of the last day"),
  to: day
    .optional()
    .describe(`The last UTC day, itself included, at most ${MAXIMUM_DAYS} days in all. Default: today`),
});

export const costsQuery = daysQuery.extend({
  by: z.enum(GROUPINGS).default("day"),
  tag: tagKeySchema.optional().describe("The key of the tag to group by; only with `by=tag`"),
  limit: pageLimit(1000),
  cursor: idCursor.optional(),
});

type CostsQuery = z.infer<typeof costsQuery>;

/** Rows by day and by status come all at once; the others come in pages, in the order of their keys. */
export type Asked =
  | { readonly by: "day" | "status" }
  | { readonly by: "instance" | "provider"; readonly page: GroupPage }
  | { readonly by: "tag"; readonly tag: string; readonly page: GroupPage };

export interface CostsQuestion extends DayRange {
  readonly asked: Asked;
}

/** Throws 400 for what goes together badly. */
export function readCostsQuery(query: CostsQuery, now: number): CostsQuestion {
  return { ...daysOf(query, now), asked: askedOf(query) };
}

/** Throws 400 for days that go together badly. */
export function daysOf({ from, to }: Pick<CostsQuery, "from" | "to">, now: number): DayRange {
  const last = to ?? startOfUtcDay(now);
  const first = from ?? startOfUtcMonth(last);
  if (first > last) throw wrong("from", phrase("must.not_be_after_day", { day: utcDay(last) }));
  if (last - first >= MAXIMUM_DAYS * DAY_MS)
    throw wrong("from", phrase("must.be_few_days", { days: MAXIMUM_DAYS }));
  return { from: first, before: last + DAY_MS };
}

function askedOf({ by, tag, limit, cursor }: CostsQuery): Asked {
  if (by !== "tag" && tag !== undefined) throw wrong("tag", text("must.tag_by_tag"));
  const after = cursor === undefined ? null : keyIn(cursor, { by, tag });
  switch (by) {
    case "day":
    case "status":
      return { by };
    case "instance":
    case "provider":
      return { by, page: { after, limit } };
    case "tag":
      if (tag === undefined) throw wrong("tag", text("must.by_tag_key"));
      return { by, tag, page: { after, limit } };
  }
}

const place = z.tuple([z.string(), z.string().max(200)]);

export function cursorAfter(asked: Asked, key: string | null): string | null {
  const list = asked.by === "tag" ? listOf(asked.by, asked.tag) : asked.by;
  return key === null ? null : encodeId(JSON.stringify([list, key]));
}

function listOf(by: string, tag: string | undefined): string {
  return tag === undefined ? by : `${by}:${tag}`;
}

const PAGED: ReadonlySet<string> = new Set(["instance", "provider", "tag"]);

function keyIn(cursor: string, { by, tag }: Pick<CostsQuery, "by" | "tag">): string {
  const read = place.safeParse(parsed(cursor));
  if (PAGED.has(by) && read.success && read.data[0] === listOf(by, tag)) return read.data[1];
  throw wrong("cursor", text("must.be_cursor"));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function wrong(field: string, said: Said): Error {
  return invalid([issueAt(`query.${field}`, said)]);
}
