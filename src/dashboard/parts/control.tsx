import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { words } from "../words.ts";

/** That nobody can stop a machine, or wake it, and what helps. */
export function ControlLine({ instance }: { instance: Pick<ShownView, "control" | "provider"> }) {
  const { nobody_can_stop, why_not } = instance.control;
  if (why_not === null) return null;
  const { cannotStop, cannotWake, remedy, thenChoose } = words.value.instances;
  const help = remedy[why_not];
  return (
    <p class={nobody_can_stop ? "banner unstoppable" : "banner unreached"}>
      {(nobody_can_stop ? cannotStop : cannotWake)[why_not](words.value.providers[instance.provider])}{" "}
      {help !== null && (
        <>
          <a href="#/settings">{help}</a>.
        </>
      )}
      {(why_not === "silent" || why_not === "no_provider") && <> {thenChoose}</>}
    </p>
  );
}

/** The same, in a list. */
export function ControlMark({ instance }: { instance: Pick<ShownView, "control" | "provider"> }) {
  const { nobody_can_stop, why_not } = instance.control;
  if (!nobody_can_stop || why_not === null) return null;
  const { cannotStop, nobodyCanStop } = words.value.instances;
  return (
    <span class="unstoppable-mark" title={cannotStop[why_not](words.value.providers[instance.provider])}>
      {nobodyCanStop}
    </span>
  );
}
