// A real issuer of OpenID Connect, certified software, for the sign-in tests. Prints {"url"} and ends with its stdin. The first
// line on stdin is the address that browsers are sent back to, which is known only once the edge runs; it answers with "ready".
//
// Whoever comes with `login_hint=ann@example.org` is Ann at once; with `login_hint=unproven:ann@example.org`, her address is not
// proven.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

let answer = (_, response) => response.writeHead(503).end();
const server = createServer((request, response) => answer(request, response));
server.listen(0, "127.0.0.1", () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  console.log(JSON.stringify({ url }));
  const lines = createInterface({ input: process.stdin });
  lines.once("line", (redirectUri) => {
    answer = issuer(url, redirectUri);
    console.log(JSON.stringify({ ready: true }));
  });
  lines.on("close", () => process.exit(0));
});

function issuer(url, redirectUri) {
  const signing = (type, options, alg) => ({
    ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }),
    kid: alg,
    alg,
    use: "sig",
  });
  const provider = new Provider(url, {
    clients: [
      { client_id: "edge", client_secret: "s: %+", redirect_uris: [redirectUri], id_token_signed_response_alg: "ES256" },
    ],
    jwks: { keys: [signing("rsa", { modulusLength: 2048 }, "RS256"), signing("ec", { namedCurve: "P-256" }, "ES256")] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    cookies: { keys: ["of no worth"] },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: id.replace("unproven:", ""), email_verified: !id.startsWith("unproven:") }),
    }),
  });
  const serve = provider.callback();
  return async (request, response) => {
    if (!request.url.startsWith("/interaction/")) return serve(request, response);
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    if (prompt.name === "login") {
      const login = { accountId: params.login_hint };
      return provider.interactionFinished(request, response, { login });
    }
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    const consent = { grantId: await grant.save() };
    return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
  };
}
