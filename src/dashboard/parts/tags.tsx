import type { ComponentChildren } from "preact";
import { listTags, type Tag, type Tags, writeTag } from "../../lifecycle/model/tags.ts";
import { isAmong, listAddress, tagsInQuery, toggled } from "../fleet/tags.ts";
import { query, route } from "../route.ts";
import { words } from "../words.ts";

/** An instance's tags. Each leads to the list of all that have it, beside those that the list is narrowed to already. */
export function TagList({ tags, most = Number.POSITIVE_INFINITY }: { tags: Tags; most?: number }) {
  const all = listTags(tags);
  if (all.length === 0) return null;
  const others = all.slice(most);
  return (
    <ul class="tags" aria-label={words.value.instances.tags}>
      {all.slice(0, most).map((tag) => (
        <TagLink key={writeTag(tag)} tag={tag} />
      ))}
      {others.length > 0 && (
        <li class="faint" title={others.map(writeTag).join("\n")}>
          +{others.length}
        </li>
      )}
    </ul>
  );
}

/** Those that the list is narrowed to. Each leads to the list without it. */
export function ChosenTags({ tags }: { tags: readonly Tag[] }) {
  if (tags.length === 0) return null;
  return (
    <ul class="tags" aria-label={words.value.instances.chosenTags}>
      {tags.map((tag) => (
        <TagLink key={writeTag(tag)} tag={tag}>
          <span aria-hidden="true">×</span>
        </TagLink>
      ))}
    </ul>
  );
}

/** At an instance no cross: it would seem to take the tag away there. */
function TagLink({ tag, children }: { tag: Tag; children?: ComponentChildren }) {
  const { withTag, withoutTag } = words.value.instances;
  const shown = route.value.page === "fleet" ? query.value : undefined;
  const chosen = shown === undefined ? [] : tagsInQuery(shown);
  const isChosen = isAmong(chosen, tag);
  const text = writeTag(tag);
  return (
    <li>
      <a
        class="tag"
        href={listAddress(toggled(chosen, tag), shown)}
        aria-current={isChosen ? "true" : undefined}
        title={isChosen ? withoutTag(text) : withTag(text)}
      >
        <span class="key">{tag.key}</span>
        {tag.value !== "" && <bdi>{tag.value}</bdi>}
        {children}
      </a>
    </li>
  );
}
