import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { words } from "../words.ts";
import { runningMoney } from "./money.ts";

type Controlled = Pick<ShownView, "control" | "provider" | "rate" | "wasted_today">;

/** That nobody can stop a machine, and what that costs, or that nobody can wake it, and what helps. */
export function ControlLine({ instance }: { instance: Controlled }) {
  const { nobody_can_stop, why_not } = instance.control;
  if (why_not === null) return null;
  const { cannotStop, cannotWake, remedy, thenChoose } = words.value.instances;
  const help = remedy[why_not];
  return (
    <p class={nobody_can_stop ? "banner unstoppable" : "banner unreached"}>
      {(nobody_can_stop ? cannotStop : cannotWake)[why_not](words.value.providers[instance.provider])}{" "}
      {nobody_can_stop && `${runningMoney(instance)} `}
      {help !== null && (
        <>
          <a href="#/settings/providers">{help}</a>.
        </>
      )}
      {(why_not === "silent" || why_not === "no_provider") && <> {thenChoose}</>}
    </p>
  );
}

/** The same, in a list. */
export function ControlMark({ instance }: { instance: Controlled }) {
  const { nobody_can_stop, why_not } = instance.control;
  if (!nobody_can_stop || why_not === null) return null;
  const { cannotStop, nobodyCanStop } = words.value.instances;
  const title = `${cannotStop[why_not](words.value.providers[instance.provider])} ${runningMoney(instance)}`;
  return (
    <span class="unstoppable-mark" title={title}>
      {nobodyCanStop}
    </span>
  );
}
