import type { PolicyOverrides, PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import { number } from "../format.ts";
import { language, words } from "../words.ts";
import { hoursText, minutesText, percentText } from "./amounts.ts";
import type { FleetProposal, Point, PolicyReplay, Worded } from "./answers.ts";
import { inOrder, savedOf, withPair } from "./frontier.ts";
import { FrontierChart, pairText, savedText } from "./frontier-chart.tsx";
import { proposalText } from "./proposal-text.ts";
import { replayWords } from "./words.ts";

/** What other numbers would have come to, and those that are proposed. Nothing is set by itself. */
export function ProposalOf(props: {
  preview: PolicyReplay;
  /** As it is saved. */
  policy: PolicySettings;
  /** What is typed. */
  overrides: PolicyOverrides;
  onTake: (overrides: PolicyOverrides) => void;
}) {
  const { preview, policy, overrides, onTake } = props;
  const { proposal } = preview;
  const { title, hint, unknown, take, byTag } = replayWords.value.proposal;
  if (proposal === null && preview.state === "running") return null;
  const onTakePair = (pair: Point) => onTake(withPair(overrides, pair, policy));
  return (
    <>
      <h4>{title}</h4>
      {proposal === null ? (
        <p>{unknown}</p>
      ) : (
        <>
          <p class="proposal">
            <SaysOf worded={proposal} />
          </p>
          {proposal.proposed !== null && isChange(proposal) && (
            <TakeButton text={take} pair={proposal.proposed} onTake={onTakePair} />
          )}
          {proposal.frontier.some((pair) => savedOf(pair, proposal.measure) > 0) && (
            <>
              <p class="faint">{hint}</p>
              <FrontierChart points={proposal.frontier} measure={proposal.measure} />
              <Pairs of={proposal} onTake={onTakePair} />
            </>
          )}
          {proposal.by_tag.length > 0 && preview.instances.total > 1 && (
            <details>
              <summary>{byTag}</summary>
              <ByTag of={proposal} />
            </details>
          )}
        </>
      )}
    </>
  );
}

/** Whether it says that other numbers would be better. */
function isChange({ says: { code } }: Worded): boolean {
  return code !== "keep" && code !== "alike";
}

/** In the reader's language; what only the service can word stays in English. */
export function SaysOf({ worded }: { worded: Worded }) {
  const text = proposalText(worded, replayWords.value.proposal, language.value);
  return <span lang={text === null ? "en" : undefined}>{text ?? worded.message}</span>;
}

function TakeButton(props: { text: string; pair: Point; onTake: (pair: Point) => void }) {
  return (
    <button type="button" onClick={() => props.onTake(props.pair)}>
      {props.text}
    </button>
  );
}

function Pairs({ of, onTake }: { of: FleetProposal; onTake: (pair: Point) => void }) {
  const { asTable, axes, columns, takeShort, takeOne, legend } = replayWords.value.proposal;
  const { frontier, measure } = of;
  return (
    <details>
      <summary>{asTable}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is scrolled must be reached by keyboard */}
      <section class="scrolled" aria-label={asTable} tabIndex={0}>
        <table class="lines stacked">
          <thead>
            <tr>
              <th scope="col">{columns.window}</th>
              <th scope="col">{columns.threshold}</th>
              <th scope="col">{axes[measure]}</th>
              <th scope="col">{columns.share}</th>
              <th scope="col">{columns.interruptions}</th>
              <th scope="col">{columns.cut}</th>
              <th scope="col">
                <span class="hidden">{words.value.columns.actions}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {inOrder(frontier).map((point) => (
              <tr key={pairText(point)} class={point.is_frontier ? "on" : undefined}>
                <th scope="row" class="figure">
                  {minutesText(point.hibernate_after_minutes)}
                  {point.is_proposed && <span class="faint"> {legend.proposed}</span>}
                  {point.is_frontier && <span class="hidden"> ({legend.frontier})</span>}
                </th>
                <td data-label={columns.threshold} class="figure">
                  {percentText(point.threshold_percent)}
                </td>
                <td data-label={axes[measure]} class="figure">
                  {savedText(savedOf(point, measure), measure)}
                </td>
                <td data-label={columns.share} class="figure">
                  {percentText(point.share_percent)}
                </td>
                <td data-label={columns.interruptions} class="figure">
                  {number(point.interruptions, language.value, 0)}
                </td>
                <td data-label={columns.cut} class="figure">
                  {hoursText(point.work_cut_hours)}
                </td>
                <td class="wide">
                  <button type="button" aria-label={takeOne(pairText(point))} onClick={() => onTake(point)}>
                    {takeShort}
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}

function ByTag({ of }: { of: FleetProposal }) {
  const { tag, instances, better, byTag } = replayWords.value.proposal;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what is scrolled must be reached by keyboard
    <section class="scrolled" aria-label={byTag} tabIndex={0}>
      <table class="lines stacked">
        <thead>
          <tr>
            <th scope="col">{tag}</th>
            <th scope="col">{instances}</th>
            <th scope="col">{better}</th>
          </tr>
        </thead>
        <tbody>
          {of.by_tag.map((each) => (
            <tr key={each.tag}>
              <th scope="row">
                <bdi>{each.tag}</bdi>
              </th>
              <td data-label={instances} class="figure">
                {number(each.instances, language.value, 0)}
              </td>
              <td class="wide">
                <SaysOf worded={each} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
