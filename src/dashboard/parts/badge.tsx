import type { LiveView } from "../../lifecycle/views/instance-view.ts";
import { words } from "../words.ts";

/** Where an instance stands: in words, and by colour for those who see it. */
export function Badge({ instance }: { instance: Pick<LiveView, "status" | "health"> }) {
  const { status, health } = instance;
  const isNeverHeard = status === "pending" && health === "unhealthy";
  const tone = status === "running" || isNeverHeard ? health : status;
  const said = isNeverHeard ? words.value.neverHeard : words.value.health[health];
  const remark = (status === "running" && health !== "healthy") || isNeverHeard ? ` · ${said}` : "";
  return (
    <span class={`badge ${tone}`}>
      {words.value.status[status]}
      {remark}
    </span>
  );
}
