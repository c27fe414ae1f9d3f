import { useEffect, useState } from "preact/hooks";
import { ask } from "../../api.ts";
import { dateTime } from "../../format.ts";
import { noteChannels } from "../../frame/untold-banner.tsx";
import { confirmed } from "../../parts/dialog.tsx";
import { doAndSay, errorText, say } from "../../parts/notice.tsx";
import { asApiError, useLive } from "../../poll.ts";
import { may } from "../../session.ts";
import { language, words } from "../../words.ts";
import { AddChannel } from "./add-channel.tsx";
import type { Channel } from "./channel.ts";
import "./channels.css";
import { EditChannel } from "./edit-channel.tsx";
import { channelWords } from "./words.ts";

const PAUSE_MS = 30_000;

/** Where an owner is told: each channel with what can be done about it, and a further one. */
export function Channels() {
  const { data, refresh } = useLive<{ channels: readonly Channel[] }>("/api/agent/channels", PAUSE_MS);
  useEffect(() => {
    if (data !== null) noteChannels(data.channels);
  }, [data]);
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
      {may("operator") && <AddChannel onAdded={refresh} />}
    </section>
  );
}

function ChannelRow({ channel, onChange }: { channel: Channel; onChange: () => void }) {
  const { kind, name, minimum_severity, confirmed: isConfirmed, paused, last_delivery } = channel;
  const [isEdited, setIsEdited] = useState(false);
  const { severity, neverUsed, lastDelivery, unconfirmed } = words.value;
  const said = channelWords.value;
  return (
    <li class={paused === null ? undefined : "paused"}>
      <span>
        <b>{name}</b>{" "}
        <span class="faint">
          {words.value.channelKind(kind)} · {severity[minimum_severity]}
        </span>
      </span>
      <span>
        {paused !== null && <span>{said.paused[paused.because]} </span>}
        {!isConfirmed && <span>{unconfirmed} </span>}
        <span class="faint">
          {last_delivery === null
            ? neverUsed
            : `${lastDelivery} ${dateTime(last_delivery.at, language.value)}. ${outcomeOf(last_delivery)}`}
        </span>
      </span>
      {may("operator") && (
        <ChannelButtons channel={channel} onEdit={() => setIsEdited(!isEdited)} onChange={onChange} />
      )}
      {isEdited && (
        <EditChannel
          channel={channel}
          onDone={() => {
            setIsEdited(false);
            onChange();
          }}
        />
      )}
    </li>
  );
}

function outcomeOf({ delivered, detail }: { delivered: boolean; detail: string }): string {
  return delivered ? words.value.delivered(detail) : words.value.notDelivered(detail);
}

function ChannelButtons({
  channel,
  onEdit,
  onChange,
}: {
  channel: Channel;
  onEdit: () => void;
  onChange: () => void;
}) {
  const { id, name, paused } = channel;
  const { of, deleteChannelQuestion, deleteChannelStakes, done } = words.value;
  const said = channelWords.value;
  const [what, path] = channel.confirmed
    ? [words.value.test, "test"]
    : [words.value.sendConfirmation, "confirmation"];
  const pausing = paused === null ? said.pause : said.resume;
  const send = async () => {
    try {
      const answer = await ask<{ delivered: boolean; detail: string }>(
        "POST",
        `/api/agent/channels/${id}/${path}`,
      );
      say(outcomeOf(answer), !answer.delivered);
    } catch (error) {
      say(errorText(asApiError(error)), true);
    }
    onChange();
  };
  const save = async (work: () => Promise<unknown>) => {
    await doAndSay(work, () => done.saved);
    onChange();
  };
  const pause = () => save(() => ask("PATCH", `/api/agent/channels/${id}`, { paused: paused === null }));
  const remove = async () => {
    if (!(await confirmed(deleteChannelQuestion(name), deleteChannelStakes, words.value.delete))) return;
    await save(() => ask("DELETE", `/api/agent/channels/${id}`));
  };
  const button = (text: string, onClick: () => unknown, style?: string) => (
    <button type="button" class={style} aria-label={of(text, name)} onClick={() => void onClick()}>
      {text}
    </button>
  );
  return (
    <span class="buttons">
      {button(what, send)}
      {button(said.edit, onEdit)}
      {button(pausing, pause)}
      {button(words.value.delete, remove, "danger")}
    </span>
  );
}
