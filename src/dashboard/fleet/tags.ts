import { listTags, readTag, type Tag, type Tags, writeTag } from "../../lifecycle/model/tags.ts";

/** Tags in the address of the list, which shows the instances that have all of them, and in forms. Pure. */

/** Those that the query of an address names. What is no tag is left out. */
export function tagsInQuery(query: URLSearchParams): Tag[] {
  return query
    .getAll("tag")
    .map(readTag)
    .filter((tag) => tag !== null);
}

/** The address of the list of instances that have all of these, and are otherwise narrowed down as by `query`. */
export function listAddress(tags: readonly Tag[], query: URLSearchParams = new URLSearchParams()): string {
  const next = new URLSearchParams(query);
  next.delete("tag");
  for (const tag of tags) next.append("tag", writeTag(tag));
  return next.size === 0 ? "#/" : `#/?${next}`;
}

export function isAmong(tags: readonly Tag[], { key, value }: Tag): boolean {
  return tags.some((each) => each.key === key && each.value === value);
}

/** With this one too; without it, if it was among them. An instance has one of a key, so it takes another's place. */
export function toggled(tags: readonly Tag[], tag: Tag): Tag[] {
  const others = tags.filter(({ key }) => key !== tag.key);
  return isAmong(tags, tag) ? others : [...others, tag];
}

/** As they are entered: one a line. */
export function linesOf(tags: Tags): string {
  return listTags(tags).map(writeTag).join("\n");
}

/** As they were entered. A line without a colon is a key without a value. The service says what is wrong with them. */
export function tagsIn(lines: string): Tags {
  return Object.fromEntries(
    lines
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "")
      .map((line) => readTag(line) ?? { key: line, value: "" })
      .map(({ key, value }) => [key.trim(), value.trim()]),
  );
}
