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
};
