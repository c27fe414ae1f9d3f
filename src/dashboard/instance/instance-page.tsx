import { useState } from "preact/hooks";
import type { PolicyOverrides, PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import type { DetailView } from "../../lifecycle/views/instance-view.ts";
import { ask } from "../api.ts";
import { refreshFleet } from "../fleet/fleet.ts";
import { dateTime, money, number, price } from "../format.ts";
import { Actions } from "../parts/actions.tsx";
import { Badge } from "../parts/badge.tsx";
import { confirmed } from "../parts/dialog.tsx";
import { InstallCommand } from "../parts/install.tsx";
import { doAndSay, errorText } from "../parts/notice.tsx";
import { Ago, NextStep } from "../parts/ticking.tsx";
import { Timeline } from "../parts/timeline.tsx";
import { useLive } from "../poll.ts";
import { ConnectionName } from "../settings/connections.tsx";
import { PolicyEditor } from "../settings/policy-editor.tsx";
import { language, words } from "../words.ts";
import { ReadingsCard } from "./readings-card.tsx";
import { WakeFailed } from "./wake-failed.tsx";

type Detail = DetailView & {
  readonly policy: PolicySettings;
  readonly policy_overrides: { readonly user: PolicyOverrides; readonly instance: PolicyOverrides };
};

const PAUSE_MS = 2000;

export function InstancePage({ instanceId }: { instanceId: string }) {
  const address = `/api/agent/instances/${encodeURIComponent(instanceId)}`;
  const { data, error, refresh } = useLive<Detail>(address, PAUSE_MS);
  if (data === null) {
    if (error?.status === 404) return <p>{words.value.notFound}</p>;
    return <p class="faint">{error === null ? words.value.loading : errorText(error)}</p>;
  }
  const savePolicy = (policy: PolicyOverrides) =>
    doAndSay(
      async () => {
        await ask("PATCH", address, { policy });
        refresh();
      },
      () => words.value.done.saved,
    );
  return (
    <>
      <div class="heading">
        <h1>{data.name}</h1>
        <Badge instance={data} />
        <span class="id">{data.instance_id}</span>
        <Actions instance={data} onDone={refresh} />
      </div>
      <WakeFailed instance={data} onDone={refresh} />
      <div class="columns">
        <div>
          <section class="card">
            <h2>{words.value.nextTitle}</h2>
            <p class="next">
              {data.lifecycle.next_step === null && <span>{words.value.nothingNext}</span>}{" "}
              <NextStep lifecycle={data.lifecycle} />
            </p>
            <p class="faint">{data.lifecycle.because}</p>
            <Figures instance={data} />
          </section>
          <ReadingsCard address={address} intervalSeconds={data.policy.heartbeat_interval_seconds} />
          <section class="card last">
            <h2>{words.value.policyTitle}</h2>
            <p class="faint">{words.value.policyHint}</p>
            <PolicyEditor
              policy={data.policy}
              levels={[
                { name: "instance", overrides: data.policy_overrides.instance },
                { name: "user", overrides: data.policy_overrides.user },
              ]}
              onSave={savePolicy}
            />
          </section>
        </div>
        <div>
          <section class="card">
            <h2>{words.value.timeline}</h2>
            <Timeline path={`${address}/events`} withInstance={false} />
          </section>
          <Access instanceId={instanceId} name={data.name} address={address} />
        </div>
      </div>
    </>
  );
}

function Figures({ instance }: { instance: Detail }) {
  const { figures, comingBack } = words.value;
  const locale = language.value;
  const percent = (value: number | null) => (value === null ? "–" : `${number(value, locale)}%`);
  const dollars = (value: number | null) => (value === null ? "–" : money(value, locale));
  const { gpus } = instance;
  return (
    <>
      <dl class="figures">
        <Figure name={figures.lastHeartbeat} value={<Ago at={instance.last_heartbeat} />} />
        <Figure name={figures.uptime} value={percent(instance.uptime_percent)} />
        <Figure name={figures.missed} value={number(instance.missed_heartbeats, locale)} />
        <Figure name={figures.averageGpu} value={percent(instance.avg_gpu_utilization)} />
        <Figure name={figures.costToday} value={money(instance.cost_today, locale)} />
        <Figure name={figures.costTotal} value={dollars(instance.cost_accumulated)} />
        <Figure name={figures.hourly} value={dollars(instance.hourly_cost)} />
        <Figure
          name={comingBack.hibernated}
          value={
            instance.hibernated_cost === null ? comingBack.unknown : price(instance.hibernated_cost, locale)
          }
        />
        <Figure name={figures.provider} value={words.value.providers[instance.provider]} />
        {instance.connection !== null && (
          <Figure name={figures.connection} value={<ConnectionName id={instance.connection} />} />
        )}
        <Figure name={figures.registered} value={dateTime(instance.registered_at, locale)} />
      </dl>
      {gpus.length > 0 && (
        <ul class="gpus">
          {gpus.map((gpu) => (
            <li key={gpu.index}>
              <span>
                {gpu.index} · {gpu.name ?? "GPU"}
              </span>
              <meter min={0} max={100} value={gpu.utilization ?? 0} aria-label={`GPU ${gpu.index}`} />
              <span class="figure">
                {percent(gpu.utilization)}
                {gpu.vram_used_gb !== null &&
                  ` · ${number(gpu.vram_used_gb, locale)}${
                    gpu.vram_total_gb === null ? "" : ` / ${number(gpu.vram_total_gb, locale)}`
                  } GB`}
              </span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Figure({ name, value }: { name: string; value: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Access({ instanceId, name, address }: { instanceId: string; name: string; address: string }) {
  const [token, setToken] = useState<string | null>(null);
  const { access, rotate, rotateQuestion, rotateStakes, remove, removeQuestion, removeStakes, done } =
    words.value;
  const onRotate = async () => {
    if (!(await confirmed(rotateQuestion, rotateStakes, rotate))) return;
    await doAndSay(
      async () => setToken((await ask<{ token: string }>("POST", `${address}/token`)).token),
      () => words.value.event("token_rotated"),
    );
  };
  const onRemove = async () => {
    if (!(await confirmed(removeQuestion(name), removeStakes, remove))) return;
    const removed = await doAndSay(
      () => ask("DELETE", address),
      () => done.removed(name),
    );
    if (!removed) return;
    refreshFleet();
    location.hash = "#/";
  };
  return (
    <section class="card later">
      <h2>{access}</h2>
      <InstallCommand instanceId={instanceId} token={token} />
      <div class="buttons">
        <button type="button" onClick={onRotate}>
          {rotate}
        </button>
        <button type="button" class="danger" onClick={onRemove}>
          {remove}
        </button>
      </div>
    </section>
  );
}
