// Microsoft and GitHub in miniature: their addresses and answers, and whatever a test wants to be wrong with them. Prints
// {"url"} and ends with its stdin.
//
// A test adds `test=<JSON>` to the address where a person would sign in:
//   claims   replace those of the ID token; null removes one
//   header   replaces fields of its header
//   signer   "stranger": signed with a key that is not published
//   emails   what GitHub knows of the account
//   error    the person refused
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const TENANT = "11111111-2222-3333-4444-555555555555";
const CLIENT = { client_id: "edge", client_secret: "hunter2" };

const [ours, strangers] = [0, 1].map(() => generateKeyPairSync("rsa", { modulusLength: 2048 }));
/** What codes and access tokens stand for, until they are used. */
const codes = new Map();
const accessTokens = new Map();

const server = createServer(async (request, response) => {
  const url = new URL(request.url, base());
  const form = new URLSearchParams(await body(request));
  const json = (status, value) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  const route = `${request.method} ${url.pathname.replace(/^\/(common|[0-9a-f-]{36})\//, "/")}`;
  switch (route) {
    case "GET /oauth2/v2.0/authorize":
    case "GET /login/oauth/authorize":
      return response.writeHead(302, { location: authorize(url.searchParams) }).end();
    case "POST /oauth2/v2.0/token": {
      const asked = trade(form);
      return asked ? json(200, { id_token: idToken(asked), access_token: "unused" }) : json(400, { error: "invalid_grant" });
    }
    case "GET /discovery/v2.0/keys":
      return json(200, { keys: [{ ...ours.publicKey.export({ format: "jwk" }), kid: "ours", use: "sig" }] });
    case "POST /login/oauth/access_token": {
      const asked = trade(form);
      if (!asked) return json(200, { error: "bad_verification_code" });
      const token = randomUUID();
      accessTokens.set(`Bearer ${token}`, asked.test.emails);
      return json(200, { access_token: token, token_type: "bearer" });
    }
    case "GET /user/emails": {
      const emails = accessTokens.get(request.headers.authorization);
      return request.headers["user-agent"] && emails ? json(200, emails) : json(401, {});
    }
    default:
      return json(404, {});
  }
});

function base() {
  return `http://127.0.0.1:${server.address().port}`;
}

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Where a person is sent back to. */
function authorize(query) {
  const asked = Object.fromEntries(query);
  const test = JSON.parse(asked.test ?? "{}");
  const back = new URL(asked.redirect_uri);
  back.searchParams.set("state", asked.state);
  if (test.error) {
    back.searchParams.set("error", test.error);
    back.searchParams.set("error_description", "The person said no");
  } else {
    const code = randomUUID();
    codes.set(code, { ...asked, test });
    back.searchParams.set("code", code);
  }
  return back.href;
}

/** What a code stands for. It works once, and only for the client and the attempt that asked for it. */
function trade(form) {
  const asked = codes.get(form.get("code"));
  codes.delete(form.get("code"));
  const challenge = createHash("sha256")
    .update(form.get("code_verifier") ?? "")
    .digest("base64url");
  const right =
    asked?.code_challenge_method === "S256" &&
    asked.code_challenge === challenge &&
    asked.redirect_uri === form.get("redirect_uri") &&
    form.get("grant_type") === "authorization_code" &&
    Object.entries(CLIENT).every(([name, value]) => form.get(name) === value);
  return right ? asked : undefined;
}

function idToken({ nonce, test }) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: `${base()}/${TENANT}/v2.0`,
    aud: CLIENT.client_id,
    exp: now + 300,
    iat: now,
    nbf: now,
    nonce,
    sub: "1",
    tid: TENANT,
  };
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const header = { alg: "RS256", kid: "ours", typ: "JWT", ...test.header };
  const signed = `${encode(header)}.${encode({ ...claims, xms_edov: true, ...test.claims })}`;
  const { privateKey } = test.signer === "stranger" ? strangers : ours;
  return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
}

server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ url: base() })));
createInterface({ input: process.stdin }).on("close", () => process.exit(0));
