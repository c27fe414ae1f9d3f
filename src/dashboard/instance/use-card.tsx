import type { PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import type { DetailView } from "../../lifecycle/views/instance-view.ts";
import { now } from "../clock.ts";
import { duration, number } from "../format.ts";
import { sourceAmount } from "../parts/source-amount.ts";
import { language, words } from "../words.ts";
import { nameOf, type UseRow, useRows, type Verdict, verdictOf } from "./use.ts";

type Used = Pick<DetailView, "use" | "gpu_utilization" | "gpus" | "recent_heartbeats" | "lifecycle"> & {
  readonly policy: PolicySettings;
};

/** Why an instance is idle or is not, source by source; nothing of one that does not run. */
export function UseCard({ instance }: { instance: Used }) {
  const { use, policy, recent_heartbeats } = instance;
  if (use === null) return null;
  const used = { ...instance, use, cpu_utilization: recent_heartbeats[0]?.cpu_utilization ?? null };
  const rows = useRows(used, policy.idle);
  const verdict = verdictOf(used, policy.idle, rows);
  const { title, columns, noSources, resident } = words.value.use;
  const { resident_model_gb, without_work_since } = use;
  return (
    <section class="card">
      <h2>{verdict.code === "off" ? title.off : verdict.code === "idle" ? title.idle : title.notIdle}</h2>
      <p>{spokenVerdict(verdict)}</p>
      <table class="use">
        <thead>
          <tr>
            <th scope="col">{columns.source}</th>
            <th scope="col">{columns.value}</th>
            <th scope="col">{columns.threshold}</th>
            <th scope="col">{columns.state}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={JSON.stringify(row.measured)} row={row} />
          ))}
        </tbody>
      </table>
      {resident_model_gb !== null && (
        <p>
          {resident(
            number(resident_model_gb, language.value),
            without_work_since === null ? null : since(without_work_since),
          )}
        </p>
      )}
      {use.sources.length === 0 && <p class="faint">{noSources}</p>}
    </section>
  );
}

function Row({ row }: { row: UseRow }) {
  const { columns, state, quietFor } = words.value.use;
  const { measured: what, note, threshold } = row;
  const isQuiet = row.state === "quiet" && row.quietSince !== null;
  return (
    <tr class={row.state}>
      <th scope="row">
        {capital(nameOf(what, words.value.use))}
        {what.kind === "gpu" && what.model !== null && <span class="faint"> {what.model}</span>}
        {note !== null && note !== "" && <bdi class="note faint">{note}</bdi>}
      </th>
      <td data-label={columns.value} class="figure">
        {valueText(row)}
      </td>
      <td data-label={columns.threshold} class="figure">
        {threshold === null || isScript(row) ? "–" : amount(row, threshold)}
      </td>
      <td data-label={columns.state} class="state">
        {isQuiet && row.quietSince !== null ? quietFor(since(row.quietSince)) : state[row.state]}
      </td>
    </tr>
  );
}

function spokenVerdict(verdict: Verdict): string {
  const { off, idle, inUse, unknown, activity, quiet } = words.value.use;
  const named = (rows: readonly UseRow[]) =>
    rows.map((row) => nameOf(row.measured, words.value.use)).join(", ");
  switch (verdict.code) {
    case "off":
      return off;
    case "idle":
      return idle(since(verdict.since));
    case "in_use":
      return inUse(named(verdict.by));
    case "unknown":
      return unknown(named(verdict.of));
    case "activity":
      return activity;
    case "quiet":
      return quiet;
  }
}

function valueText(row: UseRow): string {
  const { unread, ofGpu, yes, no } = words.value.use;
  if (row.value === null) return unread;
  if (isScript(row) && row.value <= 1) return row.value === 1 ? yes : no;
  const text = amount(row, row.value);
  return row.mean === null ? text : ofGpu(text, amount(row, row.mean));
}

/** Scripts say yes or no. */
function isScript({ measured }: UseRow): boolean {
  return measured.kind === "source" && measured.name.startsWith("script_");
}

/** With its unit. */
function amount({ measured }: UseRow, value: number): string {
  return measured.kind === "source"
    ? sourceAmount(measured.name, value)
    : `${number(value, language.value)}%`;
}

function since(iso: string): string {
  return duration((now.value - Date.parse(iso)) / 1000);
}

function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase(language.value) + text.slice(1);
}
