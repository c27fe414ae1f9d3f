import { useState } from "preact/hooks";
import { abilitiesOf } from "../../../lifecycle/model/provider.ts";
import { settingsAddress } from "../../address.ts";
import { changeQuery, query } from "../../route.ts";
import { Found, MachineChoice } from "../../settings/providers/found.tsx";
import { keyOf, type ListedMachine } from "../../settings/providers/inventory.ts";
import { listNow } from "../../settings/providers/list-now.ts";
import type { ChosenMachine } from "../machine.ts";
import { ReferenceFields } from "../machine-fields.tsx";
import type { Refusals } from "../refusals.tsx";
import type { Place } from "./place.ts";
import { placeText } from "./where-step.tsx";
import { addWords } from "./words.ts";

/** Which machine it is: one of those that its account lists and nobody watches, or one that is named by hand. */
export function MachineStep(props: {
  place: Place;
  machines: readonly ListedMachine[] | null;
  chosen: ChosenMachine;
  listed: ListedMachine | null;
  refusals: Refusals;
  onChange: (chosen: ChosenMachine) => void;
  onLooked: () => void;
}) {
  const { place, machines, chosen, listed, refusals, onChange, onLooked } = props;
  const [isByHand, setByHand] = useState(false);
  const [isLooking, setLooking] = useState(false);
  const { machine: said } = addWords.value;
  const { connection } = place;
  if (connection === null) return null;
  const lists = abilitiesOf(place.provider).lists;
  const hasList = lists && machines !== null && machines.length > 0;
  const onLook = async () => {
    setLooking(true);
    await listNow(connection);
    onLooked();
    setLooking(false);
  };
  const byHand = (
    <>
      <ReferenceFields chosen={chosen} refusals={refusals} onChange={onChange} />
      {refusals.machine !== undefined && (
        <p class="wrong" role="alert">
          {refusals.machine}
        </p>
      )}
    </>
  );
  if (!lists) return byHand;
  const look = (
    <button type="button" class="link" disabled={isLooking} onClick={onLook}>
      {isLooking ? said.loading : said.lookAgain}
    </button>
  );
  if (!hasList || isByHand) {
    return (
      <>
        {connection.state === "refused" && (
          <p class="obstacle">
            {said.refused} <a href={settingsAddress("providers")}>{said.renew}</a>
          </p>
        )}
        <p class="faint choices-beside">
          {machines === null && said.loading}
          {machines !== null && !hasList && `${said.noneListed(placeText(place))} `}
          {hasList && (
            <button type="button" class="link" onClick={() => setByHand(false)}>
              {said.fromList}
            </button>
          )}
          {machines !== null && look}
        </p>
        {byHand}
      </>
    );
  }
  const free = machines.filter(({ member_of }) => member_of === null);
  if (query.value.has("several")) {
    return (
      <>
        <Found machines={machines} onWatched={onLooked} />
        <p class="choices-beside">
          <button type="button" class="link" onClick={() => changeQuery({ several: null })}>
            {said.one}
          </button>
        </p>
      </>
    );
  }
  const isOther = refusals.reference !== undefined;
  return (
    <>
      <fieldset class="machines" aria-label={said.listed}>
        {machines.map((machine) => (
          <MachineChoice
            key={keyOf(machine)}
            type="radio"
            machine={machine}
            isChosen={listed?.ref === machine.ref}
            onChoose={() => changeQuery({ machine: machine.ref }, "replace")}
          />
        ))}
      </fieldset>
      {(isOther || refusals.machine !== undefined) && (
        <p class="wrong" role="alert">
          {refusals.reference ?? refusals.machine}
        </p>
      )}
      <p class="choices-beside">
        {free.length > 1 && (
          <button type="button" class="link" onClick={() => changeQuery({ several: "1", machine: null })}>
            {said.several(free.length)}
          </button>
        )}
        <button
          type="button"
          class="link"
          onClick={() => {
            setByHand(true);
            changeQuery({ machine: null }, "replace");
          }}
        >
          {said.byHand}
        </button>
        {look}
      </p>
    </>
  );
}
