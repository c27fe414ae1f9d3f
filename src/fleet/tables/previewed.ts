import { z } from "zod";
import type { PreviewRequest } from "../rules/preview.ts";
import { conditionOf, type ListFilter } from "../views/list-filter.ts";
import { instanceIdOf } from "./registry.ts";

/** Which instances of the registry a preview is of: those that it asks for, and that were registered before it began. */

type Asked = Pick<PreviewRequest, "instances" | "tag">;

function filterOf({ instances, tag }: Asked): ListFilter {
  return { ids: instances ?? undefined, tag: tag === null ? undefined : [tag] };
}

/** How many there are. */
export function countPreviewed(sql: SqlStorage, asked: Asked, registeredBy: number): number {
  const { condition, values } = conditionOf(filterOf(asked));
  return sql
    .exec<{ instances: number }>(
      `SELECT COUNT(*) AS instances FROM instances WHERE registered_at <= ? ${condition}`,
      registeredBy,
      ...values,
    )
    .one().instances;
}

/** Ids after `after`, in order; at most `limit`. */
export function previewedAfter(
  sql: SqlStorage,
  asked: Asked,
  registeredBy: number,
  after: string,
  limit: number,
): string[] {
  const { condition, values } = conditionOf(filterOf(asked));
  const rows = sql.exec(
    `SELECT instance_id FROM instances WHERE instance_id > ? AND registered_at <= ? ${condition}
     ORDER BY instance_id LIMIT ?`,
    after,
    registeredBy,
    ...values,
    limit,
  );
  return z.array(instanceIdOf).parse(rows.toArray());
}
