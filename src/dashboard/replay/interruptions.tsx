import { instanceAddress } from "../address.ts";
import { dayAndTime } from "../format.ts";
import { language } from "../words.ts";
import { hoursText, minutesText } from "./amounts.ts";
import type { PolicyReplay } from "./answers.ts";
import { resultOf } from "./comparing.ts";
import { evidenceText } from "./evidence-text.ts";
import { replayWords } from "./words.ts";

/** Each work that would have come while its machine was off, with what shows it. */
export function Interruptions({ preview }: { preview: PolicyReplay }) {
  const { interruptions: said } = replayWords.value;
  const { interruptions, instances } = preview;
  const isOfOne = instances.total === 1;
  const all = resultOf(preview.results, "candidate")?.interruptions ?? interruptions.length;
  return (
    <>
      <h4>{said.title}</h4>
      {interruptions.length === 0 ? (
        <p>{said.none}</p>
      ) : (
        <>
          {all > interruptions.length && <p class="faint">{said.longest(interruptions.length, all)}</p>}
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is scrolled must be reached by keyboard */}
          <section class="scrolled" aria-label={said.title} tabIndex={0}>
            <table class="lines stacked">
              <thead>
                <tr>
                  <th scope="col">{said.at}</th>
                  {!isOfOne && <th scope="col">{said.instance}</th>}
                  <th scope="col">{said.evidence}</th>
                  <th scope="col">{said.off}</th>
                  <th scope="col">{said.waited}</th>
                  <th scope="col">{said.cut}</th>
                </tr>
              </thead>
              <tbody>
                {interruptions.map((each) => (
                  <tr key={`${each.instance_id} ${each.at}`}>
                    <th scope="row">
                      <Moment at={each.at} />
                    </th>
                    {!isOfOne && (
                      <td data-label={said.instance}>
                        <a href={instanceAddress(each.instance_id)}>{each.name}</a>
                      </td>
                    )}
                    <td data-label={said.evidence} class="wide">
                      {evidenceText(each.evidence)}
                    </td>
                    <td data-label={said.off}>
                      <Moment at={each.hibernated_at} />
                    </td>
                    <td data-label={said.waited} class="figure">
                      {minutesText(each.delayed_minutes)}
                    </td>
                    <td data-label={said.cut} class="figure">
                      {hoursText(each.work_cut_hours)}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        </>
      )}
    </>
  );
}

function Moment({ at }: { at: string }) {
  return <time dateTime={at}>{dayAndTime(at, language.value)}</time>;
}
