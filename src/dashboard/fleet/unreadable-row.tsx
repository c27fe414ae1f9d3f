import { ask } from "../api.ts";
import { confirmed } from "../parts/dialog.tsx";
import { doAndSay } from "../parts/notice.tsx";
import { words } from "../words.ts";
import { refreshFleet } from "./fleet.ts";
import type { Unreadable } from "./known.ts";
import { ofInstance } from "./sight.ts";

/** An instance of which the service can say nothing: its owner can wait for a version that can, or let go of it. */
export function UnreadableRow({
  instance,
  columns,
  mayAct,
}: {
  instance: Unreadable;
  /** How many there are beside its name. */
  columns: number;
  mayAct: boolean;
}) {
  const { instance_id } = instance;
  const { unreadable, remove, removeQuestion, done, of, instances } = words.value;
  const onRemove = async () => {
    const stakes = instances.removeStakes(null, null, false);
    if (!(await confirmed(removeQuestion(instance_id), stakes, remove, instance_id))) return;
    const removed = await doAndSay(
      () => ask("DELETE", `/api/agent/instances/${encodeURIComponent(instance_id)}`),
      () => done.removed(instance_id),
    );
    if (removed) refreshFleet();
  };
  return (
    <tr {...ofInstance(instance_id)}>
      {mayAct && <td class="mark" />}
      <th scope="row">{instance_id}</th>
      <td data-label={words.value.columns.status} colSpan={columns} title={instance.error.message}>
        {unreadable}{" "}
        {mayAct && (
          <button type="button" aria-label={of(remove, instance_id)} onClick={onRemove}>
            {remove}
          </button>
        )}
      </td>
      {mayAct && <td class="actions" />}
    </tr>
  );
}
