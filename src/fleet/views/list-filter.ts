import type { Tag } from "../../lifecycle/model/tags.ts";
import type { Control } from "../../lifecycle/views/control.ts";

/** Which instances of a fleet a list shows. */

export interface ListFilter {
  /** These alone. */
  readonly ids?: readonly string[] | undefined;
  readonly status?: string | undefined;
  readonly health?: string | undefined;
  readonly provider?: string | undefined;
  /** The id of the connection by which it is called. */
  readonly connection?: string | undefined;
  /** Whether nobody could stop it: found in what is shown, since it follows from how the connections stand. */
  readonly nobody_can_stop?: boolean | undefined;
  /** It has all of these. A fleet of the former release leaves them out of account, so whoever asks looks again. */
  readonly tag?: readonly Tag[] | undefined;
  /** A part of the name, the id or the provider's reference, in any case. */
  readonly text?: string | undefined;
}

/** A filter as SQL, to go on with after another condition. */
export function conditionOf(filter: ListFilter): {
  readonly condition: string;
  readonly values: readonly string[];
} {
  const conditions: string[] = [];
  const values: string[] = [];
  const add = (condition: string, ...given: readonly string[]) => {
    conditions.push(`AND ${condition}`);
    values.push(...given);
  };
  if (filter.ids !== undefined) {
    add("instance_id IN (SELECT value FROM json_each(?))", JSON.stringify(filter.ids));
  }
  for (const column of ["status", "health"] as const) {
    if (filter[column] !== undefined) add(`${column} = ?`, filter[column]);
  }
  // By whichever connection.
  if (filter.provider !== undefined) {
    add("? IN (provider, substr(provider, 1, instr(provider, '@') - 1))", filter.provider);
  }
  if (filter.connection !== undefined) {
    // A fleet of the former release has written the kind alone beside a view that says the connection.
    add("json_extract(view, '$.connection') = ?", filter.connection);
  }
  for (const { key, value } of filter.tag ?? []) {
    add("json_extract(view, ?) = ?", `$.tags."${key}"`, value);
  }
  if (filter.text !== undefined) {
    add(
      "instr(lower(name || char(10) || instance_id || char(10) || coalesce(provider_ref, '')), ?) > 0",
      filter.text.toLowerCase(),
    );
  }
  return { condition: conditions.join(" "), values };
}

/** Whether the filter lets an instance pass that SQL has found. */
export function isWanted({ nobody_can_stop }: Control, filter: ListFilter): boolean {
  return filter.nobody_can_stop === undefined || filter.nobody_can_stop === nobody_can_stop;
}
