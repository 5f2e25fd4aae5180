import { createHash, randomBytes } from 'node:crypto';

import { visit } from './user.mjs';

/** OAuth by hand, for what the official client does not let a test choose, such as the scopes of the first token. */
export class Registration {
  constructor(demo, client, metadata) {
    this.demo = demo;
    this.clientId = client.client_id;
    this.redirectUri = client.redirect_uris[0];
    this.metadata = metadata;
  }

  /** Registers a client with one redirect URI. */
  static async create(demo, { name, redirectUri = 'http://127.0.0.1:33419/callback' }) {
    const metadata = await json(await fetch(`${demo.issuer}/.well-known/oauth-authorization-server`));
    const answer = await fetch(metadata.registration_endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: name,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
      }),
    });
    return new Registration(demo, await json(answer, 201), metadata);
  }

  /** An authorization request with PKCE, and the verifier that belongs to it. */
  request(scope) {
    const verifier = randomBytes(32).toString('base64url');
    const state = randomBytes(16).toString('base64url');
    const url = new URL(this.metadata.authorization_endpoint);
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: this.clientId,
      redirect_uri: this.redirectUri,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      resource: this.demo.endpoint,
      scope,
      state,
    });
    return { url, verifier, state };
  }

  /** Tokens for a code. */
  async redeem(code, verifier) {
    const answer = await fetch(this.metadata.token_endpoint, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: this.clientId,
        code,
        code_verifier: verifier,
        redirect_uri: this.redirectUri,
        resource: this.demo.endpoint,
      }),
    });
    return json(answer);
  }

  /** The whole way, with the user's consent. */
  async tokens(scope, { login }) {
    const { url, verifier } = this.request(scope);
    const callback = await visit(url, { login });
    return this.redeem(callback.searchParams.get('code'), verifier);
  }
}

/** The claims of a JWT; whoever calls this trusts its sender, nothing is verified. */
export function claims(token) {
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
}

/** One call of a tool as plain HTTP, in the form of 2025-11-25 and without a session. */
export function callRaw(demo, token, name, args, headers = {}) {
  return fetch(demo.endpoint, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
  });
}

async function json(answer, expected = 200) {
  const text = await answer.text();
  if (answer.status !== expected) throw new Error(`${answer.url} answered ${answer.status}: ${text}`);
  return JSON.parse(text);
}
