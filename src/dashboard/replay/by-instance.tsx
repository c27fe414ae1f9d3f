import { useState } from "preact/hooks";
import { instanceAddress } from "../address.ts";
import { ask } from "../api.ts";
import { errorText, say } from "../parts/notice.tsx";
import { asApiError } from "../poll.ts";
import { differenceText, valueText } from "./amounts.ts";
import { type InstanceLine, type InstanceLines, type PolicyReplay, previewAddress } from "./answers.ts";
import { differenceOf, figureOf, type Measure, unitOf } from "./comparing.ts";
import { SaysOf } from "./proposal.tsx";
import { replayWords } from "./words.ts";

const MEASURES = ["saved", "hibernations", "interruptions"] as const satisfies Measure[];

/** What the numbers would have done to each instance, and what would be better there. */
export function ByInstance({ preview }: { preview: PolicyReplay }) {
  const [further, setFurther] = useState<InstanceLines | null>(null);
  const { byInstance } = replayWords.value;
  const lines = further === null ? preview.by_instance : further.instances;
  const isMore =
    further === null ? preview.instances.done > preview.by_instance.length : further.next_cursor !== null;
  const readMore = async () => {
    try {
      const cursor = further?.next_cursor;
      const query = cursor == null ? "" : `?cursor=${encodeURIComponent(cursor)}`;
      const page = await ask<InstanceLines>("GET", `${previewAddress(preview.id)}/instances${query}`);
      setFurther({ ...page, instances: [...(further?.instances ?? []), ...page.instances] });
    } catch (error) {
      say(errorText(asApiError(error)), true);
    }
  };
  if (preview.instances.total === 1) return null;
  return (
    <details>
      <summary>{byInstance.title}</summary>
      {lines.length === 0 ? <p>{byInstance.none}</p> : <Lines lines={lines} />}
      {isMore && (
        <button type="button" onClick={readMore}>
          {byInstance.more}
        </button>
      )}
    </details>
  );
}

function Lines({ lines }: { lines: readonly InstanceLine[] }) {
  const { byInstance } = replayWords.value;
  const hasProposals = lines.some(({ proposal }) => proposal !== null);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what is scrolled must be reached by keyboard
    <section class="scrolled" aria-label={byInstance.title} tabIndex={0}>
      <table class="lines stacked">
        <thead>
          <tr>
            <th scope="col">{byInstance.instance}</th>
            {MEASURES.map((measure) => (
              <th key={measure} scope="col">
                {byInstance[measure]}
              </th>
            ))}
            {hasProposals && <th scope="col">{byInstance.better}</th>}
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.instance_id}>
              <th scope="row">
                <a href={instanceAddress(line.instance_id)}>{line.name}</a>
              </th>
              {MEASURES.map((measure) => (
                <Figure key={measure} line={line} measure={measure} />
              ))}
              {hasProposals && (
                <td class="wide">{line.proposal !== null && <SaysOf worded={line.proposal} />}</td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Figure({ line, measure }: { line: InstanceLine; measure: (typeof MEASURES)[number] }) {
  const value = figureOf(line.candidate, measure);
  const difference = differenceOf(measure, value, figureOf(line.actual, measure));
  const unit = unitOf(measure);
  const text = differenceText(difference, unit);
  return (
    <td data-label={replayWords.value.byInstance[measure]} class="figure">
      {valueText(value, unit)} {text !== null && <span class={`change ${difference?.is}`}>{text}</span>}
    </td>
  );
}
