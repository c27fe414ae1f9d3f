import type { SignInWords } from "./english.ts";

const problems: SignInWords["problems"] = {
  no_provider: "Este serviço não tem provedor de login.",
  provider_unreachable: "O provedor de login não responde. Tente de novo em instantes.",
  provider_refused: "O provedor de login não deixou você entrar, ou você voltou.",
  expired: "Demorou demais. Comece de novo.",
  not_trusted: "A resposta do provedor de login não pertence ao que foi pedido aqui. Comece de novo.",
  unknown_person:
    "Ninguém em nenhuma conta é conhecido por este login. Peça um convite a um proprietário da sua conta.",
  unverified_email: "Seu provedor não verificou o seu e-mail. Peça que verifique, ou entre por um link.",
  ambiguous_email: "Você está em várias contas. Entre por um link da conta desejada.",
  known_as_another: "Este login pertence a outra pessoa da conta.",
  link_over: "Este link já foi usado ou expirou. Cada um vale uma vez. Peça outro.",
  not_a_person: "Você entrou por um token. Só uma pessoa pode ser conhecida pelo provedor de login.",
  closed: "Esta conta está suspensa, ou você foi removido dela.",
};

export const portugueseSignIn: SignInWords = {
  title: "Entrar no Dumont",
  tagline: "Vigia máquinas alugadas e para as que queimam dinheiro.",
  userToken: "Token de usuário",
  signIn: "Entrar",
  tokenHint: "O token é enviado uma vez e não é guardado. Este navegador fica conectado até você sair.",
  withToken: "Entrar com um token de usuário",
  or: "ou",
  email: "E-mail",
  sendLink: "Enviar um link",
  linkSent: (email) =>
    `Se ${email} pertence a uma pessoa de uma conta, um link está a caminho. Ele vale uma vez, por 15 minutos.`,
  otherEmail: "Outro endereço",
  openid: (name) => `Continuar com ${name}`,
  invited: (provider) =>
    `Você foi convidado. Com ${provider} você entra de novo em qualquer dispositivo; só pelo link, apenas neste.`,
  linkAlone: "Só pelo link",
  close: "Fechar",
  byLink: "Entrando …",
  linkRefused: "Este link já foi usado ou expirou. Cada um vale uma vez. Peça outro.",
  alreadyIn: (name, account) => `Você entrou como ${name} na conta ${account}.`,
  useLink: "Entrar pelo link",
  stay: "Continuar como estou",
  wrongToken: "Este token não é válido.",
  notAUserToken: "Este não é um token de usuário.",
  tooMany: "Tentativas demais. Espere um minuto.",
  suspended: "Esta conta está suspensa. Fale com quem opera o serviço.",
  problems,
  otherProblem: "Não foi possível entrar. Comece de novo.",
  operator: "Página do operador",
};
