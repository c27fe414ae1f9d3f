import { useState } from "preact/hooks";
import { ask } from "../../api.ts";
import { doAndSay } from "../../parts/notice.tsx";
import { words } from "../../words.ts";
import { CHANNEL_KINDS, type ChannelKind, isChannelKind } from "../channel-fields.ts";
import { type Severity, settingsOf } from "./channel.ts";
import { NameInput, SettingsInputs, SeverityInput, type Typed } from "./channel-inputs.tsx";
import { channelWords } from "./words.ts";

export function AddChannel({ onAdded }: { onAdded: () => void }) {
  const [kind, setKind] = useState<ChannelKind>("slack");
  const [name, setName] = useState("");
  const [severity, setSeverity] = useState<Severity>("warning");
  const [typed, setTyped] = useState<Typed>({});
  const said = channelWords.value;
  const submit = async (event: Event) => {
    event.preventDefault();
    const added = await doAndSay(
      () =>
        ask("POST", "/api/agent/channels", {
          name,
          minimum_severity: severity,
          settings: settingsOf(kind, typed) ?? { kind },
        }),
      () => words.value.done.saved,
    );
    if (!added) return;
    setName("");
    setTyped({});
    onAdded();
  };
  return (
    <form class="inline" onSubmit={submit}>
      <label>
        <span>{words.value.kind}</span>
        <select
          value={kind}
          aria-describedby="channel-help"
          onChange={({ currentTarget }) => {
            setKind(isChannelKind(currentTarget.value) ? currentTarget.value : kind);
            setTyped({});
          }}
        >
          {CHANNEL_KINDS.map((each) => (
            <option key={each} value={each}>
              {words.value.channelKind(each)}
            </option>
          ))}
        </select>
      </label>
      <NameInput name={name} onChange={setName} />
      <SettingsInputs id="channel" kind={kind} typed={typed} onChange={setTyped} />
      <SeverityInput severity={severity} onChange={setSeverity} />
      <button type="submit" class="primary">
        {words.value.addChannel}
      </button>
      <p id="channel-help" class="faint help">
        {said.help(kind)}
      </p>
    </form>
  );
}
