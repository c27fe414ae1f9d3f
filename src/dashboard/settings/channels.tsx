import { useState } from "preact/hooks";
import { ask } from "../api.ts";
import { dateTime } from "../format.ts";
import { confirmed } from "../parts/dialog.tsx";
import { doAndSay, errorText, say } from "../parts/notice.tsx";
import { asApiError, useLive } from "../poll.ts";
import { language, words } from "../words.ts";
import {
  CHANNEL_FIELDS,
  CHANNEL_KINDS,
  type ChannelKind,
  isChannelKind,
  OPTIONAL_FIELDS,
  SECRET_FIELDS,
} from "./channel-fields.ts";

const PAUSE_MS = 30_000;

const SEVERITIES = ["info", "warning", "critical"] as const;

interface Channel {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly minimum_severity: (typeof SEVERITIES)[number];
  readonly confirmed: boolean;
  readonly last_delivery: {
    readonly at: string;
    readonly delivered: boolean;
    readonly detail: string;
  } | null;
}

export function Channels() {
  const { data, refresh } = useLive<{ channels: readonly Channel[] }>("/api/agent/channels", PAUSE_MS);
  const { channels, channelsHint, noChannels, loading } = words.value;
  return (
    <section class="card">
      <h2>{channels}</h2>
      <p class="faint">{channelsHint}</p>
      {data === null && <p class="faint">{loading}</p>}
      {data?.channels.length === 0 && <p>{noChannels}</p>}
      <ul class="channels">
        {data?.channels.map((channel) => (
          <ChannelRow key={channel.id} channel={channel} onChange={refresh} />
        ))}
      </ul>
      <AddChannel onAdded={refresh} />
    </section>
  );
}

function ChannelRow({ channel, onChange }: { channel: Channel; onChange: () => void }) {
  const { id, kind, name, minimum_severity, confirmed: isConfirmed, last_delivery } = channel;
  const { channelKind, severity, neverUsed, lastDelivery, of, delivered, notDelivered } = words.value;
  const { unconfirmed } = words.value;
  const [what, path] = isConfirmed
    ? [words.value.test, "test"]
    : [words.value.sendConfirmation, "confirmation"];
  const outcome = (delivery: { delivered: boolean; detail: string }) =>
    delivery.delivered ? delivered(delivery.detail) : notDelivered(delivery.detail);
  const onSend = async () => {
    try {
      const answer = await ask<{ delivered: boolean; detail: string }>(
        "POST",
        `/api/agent/channels/${id}/${path}`,
      );
      say(outcome(answer), !answer.delivered);
    } catch (error) {
      say(errorText(asApiError(error)), true);
    }
    onChange();
  };
  const onDelete = async () => {
    const { deleteChannelQuestion, deleteChannelStakes, done } = words.value;
    if (!(await confirmed(deleteChannelQuestion(name), deleteChannelStakes, words.value.delete))) return;
    await doAndSay(
      () => ask("DELETE", `/api/agent/channels/${id}`),
      () => done.saved,
    );
    onChange();
  };
  return (
    <li>
      <span>
        <b>{name}</b>{" "}
        <span class="faint">
          {channelKind(kind)} · {severity[minimum_severity]}
        </span>
      </span>
      {!isConfirmed && <span>{unconfirmed}</span>}
      <span class="faint">
        {last_delivery === null
          ? neverUsed
          : `${lastDelivery} ${dateTime(last_delivery.at, language.value)}. ${outcome(last_delivery)}`}
      </span>
      <span class="buttons">
        <button type="button" aria-label={of(what, name)} onClick={onSend}>
          {what}
        </button>
        <button type="button" class="danger" aria-label={of(words.value.delete, name)} onClick={onDelete}>
          {words.value.delete}
        </button>
      </span>
    </li>
  );
}

function AddChannel({ onAdded }: { onAdded: () => void }) {
  const [kind, setKind] = useState<ChannelKind>("slack");
  const [name, setName] = useState("");
  const [severity, setSeverity] = useState<Channel["minimum_severity"]>("warning");
  const [settings, setSettings] = useState<Readonly<Record<string, string>>>({});
  const { fields, channelKind, channelField, severityLabel, addChannel, done } = words.value;
  const isRequired = (field: string) => !OPTIONAL_FIELDS[kind]?.includes(field);
  const submit = async (event: Event) => {
    event.preventDefault();
    const chosen = Object.fromEntries(
      CHANNEL_FIELDS[kind].map((field) => [field, settings[field]?.trim() || undefined]),
    );
    const added = await doAndSay(
      () =>
        ask("POST", "/api/agent/channels", {
          name,
          minimum_severity: severity,
          settings: { kind, ...chosen },
        }),
      () => done.saved,
    );
    if (!added) return;
    setName("");
    setSettings({});
    onAdded();
  };
  return (
    <form class="inline" onSubmit={submit}>
      <label>
        <span>{words.value.kind}</span>
        <select
          value={kind}
          onChange={({ currentTarget }) =>
            setKind(isChannelKind(currentTarget.value) ? currentTarget.value : kind)
          }
        >
          {CHANNEL_KINDS.map((each) => (
            <option key={each} value={each}>
              {channelKind(each)}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{fields.name}</span>
        <input required value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />
      </label>
      {CHANNEL_FIELDS[kind].map((field) => (
        <label key={field} for={`channel-${field}`}>
          <span>{channelField(field)}</span>
          {SECRET_FIELDS.includes(field) ? (
            <input
              id={`channel-${field}`}
              required={isRequired(field)}
              type="password"
              autocomplete="off"
              value={settings[field] ?? ""}
              onInput={({ currentTarget }) => setSettings({ ...settings, [field]: currentTarget.value })}
            />
          ) : (
            <input
              id={`channel-${field}`}
              required={isRequired(field)}
              inputMode={field === "to" ? "email" : field === "url" ? "url" : "text"}
              value={settings[field] ?? ""}
              onInput={({ currentTarget }) => setSettings({ ...settings, [field]: currentTarget.value })}
            />
          )}
        </label>
      ))}
      <label>
        <span>{severityLabel}</span>
        <select
          value={severity}
          onChange={({ currentTarget }) =>
            setSeverity(SEVERITIES.find((each) => each === currentTarget.value) ?? severity)
          }
        >
          {SEVERITIES.map((each) => (
            <option key={each} value={each}>
              {words.value.severity[each]}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="primary">
        {addChannel}
      </button>
    </form>
  );
}
