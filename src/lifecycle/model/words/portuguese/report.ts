import type { REPORT as English } from "../english/report.ts";
import type { Translation } from "../template.ts";

export const REPORT: Translation<typeof English> = {
  "report.title":
    "Em {month:month}: {spent:dollars} gastos, {wasted:dollars} deles desperdiçados, {saved:dollars} economizados",
  "report.costs": "Quanto custou o mês de {month:month}",
  "report.habits": "O que mais custou e poderia ser poupado",
  "report.policy": "O que outra política teria economizado",

  "report.spent": "Gasto: {amount:dollars}{before}",
  "report.wasted": "Desperdício: {amount:dollars}{before}",
  "report.saved": "Economizado por hibernação: {amount:dollars}{before}",
  "report.before": " ({month}: {amount:dollars})",
  "report.month": "{month:month}",
  "report.month_of_year": "{month:monthname}",
  "report.hibernations":
    "Hibernações: {count:number}, {regretted:number} delas acordadas em até dez minutos{before}",
  "report.hibernations_fine":
    "Hibernações: {count:number}, nenhuma delas acordada em até dez minutos{before}",
  "report.hibernations_before": " ({month}: {count:number}, {regretted:number} delas)",
  "report.hibernations_before_fine": " ({month}: {count:number}, nenhuma delas)",
  "report.hibernations_unknown": "Hibernações: não foram contadas desde o início do mês",
  "report.unpriced": "De {hours} não se sabe o preço, e elas não entram em nada disto",
  "report.incomplete": "Nem todos os dias do mês são conhecidos agora: pode ser mais",
  "report.habits_unknown": "Não foi possível consultar quais instâncias mais custaram",

  "report.hours": "{count:number} horas",
  "report.duration": "{duration:long}",
  "report.idle_past_warning": "ficou ociosa por {hours} depois do aviso: {amount:dollars}",
  "report.idle_unwarned": "ficou ociosa por {hours} sem aviso: {amount:dollars}",
  "report.silent": "ficou em silêncio por {hours}: {amount:dollars}",
  "report.hibernated": "ficou hibernada por {hours}, e foi cobrada mesmo assim: {amount:dollars}",

  "report.tried": "Como testado em {of} de {from:day} a {to:day}: {beyond} em relação ao que houve, e {work}",
  "report.one_instance": "uma instância",
  "report.instances": "{count:number} instâncias",
  "report.more_saved": "{amount:dollars} a mais economizados",
  "report.less_saved": "{amount:dollars} a menos economizados",
  "report.more_hibernated": "{hours} a mais de hibernação",
  "report.less_hibernated": "{hours} a menos de hibernação",
  "report.nobody_interrupted": "ninguém interrompido",
  "report.interrupted_once": "o trabalho interrompido uma vez",
  "report.interrupted": "o trabalho interrompido {count:number} vezes",

  "proposal.spares": "Com {setting} você teria mantido {kept} sem interromper ninguém.",
  "proposal.keep": "O que está em vigor, {setting}, mantém {kept} sem interromper ninguém.",
  "proposal.spares_some":
    "Com {setting} você não teria interrompido ninguém, mas mantido só {kept}. Com ociosidade de {minutes:number} min a {threshold:number} % você teria mantido {more} e interrompido {work}.",
  "proposal.interrupts":
    "Nenhum ajuste economiza sem interromper trabalho. O mais suave que mantém metade da economia é {setting}: você teria mantido {kept} e interrompido {work}.",
  "proposal.alike": "Todos os ajustes dariam no mesmo: {amount} de economia, sem interromper ninguém.",
  "proposal.nothing_to_save":
    "Nenhum ajuste teria economizado nada: nenhuma máquina ficou ociosa por tempo suficiente.",
  "proposal.setting": "ociosidade de {minutes:number} min a {threshold:number} %",
  "proposal.kept": "{share:number} % da economia ({amount})",
  "proposal.dollars": "{amount:dollars}",
  "proposal.hibernation": "{hours} de hibernação",
  "proposal.hours": "{count:number} h",
  "proposal.minutes": "{count:number} min",
  "proposal.work_once": "o trabalho uma vez",
  "proposal.work": "o trabalho {count:number} vezes",
  "proposal.work_cut": "{work}, {hours} dele com a máquina desligada",
};
