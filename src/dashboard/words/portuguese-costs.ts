import { type CostsWords, NAMED, type SaidAmount, type SaidFleet } from "./english-costs.ts";

function atLeast({ dollars, isMore }: SaidAmount, unknown: string): string {
  if (dollars === null) return unknown;
  return isMore ? `${dollars} ou mais` : dollars;
}

function fleet({ rate, wasted, unknown, today, month }: SaidFleet): string {
  const now = rate.dollars === null ? "custo por hora desconhecido" : `${atLeast(rate, "")} por hora agora`;
  const parts = [
    `${now}${wasted === null ? "" : `, ${waste(wasted)}`}`,
    ...(today === null ? [] : [`${atLeast(today, "custo desconhecido")} hoje`]),
    ...(month === null ? [] : [thisMonth(month)]),
    ...(unknown.length === 0 ? [] : [`preço desconhecido: ${names(unknown)}`]),
  ];
  const text = parts.join(" · ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function waste({ machines, ...amount }: NonNullable<SaidFleet["wasted"]>): string {
  const whose = machines === 1 ? "1 máquina" : `${machines} máquinas`;
  return amount.dollars === null
    ? `uma parte desconhecida desperdiçada por ${whose}`
    : `dos quais ${atLeast(amount, "")} desperdiçados por ${whose}`;
}

function thisMonth({ isForecast, saved, ...amount }: NonNullable<SaidFleet["month"]>): string {
  const spent = isForecast
    ? `cerca de ${atLeast(amount, "")} neste mês`
    : `${atLeast(amount, "custo desconhecido")} neste mês até agora`;
  return `${spent}${saved === null ? "" : `, ${saved} economizados`}`;
}

function names(all: readonly string[]): string {
  if (all.length <= NAMED) return all.join(", ");
  const shown = all.slice(0, NAMED - 1);
  return `${shown.join(", ")} e mais ${all.length - shown.length}`;
}

export const portugueseCosts: CostsWords = {
  title: "Custos",
  link: "Custos",
  fleet,
  notKnown: "desconhecido",
  notRead: "Não foi possível ler agora o custo de hoje e do mês.",
  stale: "O custo de hoje e do mês pode estar desatualizado.",
  uses: { working: "Trabalhando", idle: "Ociosa", silent: "Silenciosa", hibernated: "Hibernada" },
};
