import type { ReclaimedView } from "../../lifecycle/views/instance-view.ts";
import { dateTime } from "../format.ts";
import { language, words } from "../words.ts";

/** That its provider takes the machine back, by the machine's own word. */
export function ReclaimedLine({ reclaimed }: { reclaimed: ReclaimedView | null }) {
  if (reclaimed === null) return null;
  const { by, action, ends_at } = reclaimed;
  const names: Readonly<Record<string, string>> = words.value.providers;
  return (
    <p class="banner" role="status">
      {words.value.use.reclaimed(
        by === null ? null : (names[by] ?? by),
        action,
        ends_at === null ? null : dateTime(ends_at, language.value),
      )}
    </p>
  );
}
