import type { HEADINGS as English } from "../english/headings.ts";
import type { Translation } from "../template.ts";

export const HEADINGS: Translation<typeof English> = {
  "heading.registered": "{count:number} {count:instância registrada|instâncias registradas}",
  "heading.changed": "{count:number} {count:instância alterada|instâncias alteradas}",
  "heading.policy_changed": "{count:number} {count:instância|instâncias} com uma nova política",
  "heading.token_rotated": "{count:number} {count:instância|instâncias} com um novo token",
  "heading.first_heartbeat":
    "{count:number} {count:instância ouvida pela primeira vez|instâncias ouvidas pela primeira vez}",
  "heading.idle": "{count:number} {count:instância ociosa|instâncias ociosas}",
  "heading.busy": "{count:number} {count:instância|instâncias} trabalhando de novo",
  "heading.would_hibernate":
    "{count:number} {count:instância não hibernada, embora a política o fizesse|instâncias não hibernadas, embora a política o fizesse}",
  "heading.stop_planned": "{count:number} {count:instância|instâncias} a hibernar em breve",
  "heading.looks_stuck":
    "{count:number} {count:instância|instâncias} trabalhando pelo uso da GPU, mas não pela potência dela",
  "heading.source_unknown":
    "{count:number} {count:instância|instâncias} em uso só porque algo não pode ser lido",
  "heading.never_heard": "{count:number} {count:instância nunca ouvida|instâncias nunca ouvidas}",
  "heading.orphaned": "{count:number} {count:instância órfã|instâncias órfãs}",
  "heading.silent": "{count:number} {count:instância|instâncias} ainda em silêncio",
  "heading.abandoned": "{count:number} {count:instância abandonada|instâncias abandonadas}",
  "heading.rebooted": "{count:number} {count:instância reiniciada|instâncias reiniciadas}",
  "heading.recovered": "{count:number} {count:instância recuperada|instâncias recuperadas}",
  "heading.flapping": "{count:number} {count:instância|instâncias} oscilando",
  "heading.kept_alive": "{count:number} {count:instância mantida viva|instâncias mantidas vivas}",
  "heading.preparing": "{count:number} {count:instância|instâncias} em preparação para hibernar",
  "heading.prepared":
    "{count:number} {count:instância preparada para hibernar|instâncias preparadas para hibernar}",
  "heading.preparation_failed":
    "{count:number} {count:instância ainda não preparada para hibernar, pois um hook falhou|instâncias ainda não preparadas para hibernar, pois um hook falhou}",
  "heading.preparation_overdue":
    "{count:number} {count:instância hibernada sem preparação|instâncias hibernadas sem preparação}",
  "heading.preparation_cancelled":
    "{count:number} {count:instância que afinal não foi hibernada, durante a preparação|instâncias que afinal não foram hibernadas, durante a preparação}",
  "heading.reclaimed":
    "{count:number} {count:instância tomada de volta pelo provedor|instâncias tomadas de volta pelo provedor}",
  "heading.dead_man_hibernated":
    "{count:number} {count:instância hibernada pelo próprio dead-man switch|instâncias hibernadas pelo próprio dead-man switch}",
  "heading.hibernating": "{count:number} {count:instância|instâncias} prestes a hibernar",
  "heading.hibernate_cancelled":
    "{count:number} {count:instância que afinal não foi hibernada|instâncias que afinal não foram hibernadas}",
  "heading.hibernate_failed":
    "{count:number} {count:instância não hibernada, embora devesse ser|instâncias não hibernadas, embora devessem ser}",
  "heading.hibernated": "{count:number} {count:instância hibernada|instâncias hibernadas}",
  "heading.would_wake":
    "{count:number} {count:instância não acordada, embora a política o fizesse|instâncias não acordadas, embora a política o fizesse}",
  "heading.waking": "{count:number} {count:instância|instâncias} acordando",
  "heading.wake_failed": "{count:number} {count:instância não acordada|instâncias não acordadas}",
  "heading.woken": "{count:number} {count:instância acordada de novo|instâncias acordadas de novo}",
  "heading.guard_deferred":
    "{count:number} {count:instância retida pela proteção|instâncias retidas pela proteção}",
  "heading.guard_permitted":
    "{count:number} {count:instância liberada pela proteção|instâncias liberadas pela proteção}",
  "heading.guard_closed":
    "{count:number} {count:instância retida pela proteção|instâncias retidas pela proteção}",
  "heading.guard_opened":
    "{count:number} {count:instância liberada pela proteção|instâncias liberadas pela proteção}",
  "heading.would_delete":
    "{count:number} {count:instância não excluída, embora a política o fizesse|instâncias não excluídas, embora a política o fizesse}",
  "heading.deleting":
    "{count:number} {count:instância prestes a ser excluída|instâncias prestes a ser excluídas}",
  "heading.delete_cancelled":
    "{count:number} {count:instância que afinal não foi excluída|instâncias que afinal não foram excluídas}",
  "heading.delete_failed":
    "{count:number} {count:instância não excluída, embora devesse ser|instâncias não excluídas, embora devessem ser}",
  "heading.accepted_too_late":
    "{count:number} {count:instância viva, mas a ordem já tinha sido aceita|instâncias vivas, mas a ordem já tinha sido aceita}",
  "heading.found_running":
    "{count:number} {count:instância ligada, embora estivesse hibernada|instâncias ligadas, embora estivessem hibernadas}",
  "heading.unwatched": "{count:number} {count:instância|instâncias} que ninguém vigia",
  "heading.vanished": "{count:number} {count:instância|instâncias} que o provedor não lista mais",
  "heading.unwatched_machines":
    "{count:number} {count:instância|instâncias} em um provedor que ninguém vigia",
  "heading.listing_failed": "{count:number} {count:instância|instâncias} que não se consegue listar",
  "heading.looked": "{count:number} {count:instância ainda hibernada|instâncias ainda hibernadas}",
  "heading.deleted": "{count:number} {count:instância excluída|instâncias excluídas}",
  "heading.gone":
    "{count:number} {count:instância que não existe mais no provedor|instâncias que não existem mais no provedor}",
  "heading.history_lost": "{count:number} {count:instância|instâncias} com lacunas no histórico",
  "heading.delivery_parked": "{count:number} {count:instância|instâncias} com algo que não pôde ser entregue",
  "heading.alert_not_delivered":
    "{count:number} {count:instância cujo dono não foi avisado|instâncias cujos donos não foram avisados}",
  "heading.connection_refused":
    "{count:number} {count:instância|instâncias} cujo provedor recusa as credenciais",
  "heading.enrollment_refused":
    "{count:number} {count:instância reivindicada por uma segunda máquina|instâncias reivindicadas por uma segunda máquina}",
  "heading.invariant_breached":
    "{count:number} {count:instância|instâncias} como antes, pois uma decisão foi retida",
  "heading.operator_acted": "{count:number} {count:instância|instâncias} em que o operador agiu",
  "heading.resumed":
    "{count:number} {count:instância retomada de um estado anterior|instâncias retomadas de um estado anterior}",
  "heading.hibernate_all":
    "{count:number} {count:instância hibernada com outras|instâncias hibernadas juntas}",
  "heading.not_all_hibernated":
    "{count:number} {count:instância não hibernada, embora se tenha pedido de todas|instâncias não hibernadas, embora se tenha pedido de todas}",
  "heading.budget_reached": "{count:number} {count:instância|instâncias} de um orçamento que acabou",
  "heading.cleanup": "{count:number} {count:instância limpa|instâncias limpas}",
  "heading.reconciliation": "{count:number} {count:instância conferida|instâncias conferidas}",
  "heading.cost_report": "{count:number} {count:instância|instâncias} no relatório",
  "heading.user_suspended": "{count:number} {count:instância suspensa|instâncias suspensas}",
  "heading.user_resumed": "{count:number} {count:instância retomada|instâncias retomadas}",
  "heading.user_deleted": "{count:number} {count:instância|instâncias} de um usuário excluído",
  "heading.of_kind": "{count:number} {count:instância|instâncias}: {kind:text}",
};
