import { abilitiesOf, type CalledProvider } from "../../../lifecycle/model/provider.ts";
import { words } from "../../words.ts";
import { providersWords } from "./words.ts";

/** What a kind of provider can do, and what a stop there means, in words. */
export function Abilities({ kind }: { kind: CalledProvider }) {
  const { abilities: said } = providersWords.value;
  const { hibernates, reachesSilent, snapshots, lists } = abilitiesOf(kind);
  const stops = hibernates !== "never";
  const line = (can: boolean, text: string) => (
    <li class={can ? "can" : "cannot"}>
      <span class="hidden">{can ? said.yes : said.no}</span> {text}
    </li>
  );
  const risks = words.value.comingBack.risks(kind, null);
  return (
    <>
      <ul class="abilities">
        {line(stops, stops ? said.stops : said.stopsNot)}
        {reachesSilent && stops && line(true, said.reaches)}
        {line(snapshots, snapshots ? said.snapshots : said.snapshotsNot)}
        {line(lists, lists ? said.lists : said.listsNot)}
      </ul>
      {risks !== null && <p class="risks">{risks}</p>}
    </>
  );
}

/** The same in a few words. */
export function abilityTags(kind: CalledProvider): string {
  const { tags } = providersWords.value;
  const { hibernates, snapshots, lists } = abilitiesOf(kind);
  return [
    hibernates === "never" ? tags.deletes : tags.stops,
    ...(snapshots ? [tags.snapshots] : []),
    ...(lists ? [tags.lists] : []),
  ].join(" · ");
}
