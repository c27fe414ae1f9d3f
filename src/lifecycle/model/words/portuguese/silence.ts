import type { SILENCE as English } from "../english/silence.ts";
import type { Translation } from "../template.ts";

export const SILENCE: Translation<typeof English> = {
  "silence.unheard": "Nunca ouvida: nenhum heartbeat há {silence:long}{since}. O agente está instalado?",
  "silence.since_registered": ", desde que foi registrada",
  "silence.since_moved": ", desde que outra máquina é vigiada",
  "silence.since_imported": ", desde que veio de uma exportação",
  "silence.since_started": ", desde que foi encontrada ligada",
  "silence.costs_if_it_runs": "Se estiver ligada, ela custa dinheiro.",
  "silence.only_observed": "Nada é feito a respeito: a política só observa. Instale o agente.",
  "silence.hibernated_if_running":
    "Ela é hibernada em {at:time} se não for ouvida até lá e {provider:text} a mostrar ligada. Instale o agente, ou mantenha-a viva.",
  "silence.heard_elsewhere":
    "Talvez ela seja ouvida no lugar de onde foi exportada, por isso nada é feito a respeito: faça o agente dela enviar para cá, ou remova-a daqui.",
  "silence.not_stopped":
    "Nada é feito a respeito: {why}. Instale o agente, exclua-a onde ela é alugada, ou remova-a daqui se essa máquina não existe.",
  "silence.not_acted_on":
    "Nada é feito a respeito: instale o agente, hiberne-a por aqui, ou remova-a daqui se essa máquina não existe.",
  "silence.not_acted_on_by_policy":
    "Nada é feito a respeito (orphan.act_on_never_heard): instale o agente, hiberne-a por aqui, ou remova-a daqui se essa máquina não existe.",
  "silence.nobody_can_stop": "Ninguém pode parar esta máquina: conecte o provedor dela",
  "silence.nobody_can_stop_unheard":
    "Ninguém pode parar esta máquina: conecte o provedor dela. Instale o agente, pare-a onde ela é alugada, ou remova-a daqui se essa máquina não existe.",
  "silence.alert_unheard": "Nunca ouvida. O agente está instalado?",
  "silence.alert_unheard_unstoppable":
    "Nunca ouvida. O agente está instalado? Ninguém pode parar esta máquina: conecte o provedor dela.",
  "silence.alert_vanished": "O provedor não a lista mais. Ela foi excluída lá?",
  "silence.alert_no_heartbeat_ever": "Nenhum heartbeat até hoje. Pode estar travada.",
  "silence.alert_seconds": "Nenhum heartbeat há {silence:long}. Pode estar travada.",
  "silence.alert_minutes":
    "Nenhum heartbeat há {minutes:number} {minutes:minuto|minutos}. Pode estar travada.",

  "silence.orphaned": "A instância {name:text} pode estar travada: nenhum heartbeat há {silence:long}{ahead}",
  "silence.hibernation_ahead": ". Se não for ouvida até {at:time}, ela é hibernada. {risks}",
  "silence.step": "Nenhum heartbeat há {silence:long}. {consequence}",
  "silence.step_unheard": "Nunca ouvida, há {silence:long}. {consequence}",
  "silence.is_hibernated": "Ela está hibernada.",
  "silence.is_hibernated_and": "Ela está hibernada, e {deletion}.",
  "silence.will_be_deleted": "será excluída depois de {at:time}",
  "silence.would_be_deleted": "seria excluída depois de {at:time}, mas a política só observa",
  "silence.no_provider_acts":
    "Nenhum provedor pode agir sobre uma instância em silêncio (provedor: {provider:text}).",
  "silence.delete_it_there": "Nada é parado: {why}. Exclua-a lá se ninguém precisa dela.",
  "silence.nothing_stopped": "Nada é parado: {why}. Ela {deletion}.",
  "silence.hibernating_it": "Ela é hibernada{condition}.",
  "silence.force_hibernating_it": "Ela é hibernada à força{condition}.",
  "silence.would_hibernate_it": "Ela seria hibernada agora{condition}, mas a política só observa.",
  "silence.if_shown_running": " se {provider:text} a mostrar ligada",

  "silence.recovered": "Recuperada: {because} após {silence:long} como órfã",
  "silence.recovered_unheard": "Recuperada: {because} {silence:long} depois de contar como nunca ouvida",
  "silence.heartbeat_received": "heartbeat recebido",
  "silence.woken": "acordada",
  "silence.heard_while_deleted": "ouvida enquanto ia ser excluída",
  "silence.flapping":
    "Instável: silenciou e voltou {turns:number} vezes em uma hora. Essas idas e vindas não são mais avisadas",
  "silence.no_heartbeat": "nenhum heartbeat",
  "silence.never_heard_if": "nunca ouvida, se {provider:text} a mostrar ligada",

  "guard.opened_for_it":
    "A proteção contra quedas em massa abriu: o silêncio conta de novo a partir de {at:time}",
  "guard.holds_it": "Retido até que uma queda em massa possa ser descartada: {step}",
  "guard.closed_instances":
    "Queda em massa: {silent:number} das suas {total:number} instâncias silenciaram ao mesmo tempo. Nada é hibernado nem excluído por silêncio até que se esclareça",
  "guard.closed_users":
    "Queda em massa: {silent:number} dos {total:number} usuários do serviço silenciaram ao mesmo tempo. Nada é hibernado nem excluído por silêncio até que se esclareça",
  "guard.opened_instances":
    "A queda em massa acabou: {awake:number} de {total:number} instâncias são ouvidas. O silêncio conta de novo a partir de agora",
  "guard.opened_users":
    "A queda em massa acabou: {awake:number} de {total:number} usuários são ouvidos. O silêncio conta de novo a partir de agora",
  "guard.opened_for_good_instances":
    "A queda em massa durou demais: {silent:number} de {total:number} instâncias contam como abandonadas. O silêncio conta de novo a partir de agora",
  "guard.opened_for_good_users":
    "A queda em massa durou demais: {silent:number} de {total:number} usuários contam como abandonados. O silêncio conta de novo a partir de agora",
  "guard.unknown":
    "A proteção de todo o serviço não responde. Até que responda, nada é hibernado por silêncio, por seis horas no máximo, e nada é excluído",
};
