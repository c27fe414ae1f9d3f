import { instanceAddress } from "../address.ts";
import { fleet } from "../fleet/fleet.ts";
import { price } from "../format.ts";
import { language, words } from "../words.ts";
import type { KillLine, KillOrdered, KillPlan } from "./kill.ts";

/** Each instance with what is done to it, or why it is left alone. */
export function KillLines({ of, isDone }: { of: KillPlan | KillOrdered; isDone: boolean }) {
  const { kill } = words.value.costs;
  const skipped = of.instances.filter(({ does }) => does === "skip");
  const hibernated = of.instances.filter(({ does }) => does === "hibernate");
  const more = of.hibernate + of.skip - of.instances.length;
  return (
    <>
      {hibernated.length > 0 && (
        <Lines label={isDone ? kill.told : kill.meant} lines={hibernated} reasons={kill.uses} hasSaving />
      )}
      {of.skip > 0 && (
        <>
          <h3>{kill.leftAlone(of.skip)}</h3>
          <ul class="reasons">
            {Object.entries(of.skipped).map(([because, count]) => (
              <li key={because}>{kill.leftBecause(count, reason(kill.reasons, because))}</li>
            ))}
          </ul>
        </>
      )}
      {skipped.length > 0 && <Lines label={kill.leftAlone(of.skip)} lines={skipped} reasons={kill.reasons} />}
      {of.is_more && <p class="faint">{kill.more(more)}</p>}
    </>
  );
}

function Lines(props: {
  label: string;
  lines: readonly KillLine[];
  reasons: Readonly<Record<string, string>>;
  hasSaving?: boolean;
}) {
  const { columns, costs } = words.value;
  const dollars = (amount: number | null) =>
    amount === null ? costs.notKnown : price(amount, language.value);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what is scrolled must be reached by keyboard
    <section class="scrolled" aria-label={props.label} tabIndex={0}>
      <table class="lines">
        <thead>
          <tr>
            <th scope="col">{columns.name}</th>
            <th scope="col" class={props.hasSaving ? "rate" : undefined}>
              {columns.rate}
            </th>
            {props.hasSaving && <th scope="col">{costs.kill.savesColumn}</th>}
            <th scope="col">{props.hasSaving ? costs.kill.nowColumn : costs.kill.whyColumn}</th>
          </tr>
        </thead>
        <tbody>
          {props.lines.map((line) => (
            <tr key={line.instance_id}>
              <th scope="row">
                <a href={instanceAddress(line.instance_id)}>{line.name}</a>
              </th>
              <td class={props.hasSaving ? "figure rate" : "figure"}>{dollars(line.rate)}</td>
              {props.hasSaving && <td class="figure">{dollars(line.saves_hourly)}</td>}
              <td>{reason(props.reasons, line.because)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** What a stop risks where these machines are rented, in a sentence for each provider of which something is known. */
export function Risks({ of }: { of: KillPlan }) {
  const meant = new Set(
    of.instances.filter(({ does }) => does === "hibernate").map((line) => line.instance_id),
  );
  const instances = fleet.value?.instances ?? [];
  const providers = new Set(
    instances.filter(({ instance_id }) => meant.has(instance_id)).map(({ provider }) => provider),
  );
  const risks = [...providers]
    .sort()
    .flatMap((provider) => words.value.comingBack.risks(provider, null) ?? []);
  return (
    <>
      {risks.map((risk) => (
        <p key={risk} class="remark">
          {risk}
        </p>
      ))}
    </>
  );
}

/** One for which there is no word is shown as it is. */
export function reason(reasons: Readonly<Record<string, string>>, because: string): string {
  return reasons[because] ?? because;
}
