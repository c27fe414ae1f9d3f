import { useState } from "preact/hooks";
import { ask } from "../../api.ts";
import { doAndSay } from "../../parts/notice.tsx";
import { words } from "../../words.ts";
import { isChannelKind } from "../channel-fields.ts";
import { type Channel, settingsOf } from "./channel.ts";
import { NameInput, SettingsInputs, SeverityInput, type Typed } from "./channel-inputs.tsx";
import { channelWords } from "./words.ts";

export function EditChannel({ channel, onDone }: { channel: Channel; onDone: () => void }) {
  const { id, kind } = channel;
  const [name, setName] = useState(channel.name);
  const [severity, setSeverity] = useState(channel.minimum_severity);
  const [typed, setTyped] = useState<Typed>({});
  const said = channelWords.value;
  const submit = async (event: Event) => {
    event.preventDefault();
    const settings = isChannelKind(kind) ? settingsOf(kind, typed) : null;
    const saved = await doAndSay(
      () =>
        ask("PATCH", `/api/agent/channels/${id}`, {
          name,
          minimum_severity: severity,
          ...(settings === null ? {} : { settings }),
        }),
      () => words.value.done.saved,
    );
    if (saved) onDone();
  };
  return (
    <form class="inline edit" onSubmit={submit}>
      <NameInput name={name} onChange={setName} />
      <SeverityInput severity={severity} onChange={setSeverity} />
      {kind !== "email" && isChannelKind(kind) && (
        <SettingsInputs id={id} kind={kind} typed={typed} onChange={setTyped} mayBeEmpty />
      )}
      <button type="submit" class="primary">
        {said.save}
      </button>
      <button type="button" onClick={onDone}>
        {said.cancel}
      </button>
      <p class="faint help">{kind === "email" ? said.fixedAddress : said.keepSettings}</p>
    </form>
  );
}
