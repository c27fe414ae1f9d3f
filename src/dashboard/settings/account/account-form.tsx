import { useMemo, useState } from "preact/hooks";
import { ask } from "../../api.ts";
import { Field, TextField } from "../../parts/field.tsx";
import { doAndSay } from "../../parts/notice.tsx";
import { may, whoami } from "../../session.ts";
import { LANGUAGES, words } from "../../words.ts";
import { accountWords } from "./words.ts";

export interface Account {
  readonly name: string;
  readonly language: string | null;
  readonly time_zone: string | null;
}

export function AccountForm({ account, onSaved }: { account: Account; onSaved: () => void }) {
  const [name, setName] = useState(account.name);
  const [language, setLanguage] = useState(account.language ?? "");
  const [zone, setZone] = useState(account.time_zone ?? "");
  const texts = accountWords.value;
  const isOwner = may("owner");
  const submit = async (event: Event) => {
    event.preventDefault();
    const change = {
      name: name.trim(),
      language: language === "" ? null : language,
      time_zone: zone === "" ? null : zone,
    };
    const isSaved = await doAndSay(
      () => ask("PATCH", "/api/agent/account", change),
      () => words.value.done.saved,
    );
    if (!isSaved) return;
    const who = whoami.peek();
    if (who) whoami.value = { ...who, ...change, user: { ...who.user, name: change.name } };
    onSaved();
  };
  return (
    <form onSubmit={submit}>
      <fieldset class="plain" disabled={!isOwner}>
        <TextField name="account-name" label={texts.name} isRequired value={name} onChange={setName} />
        <Field label={texts.language} hint={texts.languageHint}>
          {(attributes) => (
            <select
              {...attributes}
              value={language}
              onChange={({ currentTarget }) => setLanguage(currentTarget.value)}
            >
              <option value="">{texts.languageNotChosen}</option>
              {Object.entries(LANGUAGES).map(([code, spoken]) => (
                <option key={code} value={code}>
                  {spoken}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={texts.timeZone} hint={texts.timeZoneHint}>
          {(attributes) => <ZoneChoice attributes={attributes} zone={zone} onChoose={setZone} />}
        </Field>
        {isOwner && (
          <button type="submit" class="primary">
            {words.value.save}
          </button>
        )}
      </fieldset>
    </form>
  );
}

function ZoneChoice({
  attributes,
  zone,
  onChoose,
}: {
  attributes: Parameters<Parameters<typeof Field>[0]["children"]>[0];
  zone: string;
  onChoose: (zone: string) => void;
}) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = useMemo(
    () => [...new Set([own, ...(zone === "" ? [] : [zone]), ...Intl.supportedValuesOf("timeZone")])],
    [own, zone],
  );
  return (
    <select {...attributes} value={zone} onChange={({ currentTarget }) => onChoose(currentTarget.value)}>
      <option value="">{accountWords.value.zoneNotChosen}</option>
      {zones.map((each) => (
        <option key={each} value={each}>
          {each.replaceAll("_", " ")}
        </option>
      ))}
    </select>
  );
}
