import { useEffect, useState } from "preact/hooks";
import type { PolicyOverrides } from "../../lifecycle/model/policy-settings.ts";
import { writeTag } from "../../lifecycle/model/tags.ts";
import { ask } from "../api.ts";
import { dayAndTime, duration } from "../format.ts";
import { Answered } from "../parts/answered.tsx";
import { doAndSay, errorText, say } from "../parts/notice.tsx";
import { asApiError, useLive } from "../poll.ts";
import { language, words } from "../words.ts";
import { percentText, resultText } from "./amounts.ts";
import { type KeptPreview, type PolicyReplay, PREVIEWS, previewAddress } from "./answers.ts";
import { resultOf } from "./comparing.ts";
import { triedNumbers } from "./two.ts";
import { TwoCompared } from "./two-compared.tsx";
import { replayWords } from "./words.ts";

const PAUSE_MS = 30_000;

interface Actions {
  onOpen: (preview: PolicyReplay) => void;
  /** Puts its numbers into the editor; null for one that is of another level. */
  overridesOf: (preview: KeptPreview) => PolicyOverrides | null;
  onTake: (overrides: PolicyOverrides) => void;
  onRemoved: (id: string) => void;
}

/** The previews that are kept. Two can be compared, and each can be shown again, put into the editor, or deleted. */
export function KeptPreviews(
  props: Actions & {
    /** Changes when the list does. */
    stamp: string;
    /** The one that goes when something else is tried. */
    passing: string | null;
    onChosen: (id: string) => void;
  },
) {
  const { stamp, passing, onChosen } = props;
  const list = useLive<{ readonly previews: readonly KeptPreview[] }>(PREVIEWS, PAUSE_MS);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  useEffect(list.refresh, [stamp]);
  const { kept } = replayWords.value;
  const choose = (id: string, isChosen: boolean) => {
    // Of three the one that was chosen first makes room.
    setChosen(isChosen ? [...chosen, id].slice(-2) : chosen.filter((each) => each !== id));
    if (isChosen) onChosen(id);
  };
  return (
    <details class="kept">
      <summary>
        {kept.title} {list.data !== null && `(${list.data.previews.length})`}
      </summary>
      <Answered of={list}>
        {({ previews }) => {
          if (previews.length === 0) return <p class="faint">{kept.none}</p>;
          const [first, second] = previews.filter(({ id }) => chosen.includes(id)).reverse();
          return (
            <>
              <p class="faint">{kept.hint}</p>
              <ul class="previews">
                {previews.map((preview) => (
                  <Kept
                    key={preview.id}
                    {...props}
                    preview={preview}
                    isPassing={preview.id === passing}
                    letter={
                      preview === first ? kept.letters.first : preview === second ? kept.letters.second : null
                    }
                    isChosen={chosen.includes(preview.id)}
                    onChoose={(isChosen) => choose(preview.id, isChosen)}
                    onRemoved={(id) => {
                      choose(id, false);
                      props.onRemoved(id);
                      list.refresh();
                    }}
                  />
                ))}
              </ul>
              {first !== undefined && second !== undefined && <TwoCompared first={first} second={second} />}
            </>
          );
        }}
      </Answered>
    </details>
  );
}

function Kept(
  props: Actions & {
    preview: KeptPreview;
    isPassing: boolean;
    letter: string | null;
    isChosen: boolean;
    onChoose: (isChosen: boolean) => void;
  },
) {
  const { preview, isPassing, letter, isChosen, onChoose, onOpen, overridesOf, onTake, onRemoved } = props;
  const { kept } = replayWords.value;
  const when = dayAndTime(preview.created_at, language.value);
  const name = (what: string) => kept.one(what, `${numbersText(preview)}, ${when}`);
  const result = preview.instances.total === 0 ? null : resultOf(preview.results, "candidate");
  const state = kept.states[preview.state];
  const overrides = overridesOf(preview);
  const open = async () => {
    try {
      onOpen(await ask<PolicyReplay>("GET", previewAddress(preview.id)));
    } catch (error) {
      say(errorText(asApiError(error)), true);
    }
  };
  const remove = async () => {
    const isRemoved = await doAndSay(
      () => ask("DELETE", previewAddress(preview.id)),
      () => kept.removed,
    );
    if (isRemoved) onRemoved(preview.id);
  };
  return (
    <li>
      <label class="never">
        <input
          type="checkbox"
          aria-label={name(kept.choose)}
          checked={isChosen}
          onChange={({ currentTarget }) => onChoose(currentTarget.checked)}
        />
        <span>
          {letter !== null && <b>{letter}: </b>}
          <b>{numbersText(preview)}</b> <span class="faint">{ofText(preview)}</span>
        </span>
      </label>
      <span>
        {result !== null && `${resultText(result)} `}
        <span class="faint">
          {result !== null && "· "}
          <time dateTime={preview.created_at}>{when}</time>
          {state !== null && ` · ${state}`}
          {isPassing && ` · ${kept.notKept}`}
        </span>
      </span>
      <span class="buttons">
        <button type="button" aria-label={name(kept.open)} onClick={open}>
          {kept.open}
        </button>
        {overrides !== null && (
          <button type="button" aria-label={name(kept.take)} onClick={() => onTake(overrides)}>
            {kept.take}
          </button>
        )}
        <button type="button" class="danger" aria-label={name(kept.remove)} onClick={remove}>
          {kept.remove}
        </button>
      </span>
    </li>
  );
}

/** By its preset, or by the two numbers that say most. */
function numbersText(preview: KeptPreview): string {
  const { preset, idle } = triedNumbers(preview);
  if (preset !== "custom") return words.value.policy.preset.names[preset];
  return replayWords.value.proposal.pair(
    percentText(idle.threshold_percent),
    duration(idle.hibernate_after_seconds),
  );
}

function ofText({ asked_of, instances, days }: KeptPreview): string {
  const { kept } = replayWords.value;
  const [only] = asked_of.instances ?? [];
  if (only !== undefined && asked_of.instances?.length === 1) return kept.ofInstance(only, days);
  const [tag] = Object.entries(asked_of.tag ?? {});
  if (tag !== undefined) {
    const [key, value] = tag;
    return kept.ofTag(writeTag({ key, value }), instances.total, days);
  }
  return kept.of(instances.total, days);
}
