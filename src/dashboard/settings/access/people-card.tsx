import { useState } from "preact/hooks";
import { ask } from "../../api.ts";
import { frameWords } from "../../frame/words.ts";
import { Answered } from "../../parts/answered.tsx";
import { confirmed } from "../../parts/dialog.tsx";
import { doAndSay } from "../../parts/notice.tsx";
import { useLive } from "../../poll.ts";
import { forget, may } from "../../session.ts";
import { useWays } from "../../sign-in/all-ways.tsx";
import { words } from "../../words.ts";
import type { Person, RemovedPerson } from "./answers.ts";
import { Identities } from "./identities.tsx";
import { RoleBadge } from "./role-badge.tsx";
import { PERSON_ROLES } from "./role-choice.tsx";
import { agoOf } from "./times.ts";
import { accessWords } from "./words.ts";

const ADDRESS = "/api/agent/people";
const PAUSE_MS = 60_000;

/** Those who sign in to the account. */
export function PeopleCard() {
  const people = useLive<{ people: readonly Person[] }>(ADDRESS, PAUSE_MS);
  const { peopleTitle, peopleHint, noPeople, tokensLeft } = accessWords.value;
  const provider = useWays()?.openid?.name ?? null;
  const [left, setLeft] = useState<{ readonly name: string; readonly tokens: string } | null>(null);
  return (
    <section class="card">
      <h2>{peopleTitle}</h2>
      <p class="faint">{peopleHint}</p>
      <div role="status">{left !== null && <p class="problem">{tokensLeft(left.name, left.tokens)}</p>}</div>
      <Answered of={people}>
        {(data) =>
          data.people.length === 0 ? (
            <p>{noPeople}</p>
          ) : (
            <ul class="access-list">
              {data.people.map((person) => (
                <PersonRow
                  key={person.id}
                  person={person}
                  provider={provider}
                  onChange={people.refresh}
                  onLeft={setLeft}
                />
              ))}
            </ul>
          )
        }
      </Answered>
    </section>
  );
}

interface PersonRowProps {
  readonly person: Person;
  readonly provider: string | null;
  readonly onChange: () => void;
  /** Told of whom was removed, and of the tokens that the person leaves behind. */
  readonly onLeft: (left: { readonly name: string; readonly tokens: string } | null) => void;
}

function PersonRow({ person, provider, onChange, onLeft }: PersonRowProps) {
  const { id, name, email, role, last_seen_at, this: isYou } = person;
  const texts = accessWords.value;
  const change = async (chosen: string) => {
    await doAndSay(
      () => ask("PATCH", `${ADDRESS}/${id}`, { role: chosen }),
      () => texts.roleChanged(name),
    );
    onChange();
  };
  const remove = async () => {
    const { removePersonQuestion, removePersonStakes, removePerson, personRemoved } = texts;
    if (!(await confirmed(removePersonQuestion(name), removePersonStakes, removePerson))) return;
    const isRemoved = await doAndSay(
      () => ask<RemovedPerson>("DELETE", `${ADDRESS}/${id}`),
      ({ tokens }) => {
        const names = tokens.map((token) => token.name).join(", ");
        onLeft(names === "" ? null : { name, tokens: names });
        return personRemoved(name);
      },
    );
    if (isRemoved && isYou) forget();
    else onChange();
  };
  return (
    <li>
      <span>
        <b>{name}</b> {isYou && <span class="this">{texts.you}</span>}
        {email !== null && email !== name && <span class="faint line">{email}</span>}
        <Identities person={person} provider={provider} onChange={onChange} />
      </span>
      <span class="faint">
        {last_seen_at === null ? texts.neverSeen : texts.lastSeen(agoOf(last_seen_at))}
      </span>
      {may("owner") ? (
        <span class="buttons">
          <select
            aria-label={words.value.of(texts.role, name)}
            value={role}
            onChange={({ currentTarget }) => change(currentTarget.value)}
          >
            {PERSON_ROLES.map((each) => (
              <option key={each} value={each}>
                {frameWords.value.roles[each]}
              </option>
            ))}
          </select>
          <button
            type="button"
            class="danger"
            aria-label={words.value.of(texts.removePerson, name)}
            onClick={remove}
          >
            {texts.removePerson}
          </button>
        </span>
      ) : (
        <RoleBadge role={role} />
      )}
    </li>
  );
}
