import type { FLEET as English } from "../english/fleet.ts";
import type { Translation } from "../template.ts";

export const FLEET: Translation<typeof English> = {
  "fleet.credentials_refused":
    "As credenciais de {name:text} são recusadas: {problem}. Nada mais é ordenado lá, e as máquinas continuam custando dinheiro: defina outras credenciais, ou peça para verificar estas quando valerem de novo",
  "fleet.no_reason": "sem motivo informado",
  "fleet.partly_listed":
    "Não é possível listar uma parte das máquinas em {provider:text}: {problem}. Ninguém vê o que roda lá sem ser vigiado",
  "fleet.not_listed":
    "Não é possível listar as máquinas em {provider:text}: {problem}. Até que seja, ninguém vê o que roda lá sem ser vigiado. Isso é tentado repetidamente",
  "fleet.let_go":
    "Ninguém vigia mais a máquina {machine:text}: {name:text} a tinha e vigia {watched:text}, sem que o dono a tenha mudado assim. Se estiver ligada, ela custa dinheiro: verifique-a onde ela é alugada, ou registre-a",
  "fleet.enrollment_refused":
    "Uma máquina com o token de inscrição {token:text} diz que é {ref:text} em {provider:text}, que {id:text} vigia. Ela foi recusada. Se é essa máquina, e ela perdeu o disco, remova a instância ou instale o agente com um token próprio; se não é, alguém tem o seu token de inscrição: revogue-o",
  "fleet.not_delivered":
    "Não foi possível entregar uma mensagem ao canal {name:text} ({kind:text}): {because}",
  "fleet.channel_gone":
    "O canal {name:text} ({kind:text}) não existe mais: {because}. Nada mais é avisado lá. Dê a ele outro endereço, ou apague-o",
  "channel.test_title": "Teste deste canal",
  "channel.test_heading": "Teste deste canal: os alertas do Dumont Agent System vão chegar aqui",

  "budget.day_used_up":
    "O orçamento do dia acabou: {spent:dollars} de {limit:dollars} desde 00:00 UTC{pace}{breaks}{unknown}.",
  "budget.month_used_up":
    "O orçamento do mês acabou: {spent:dollars} de {limit:dollars} desde o dia 1º{pace}{breaks}{unknown}.",
  "budget.day_used":
    "O orçamento do dia está em {percent:number} %: {spent:dollars} de {limit:dollars} desde 00:00 UTC{pace}{breaks}{unknown}.",
  "budget.month_used":
    "O orçamento do mês está em {percent:number} %: {spent:dollars} de {limit:dollars} desde o dia 1º{pace}{breaks}{unknown}.",
  "budget.pace": ", e mais {rate:dollars} a cada hora",
  "budget.day_breaks": ". Nesse ritmo ele acaba às {at:text} UTC",
  "budget.month_breaks": ". Nesse ritmo ele acaba em {at:text}",
  "budget.unknown":
    ". De {count:number} {count:instância não se sabe o preço, e ela não é contada|instâncias não se sabe o preço, e elas não são contadas}",
  "budget.nothing_stopped": "Nada é parado por isso.",

  "budget.hibernating": "Hibernando {count:number} {count:instância|instâncias}",
  "budget.hibernating_idle": "Hibernando {count:number} {count:instância ociosa|instâncias ociosas}",
  "budget.nothing_else": "Nada mais está ligado.",
  "budget.go_on": "{count:number} {count:instância continua|instâncias continuam}: {named}{more}.",
  "budget.more_go_on":
    "Mais de {count:number} {count:instância continua|instâncias continuam}: {named}{more}.",
  "budget.one": "{name:text} ({why}, {price})",
  "budget.price": "{rate:dollars} por hora",
  "budget.price_unknown": "preço desconhecido",
  "round.by_budget": "O orçamento acabou: hibernando {whom}{filter}: {counts}",
  "round.by_owner": "Você pediu: hibernando {whom}{filter}: {counts}",
  "round.all_instances": "todas as instâncias",
  "round.idle_instances": "as instâncias ociosas",
  "round.filter": " de {filter:text}",
  "round.counts":
    "{count:number} {count:instância|instâncias}, o que economiza {saving:dollars} por hora{unknown}",
  "round.unpriced": ", sem {count:number} de preço desconhecido",
  "round.left":
    "Não foi possível mandar hibernar {count:number} {count:instância, que pode|instâncias, que podem} continuar custando dinheiro: {named}{more}",
  "round.one": "{id:text} ({why})",
  "round.more": " e mais {count:number}",
  "round.working": "trabalhando",
  "round.idle": "ociosa",
  "round.silent": "silenciosa",
  "round.pending": "nunca ouvida",
  "round.hibernating": "hibernando",
  "round.hibernated": "hibernada",
  "round.waking": "acordando",
  "round.deleting": "sendo excluída",
  "round.deleted": "excluída",
  "round.no_provider": "não há provedor",
  "round.not_connected": "sem conexão",
  "round.refused": "credenciais recusadas",
  "round.cannot_stop": "não pode ser parada",
  "round.observe": "só observada",
  "round.kept_alive": "mantida ativa",
  "round.not_idle": "não ociosa",
  "round.changed": "mudou",
  "round.busy": "ocupada",
  "round.out_of_reach": "fora de alcance",
  "round.unreadable": "não pode ser lida",
  "round.dropped": "descartada",
  "unwatched.run":
    "{count:number} {count:máquina ligada|máquinas ligadas} em {provider:text} sem que ninguém {count:a vigie|as vigie}: {cost}. {named}",
  "unwatched.still_run":
    "{count:number} {count:máquina ainda ligada|máquinas ainda ligadas} em {provider:text} sem que ninguém {count:a vigie|as vigie}: {cost}. {named}",
  "unwatched.cost": "{rate:dollars} por hora ao todo",
  "unwatched.cost_more": "{rate:dollars} por hora e mais, já que não se sabe o preço de {count:number}",
  "unwatched.cost_unknown": "não se sabe quanto custam",
  "unwatched.machine": "{name:text} ({facts})",
  "unwatched.price": "{rate:dollars} por hora",
  "unwatched.price_unknown": "preço não conhecido",
  "unwatched.created": "criada em {at:time}",
  "unwatched.up": "vista ligada desde {at:time}",
  "unwatched.unsure": "estado não conhecido desde {at:time}",
  "unwatched.asleep": "a instância {id:text} dela consta como hibernada",
  "unwatched.more": "e mais {count:number}",
  "fleet.list_cut": "a lista é longa demais, e o fim dela fica de fora",
  "fleet.too_many_waited": "mais de {count:number} mensagens esperavam por ele",
};
