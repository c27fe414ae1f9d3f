import type { IDLENESS as English } from "../english/idleness.ts";
import type { Translation } from "../template.ts";

export const IDLENESS: Translation<typeof English> = {
  "idle.under": "{metric:text} abaixo de {threshold:number}% de uso há {since:short}",
  "idle.warning": "{idle}. {ahead}",
  "idle.nobody_hibernates": "Nenhum provedor pode hiberná-la.",
  "idle.nobody_hibernates_because": "Nenhum provedor pode hiberná-la: {why}.",
  "idle.hooks_prepare": "Os hooks a preparam. Hiberna em {left:short} no mais tardar.",
  "idle.would_be_hibernated": "Ela seria hibernada em {left:short}, mas a política só observa.",
  "idle.hibernating_in": "Hiberna em {left:short}.",
  "idle.would_hibernate": "Hibernaria, {idle}: {why}",
  "idle.no_provider": "não há provedor",
  "idle.resident_model": "Modelo residente ({gigabytes:number} GB), {minutes:number} min sem trabalho",
  "idle.resident_model_hours": "Modelo residente ({gigabytes:number} GB), {hours:number} h sem trabalho",
  "idle.no_longer": "Não está mais ociosa ({because})",
  "idle.switched_off": "a ociosidade foi desligada na política",
  "idle.heartbeats_missing": "faltaram heartbeats",
  "idle.awake_hours": "horário de uso",
  "idle.policy_changed": "a política mudou",
  "idle.metric_was_at": "{metric:text} esteve em {percent:number}%",
  "idle.read_late": "{because} em {at:time}",

  "use.metric_at": "{metric:text} em {percent:number}%",
  "use.in_use": "em uso: {what}",
  "use.both": "{one}; {other}",
  "use.unread": "não é possível ler {what}",
  "use.no_reading": "nenhuma leitura",
  "use.more": "mais {count:number}",
  "use.source": "{name:text} {value:number}",
  "use.counts_as_use": "{what}, o que conta como uso",
  "use.heartbeats_arrive": "Chegam heartbeats; {what}",
  "use.but": "{metric:text} em {percent:number}%, mas {because}",
  "use.no_gpu": "nenhuma GPU informada",
  "use.gpu": "GPU em {percent:number}%",
  "use.gpu_highest": "GPU em {percent:number}%, no máximo {highest:number}%",
  "use.source_unknown":
    "Em uso há {since:long} por um único motivo: {because}. Isso conta como uso, por isso ela não é hibernada por ociosidade",
  "use.never_had_gpu": "nenhuma GPU foi informada até hoje, e a ociosidade se mede pela GPU (idle.metric)",
  "use.stuck":
    "{count:A GPU|As GPUs} {which:text} {count:parece travada|parecem travadas}: em {percent:number}% de uso há {since:long}, com {watts:number} de {limit:number} W no máximo. Um deadlock faz o mesmo. Nada é feito a respeito",

  "plan.warning": "Hiberna em {left:short}, faça ela o que fizer: {cause}. Um keep-alive impede isso.",
  "plan.schedule": "o horário de uso termina",
  "plan.max_runtime": "ela está ligada há {runtime:short} (max_runtime_hours)",
  "plan.would_hibernate": "Hibernaria: {cause}, mas {why}",
  "plan.no_provider": "nenhum provedor pode hiberná-la",
  "plan.would_wake": "Acordaria: o horário de uso começa. Nada é feito: a política só observa",
};
