import { describe, expect, it } from "vitest";
import { type CostReport, type PreviewedSavings, reportedCosts } from "../../src/alerts/cost-report.ts";
import { reportNotice } from "../../src/alerts/cost-report-notice.ts";
import { noticeSchema } from "../../src/alerts/notice.ts";
import { type CostTotals, NO_COSTS } from "../../src/lifecycle/model/ledger.ts";

const HOUR = 3_600_000;
const NOVEMBER = Date.UTC(2026, 10);
const DECEMBER = Date.UTC(2026, 11);
const OCTOBER = Date.UTC(2026, 9);

function spent(hours: number, dollars: number) {
  return { ms: hours * HOUR, dollars };
}

const COSTS: CostTotals = {
  ...NO_COSTS,
  working: spent(250, 625),
  idle: spent(61, 152.5),
  silent: spent(9, 22.5),
  hibernated: spent(720, 14.4),
  wasted: 175,
  saved: 310,
  reported: 600,
};

const REPORT: CostReport = {
  month: NOVEMBER,
  costs: COSTS,
  hibernations: { hibernations: 40, regretted: 3 },
  isSoFar: false,
  isComplete: true,
  habits: [
    { habit: "idle_past_warning", instanceId: "28864630", name: "ML Rig", spent: spent(61, 152.5) },
    { habit: "silent", instanceId: "rig-2", name: "rig-2", spent: spent(9, 22.5) },
    { habit: "hibernated", instanceId: "rig-3", name: "rig-3", spent: spent(720, 14.4) },
  ],
  before: {
    month: OCTOBER,
    costs: { ...NO_COSTS, working: spent(300, 700.2), wasted: 12, saved: 250 },
    hibernations: { hibernations: 38, regretted: 0 },
  },
};

const linesOf = (report: CostReport) =>
  reportNotice(report, DECEMBER).groups.map(({ lines }) => lines.map(({ message }) => message));

describe("the report of a month", () => {
  it("says all of it in Portuguese, too", () => {
    const previewed: PreviewedSavings = {
      from: Date.UTC(2026, 10, 20, 9),
      to: Date.UTC(2026, 10, 27, 9),
      instances: 12,
      savedBeyond: -42.5,
      hibernatedBeyondMs: 21 * HOUR,
      interruptions: 2,
      proposal: { code: "nothing_to_save", parameters: {} },
    };
    const reader = { language: "pt-BR", timeZone: "America/Sao_Paulo" } as const;
    const notice = reportNotice({ ...REPORT, previewed }, DECEMBER, reader);
    expect(notice.title).toBe(
      "Em novembro de 2026: US$ 814,40 gastos, US$ 175,00 deles desperdiçados, US$ 310,00 economizados",
    );
    expect(notice).toMatchObject({
      language: "pt-BR",
      report: { previewed: { proposal: expect.stringMatching(/^Nenhum ajuste/) } },
    });
    expect(
      notice.groups.map(({ heading, lines }) => [heading, ...lines.map(({ message }) => message)]),
    ).toEqual([
      [
        "Quanto custou o mês de novembro de 2026",
        "Gasto: US$ 814,40 (outubro: US$ 700,20)",
        "Desperdício: US$ 175,00 (outubro: US$ 12,00)",
        "Economizado por hibernação: US$ 310,00 (outubro: US$ 250,00)",
        "Hibernações: 40, 3 delas acordadas em até dez minutos (outubro: 38, nenhuma delas)",
      ],
      [
        "O que mais custou e poderia ser poupado",
        "ficou ociosa por 61 horas depois do aviso: US$ 152,50",
        "ficou em silêncio por 9 horas: US$ 22,50",
        "ficou hibernada por 720 horas, e foi cobrada mesmo assim: US$ 14,40",
      ],
      [
        "O que outra política teria economizado",
        "Como testado em 12 instâncias de 20/11/2026 a 27/11/2026: US$ 42,50 a menos economizados em relação ao que houve, e o trabalho interrompido 2 vezes",
        "Nenhum ajuste teria economizado nada: nenhuma máquina ficou ociosa por tempo suficiente.",
      ],
    ]);
  });

  it("says what was spent, wasted, saved and regretted, beside the month before, and by which habits", () => {
    const notice = reportNotice(REPORT, DECEMBER);
    expect(notice).toMatchObject({
      title: "November 2026: $814.40 spent, $175.00 of it wasted, $310.00 saved",
      severity: "info",
      groups: [
        { kind: "cost_report", heading: "What November 2026 has cost" },
        { kind: "cost_report", heading: "What cost the most and could be spared" },
      ],
    });
    expect(linesOf(REPORT)).toEqual([
      [
        "Spent: $814.40 (October: $700.20)",
        "Wasted: $175.00 (October: $12.00)",
        "Saved by hibernation: $310.00 (October: $250.00)",
        "Hibernations: 40, 3 of them woken within ten minutes (October: 38, none of them)",
      ],
      [
        "idled 61 hours past its warning: $152.50",
        "was silent for 9 hours: $22.50",
        "was hibernated for 720 hours, and billed all the same: $14.40",
      ],
    ]);
    expect(notice.groups[1]?.lines[0]).toMatchObject({
      instanceId: "28864630",
      name: "ML Rig",
      keepAlive: null,
    });
  });

  it("says what another policy would have saved, where one was tried on days of the month", () => {
    const previewed: PreviewedSavings = {
      from: Date.UTC(2026, 10, 20, 9),
      to: Date.UTC(2026, 10, 27, 9),
      instances: 12,
      savedBeyond: 42.5,
      hibernatedBeyondMs: 21 * HOUR,
      interruptions: 0,
      proposal: { code: "nothing_to_save", parameters: {} },
    };
    const said = (more: Partial<PreviewedSavings>) =>
      linesOf({ ...REPORT, previewed: { ...previewed, ...more } }).at(-1);
    expect(reportNotice({ ...REPORT, previewed }, DECEMBER).groups.at(-1)).toMatchObject({
      kind: "cost_report",
      heading: "What another policy would have saved",
    });
    const on = "from 2026-11-20 to 2026-11-27";
    expect(said({})).toEqual([
      `As tried on 12 instances ${on}: $42.50 more saved than was, and nobody interrupted`,
      "No setting would have saved anything: no machine was idle for long enough.",
    ]);
    expect(said({ instances: 1, savedBeyond: -3, interruptions: 1, proposal: null })).toEqual([
      `As tried on one instance ${on}: $3.00 less saved than was, and work interrupted once`,
    ]);
    expect(said({ savedBeyond: null, interruptions: 4, proposal: null })).toEqual([
      `As tried on 12 instances ${on}: 21 hours more hibernated than was, and work interrupted 4 times`,
    ]);
    expect(said({ savedBeyond: null, hibernatedBeyondMs: -5 * HOUR, proposal: null })).toEqual([
      `As tried on 12 instances ${on}: 5 hours less hibernated than was, and nobody interrupted`,
    ]);
    expect(reportedCosts({ ...REPORT, previewed }).previewed).toEqual({
      from: "2026-11-20T09:00:00Z",
      to: "2026-11-27T09:00:00Z",
      instances: 12,
      saved_beyond: 42.5,
      hibernated_hours_beyond: 21,
      interruptions: 0,
      proposal: "No setting would have saved anything: no machine was idle for long enough.",
    });
    // A fleet of the release before does not say it, and a message that it composed waits without it.
    expect(reportedCosts(REPORT).previewed).toBeNull();
    const { previewed: _, ...former } = reportedCosts(REPORT);
    const notice = JSON.parse(JSON.stringify({ ...reportNotice(REPORT, DECEMBER), report: former }));
    expect(noticeSchema.parse(notice).report).toMatchObject({ cost: 814.4, previewed: null });
  });

  it("says what it does not know", () => {
    const unknown: CostReport = {
      ...REPORT,
      costs: { ...COSTS, unpricedMs: 12.4 * HOUR },
      hibernations: null,
      isComplete: false,
      habits: null,
      before: null,
    };
    expect(linesOf(unknown)).toEqual([
      [
        "Spent: $814.40",
        "Wasted: $175.00",
        "Saved by hibernation: $310.00",
        "Hibernations: not counted from the month's beginning",
        "12 hours have no known price, and are in none of this",
        "Not all days of the month are known now: it may be more",
        "Which instances cost the most could not be looked up",
      ],
    ]);
    expect(reportedCosts(unknown)).toMatchObject({
      complete: false,
      habits: null,
      hibernations: null,
      regretted: null,
      unpriced_hours: 12.4,
      before: null,
    });
  });

  it("names the year of a month before that lies in another one", () => {
    const january = { ...REPORT, month: Date.UTC(2027, 0) };
    const december: CostReport = { ...january, before: { ...january, month: Date.UTC(2026, 11) } };
    expect(linesOf(december)[0]?.[0]).toBe("Spent: $814.40 (December 2026: $814.40)");
  });

  it("has no group for habits that there are none of", () => {
    expect(linesOf({ ...REPORT, habits: [] })).toHaveLength(1);
  });

  it("goes with its figures", () => {
    const { report } = reportNotice(REPORT, DECEMBER);
    expect(report).toMatchObject({
      month: "2026-11",
      so_far: false,
      complete: true,
      cost: 814.4,
      wasted: 175,
      saved: 310,
      reported: 600,
      unpriced_hours: 0,
      hours: { working: 250, idle: 61, silent: 9, hibernated: 720 },
      cost_by_use: { working: 625, idle: 152.5, silent: 22.5, hibernated: 14.4 },
      hibernations: 40,
      regretted: 3,
      before: { month: "2026-10", cost: 700.2, regretted: 0 },
    });
    expect(report?.habits?.[0]).toEqual({
      habit: "idle_past_warning",
      instance_id: "28864630",
      name: "ML Rig",
      hours: 61,
      cost: 152.5,
    });
  });

  it("is stored as it is, and told without figures that another version wrote", () => {
    const notice = reportNotice(REPORT, DECEMBER);
    expect(noticeSchema.parse(JSON.parse(JSON.stringify(notice)))).toEqual(notice);
    const foreign = noticeSchema.parse({ ...notice, report: { month: 7 } });
    expect(foreign).toEqual({ ...notice, report: undefined });
  });
});
