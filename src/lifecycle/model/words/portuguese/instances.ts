import type { INSTANCES as English } from "../english/instances.ts";
import type { Translation } from "../template.ts";

export const INSTANCES: Translation<typeof English> = {
  "status.pending": "pendente",
  "status.running": "rodando",
  "status.orphaned": "órfã",
  "status.hibernating": "hibernando",
  "status.hibernated": "hibernada",
  "status.waking": "acordando",
  "status.deleting": "sendo excluída",
  "status.deleted": "excluída",

  "because.hibernation_ordered": "A hibernação foi ordenada em {at:time}",
  "because.wake_ordered": "A ordem de acordar foi dada em {at:time}",
  "because.deletion_ordered": "A exclusão foi ordenada em {at:time}",
  "because.deleted": "Excluída em {at:time}; sai da lista em {until:time}",
  "because.planned_stop": "{because}. Faça o que fizer, ela é hibernada quando {cause}",
  "because.wake_ahead": "{because}; então o horário de uso começa",
  "because.hibernated": "Hibernada desde {since:time}",
  "because.vanished":
    "Hibernada desde {since:time}, e o provedor não a lista mais: ninguém sabe se ela ainda existe",
  "because.set_back":
    "Hibernada antes de uma restauração ou importação: ninguém sabe ainda se continua assim",
  "because.wake_failed": "Hibernada desde {since:time}: a tentativa de acordá-la falhou então ({because})",
  "because.wake_open":
    "Hibernada desde {since:time}: a tentativa de acordá-la falhou então ({because}); ninguém sabe se a partida foi cancelada",
  "because.never_heard_kept": "Nunca ouvida, mantida viva à mão",
  "because.last_heartbeat": "Último heartbeat há {silence:long}",
  "because.idle_awake": "{metric:text} abaixo de {threshold:number}%, em horário de uso sem fim",
  "because.idle_later":
    "{metric:text} abaixo de {threshold:number}%; a ociosidade conta a partir de {since:time}",
  "because.idle":
    "{metric:text} abaixo de {threshold:number}% desde {since:time}, no máximo {highest:number}%",
  "because.resident_model": "{because}. {resident}",
  "because.asked_first":
    "{because}. {provider:text} é consultado antes, e nada é parado que não apareça lá ligado",
  "because.unheard_registered": "Nunca ouvida desde que foi registrada em {from:time}{vanished}",
  "because.unheard_moved": "Não ouvida desde que outra máquina é vigiada, a partir de {from:time}{vanished}",
  "because.unheard_imported": "Não ouvida desde que veio de uma exportação em {from:time}{vanished}",
  "because.unheard_started": "Não ouvida desde que foi encontrada ligada em {from:time}{vanished}",
  "because.unheard_unknown": "Não ouvida desde {from:time}{vanished}",
  "because.listed_no_more": ", e o provedor não a lista mais",
  "because.not_stopped": "{because}. Nada é feito a respeito: {why}",
  "because.heard_there": "{because}. Talvez ela seja ouvida lá, por isso nada é feito a respeito",
  "because.somebody_uses_it": "{because}. Alguém pode estar usando-a, por isso nada é feito a respeito",
  "because.not_by_policy": "{because}. Por esta política nada é feito a respeito",
  "because.silent_never": "Nunca ouvida, órfã desde {since:time}",
  "because.silent": "Nenhum heartbeat desde {heard:time}, órfã desde {since:time}",
  "because.and": "{because}. {also}",
  "because.not_deleted":
    "{because}. {why}, e ela não é excluída enquanto pode estar trabalhando (orphan.delete_while_running)",
  "because.alert": "{because}.",

  "event.registered": "Registrada como {name:text}",
  "event.registered_with": "Registrada como {name:text} com o token de inscrição {token:text}",
  "event.changed": "Alterado: {what:text}",
  "event.changed_nothing": "Nada alterado",
  "event.policy_changed": "Política alterada",
  "event.suspended": "Suspensa",
  "event.resumed": "Retomada",
  "event.token_rotated": "Um novo token da instância foi emitido; o anterior é recusado",
  "event.token_rotated_with":
    "Um novo token da instância foi emitido com o token de inscrição {token:text}; o anterior é recusado",
  "event.first_heartbeat": "Primeiro heartbeat recebido",
  "event.restarted": "A instância ou o agente dela foi reiniciado",
  "event.kept_alive": "Mantida viva à mão por {duration:short}",
  "event.goes_on": "Continua como estava: {because}. O que aconteceu desde então não conta",
  "event.set_back": "a instância voltou a um estado anterior",
  "event.imported": "a instância veio de uma exportação",
  "event.breached":
    "Um defeito do serviço: uma decisão não foi executada, pois teria violado uma regra ({what:text}). A instância fica como estava",

  "refusal.hibernated": "A instância está hibernada: acorde-a antes",
  "refusal.deleted": "A instância foi excluída",
  "refusal.already_deleting": "A instância já está sendo excluída",
  "refusal.already_hibernating": "A instância já está sendo hibernada",
  "refusal.is_already": "A instância já está neste estado: {status}",
  "refusal.is": "A instância está {status}",
  "refusal.not_hibernated": "A instância não está hibernada: o estado dela é {status}",
  "refusal.silent": "A instância está em silêncio, e o provedor dela ({provider:text}) não a alcança",
  "refusal.no_provider": "A instância não tem um provedor que possa hiberná-la",
  "refusal.delete_there": "{why}: exclua-a onde ela é alugada",
  "refusal.cannot_wake":
    "O provedor dela ({provider:text}) não pode acordá-la: inicie-a onde ela é alugada, e o primeiro heartbeat será notado",
  "refusal.busy_changing":
    "O provedor e a referência não podem mudar enquanto o estado da instância é {status}",
  "refusal.suspended":
    "O operador suspendeu esta conta: nada é vigiado e nada é feito até que ela seja retomada",
  "refusal.pending":
    "A instância nunca foi ouvida, e outra pessoa pode estar usando a máquina: hiberne-a individualmente",
  "refusal.kept_alive": "A instância é mantida viva",
  "refusal.not_idle": "A instância não está ociosa, ou ninguém sabe disso agora",
  "refusal.changed":
    "A instância mudou desde o pedido: foi acordada, mantida viva, registrada de novo, tem outra máquina ou outro estado, ou não está entre as que foram nomeadas",
  "refusal.no_such_order": "Não há tal ordem em andamento",
  "refusal.by_itself": "A própria instância a executa: ela está na resposta a cada heartbeat",
  "refusal.heard_since":
    "A instância foi ouvida desde que a ordem foi dada: encerre a ordem em vez de recomeçá-la",

  "delivery.parked":
    "Não foi possível entregar {what} em {times:number} tentativas; agora se tenta uma vez por hora",
  "delivery.given_up": "Não foi possível entregar {what} desde {since:time}; foi descartado",
  "delivery.lost": "Não foi possível entregar {what} a tempo; {count:foi descartado|foram descartados}",
  "delivery.unreadable": "um efeito que esta versão do serviço não consegue ler",
  "delivery.chunk": "um bloco de {count:number} {count:heartbeat|heartbeats}",
  "delivery.event": 'o evento "{kind:text}" de {at:time}',
  "delivery.order": "a ordem {kind:text}",
  "delivery.report": "um relato",
  "delivery.heartbeats": "{count:number} {count:heartbeat|heartbeats}",
  "delivery.events": "{count:number} {count:evento|eventos}",
};
