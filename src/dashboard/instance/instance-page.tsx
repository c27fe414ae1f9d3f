import { useState } from "preact/hooks";
import type { PolicyOverrides, PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import type { DetailView, Shown } from "../../lifecycle/views/instance-view.ts";
import { ask } from "../api.ts";
import { refreshFleet } from "../fleet/fleet.ts";
import { costToday, costTotal, wastedToday } from "../fleet/money.ts";
import { dateTime, number, price } from "../format.ts";
import { Actions } from "../parts/actions.tsx";
import { Badge } from "../parts/badge.tsx";
import { ControlLine } from "../parts/control.tsx";
import { confirmed } from "../parts/dialog.tsx";
import { InstallCommand } from "../parts/install.tsx";
import { priceOrNull } from "../parts/money.ts";
import { doAndSay, errorText } from "../parts/notice.tsx";
import { TagList } from "../parts/tags.tsx";
import { Ago, NextStep } from "../parts/ticking.tsx";
import { Timeline } from "../parts/timeline.tsx";
import { useLive } from "../poll.ts";
import { ConnectionName } from "../settings/connections.tsx";
import { PolicyPlace } from "../settings/policy-place.tsx";
import type { PolicyPreview } from "../settings/preview.tsx";
import { language, words } from "../words.ts";
import { ChangeForm } from "./change-form.tsx";
import { KeepAlive } from "./keep-alive.tsx";
import { PreparationCard } from "./preparation-card.tsx";
import { ReadingsCard } from "./readings-card.tsx";
import { ReclaimedLine } from "./reclaimed.tsx";
import { UseCard } from "./use-card.tsx";
import { WakeFailed } from "./wake-failed.tsx";
import type { AskedMoment } from "./why/moment.ts";
import { WhyPlace } from "./why/why-place.tsx";

type Detail = Shown<DetailView> & {
  readonly policy: PolicySettings;
  readonly policy_overrides: { readonly user: PolicyOverrides; readonly instance: PolicyOverrides };
};

const PAUSE_MS = 2000;

export function InstancePage({ instanceId }: { instanceId: string }) {
  const address = `/api/agent/instances/${encodeURIComponent(instanceId)}`;
  const { data, error, refresh } = useLive<Detail>(address, PAUSE_MS);
  const [asked, setAsked] = useState<AskedMoment | null>(null);
  if (data === null) {
    if (error?.status === 404) return <p>{words.value.notFound}</p>;
    return <p class="faint">{error === null ? words.value.loading : errorText(error)}</p>;
  }
  const savePolicy = async (policy: PolicyOverrides) => {
    await ask("PATCH", address, { policy });
    refresh();
  };
  const previewPolicy = (policy: PolicyOverrides) =>
    ask<PolicyPreview>("POST", `${address}/lifecycle/preview`, policy);
  return (
    <>
      <div class="heading">
        <h1>{data.name}</h1>
        <Badge instance={data} />
        <span class="id">{data.instance_id}</span>
        <Actions instance={data} onDone={refresh} />
      </div>
      <ControlLine instance={data} />
      <ReclaimedLine reclaimed={data.reclaimed} />
      <WakeFailed instance={data} onDone={refresh} />
      <div class="columns">
        <div>
          <section class="card">
            <h2>{words.value.nextTitle}</h2>
            <p class="next">
              {data.lifecycle.next_step === null && <span>{words.value.nothingNext}</span>}{" "}
              <NextStep lifecycle={data.lifecycle} />
            </p>
            <p class="faint" lang="en">
              {data.lifecycle.because}
            </p>
            <KeepAlive instance={data} address={address} onDone={refresh} />
            <Figures instance={data} />
          </section>
          <UseCard instance={data} />
          <ReadingsCard address={address} intervalSeconds={data.policy.heartbeat_interval_seconds} />
          <WhyPlace address={address} asked={asked} />
          <section class="card last">
            <h2>{words.value.policyTitle}</h2>
            <p class="faint">{words.value.policyHint}</p>
            <PolicyPlace
              policy={data.policy}
              levels={[
                { name: "instance", overrides: data.policy_overrides.instance },
                { name: "user", overrides: data.policy_overrides.user },
              ]}
              save={savePolicy}
              replayOf={{ of: "instance", instanceId, user: data.policy_overrides.user }}
              preview={previewPolicy}
            />
          </section>
        </div>
        <div>
          <PreparationCard preparation={data.preparation} address={address} />
          <MachineCard instance={data} address={address} onChange={refresh} />
          <section class="card">
            <h2>{words.value.timeline}</h2>
            <Timeline
              path={`${address}/events`}
              withInstance={false}
              onWhy={(at) => setAsked({ atMs: Date.parse(at) })}
            />
          </section>
          <Access instance={data} address={address} />
        </div>
      </div>
    </>
  );
}

function Figures({ instance }: { instance: Detail }) {
  const { figures, comingBack } = words.value;
  const locale = language.value;
  const percent = (value: number | null) => (value === null ? "–" : `${number(value, locale)}%`);
  const dollars = (value: number | null) => (value === null ? comingBack.unknown : price(value, locale));
  const { gpus } = instance;
  return (
    <>
      <dl class="figures">
        <Figure name={figures.lastHeartbeat} value={<Ago at={instance.last_heartbeat} />} />
        <Figure name={figures.uptime} value={percent(instance.uptime_percent)} />
        <Figure name={figures.missed} value={number(instance.missed_heartbeats, locale)} />
        <Figure name={figures.averageGpu} value={percent(instance.avg_gpu_utilization)} />
        <Figure name={figures.hourly} value={dollars(instance.rate)} />
        <Figure name={figures.costToday} value={dollars(costToday(instance))} />
        <Figure name={figures.wastedToday} value={dollars(wastedToday(instance))} />
        <Figure name={figures.costTotal} value={dollars(costTotal(instance))} />
        <Figure name={comingBack.hibernated} value={dollars(instance.hibernated_cost)} />
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

/** The machine that is watched, as its owner has named it. */
function MachineCard({
  instance,
  address,
  onChange,
}: {
  instance: Detail;
  address: string;
  onChange: () => void;
}) {
  const [isChanged, setChanged] = useState(false);
  const { figures, fields, providers, instances } = words.value;
  const locale = language.value;
  const dollars = (value: number | null) => (value === null ? "–" : price(value, locale));
  const end = () => {
    setChanged(false);
    onChange();
  };
  if (isChanged) {
    return (
      <section class="card">
        <h2>{instances.machine}</h2>
        <ChangeForm instance={instance} address={address} onEnd={end} />
      </section>
    );
  }
  return (
    <section class="card">
      <header>
        <h2>{instances.machine}</h2>
        <button type="button" onClick={() => setChanged(true)}>
          {instances.change}
        </button>
      </header>
      <dl class="figures">
        <Figure name={figures.provider} value={providers[instance.provider]} />
        {instance.connection !== null && (
          <>
            <Figure name={figures.connection} value={<ConnectionName id={instance.connection} />} />
            <Figure name={fields.providerRef} value={instance.provider_ref ?? instance.instance_id} />
          </>
        )}
        <Figure name={fields.hourlyCost} value={dollars(instance.hourly_cost)} />
        <Figure name={fields.hibernatedCost} value={dollars(instance.hibernated_hourly_cost)} />
        <Figure name={figures.registered} value={dateTime(instance.registered_at, locale)} />
      </dl>
      <TagList tags={instance.tags} />
    </section>
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

function Access({ instance, address }: { instance: Detail; address: string }) {
  const { instance_id, name, connection, provider, status, rate } = instance;
  const [token, setToken] = useState<string | null>(null);
  const { access, rotate, rotateQuestion, rotateStakes, remove, removeQuestion, instances, providers, done } =
    words.value;
  const onRotate = async () => {
    if (!(await confirmed(rotateQuestion, rotateStakes, rotate))) return;
    await doAndSay(
      async () => setToken((await ask<{ token: string }>("POST", `${address}/token`)).token),
      () => words.value.event("token_rotated"),
    );
  };
  const onRemove = async () => {
    const stakes = instances.removeStakes(
      connection === null || provider === "webhook" ? null : providers[provider],
      rate === 0 ? null : priceOrNull(rate),
      status === "hibernated",
    );
    if (!(await confirmed(removeQuestion(name), stakes, remove, name))) return;
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
      <InstallCommand instanceId={instance_id} token={token} />
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
