import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import assert from 'node:assert/strict';

import { visit } from './user.mjs';

/** The ways in which the client can agree on a revision. */
export const ERAS = [
  { name: 'legacy', revision: '2025-11-25', hasSession: true, options: { versionNegotiation: { mode: 'legacy' } } },
  {
    name: 'pinned 2025-06-18',
    revision: '2025-06-18',
    hasSession: true,
    options: { versionNegotiation: { mode: 'legacy' }, supportedProtocolVersions: ['2025-06-18'] },
  },
  {
    name: 'pinned 2026-07-28',
    revision: '2026-07-28',
    hasSession: false,
    options: { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  },
];

/** The official client and its transport, not yet connected. Every request it makes is noted in `journal`. */
export function create(demo, era, provider, capabilities = {}) {
  const journal = [];
  const client = new Client({ name: 'official-client-test', version: '1.0.0' }, { ...era.options, capabilities });
  const transport = new StreamableHTTPClientTransport(new URL(demo.endpoint), {
    authProvider: provider,
    fetch: async (url, init) => {
      const answer = await fetch(url, init);
      journal.push({ method: init?.method ?? 'GET', url: String(url), status: answer.status, answer: answer.clone() });
      return answer;
    },
  });
  return { client, transport, journal, connect: () => client.connect(transport) };
}

/** Meets the challenge and lets the user answer it. Returns the callback and what was requested on the way. */
export async function signIn(demo, era, provider, { login }) {
  const { connect, transport, journal } = create(demo, era, provider);
  await assert.rejects(connect(), UnauthorizedError);
  const callback = await visit(provider.authorizationUrl, { login });
  assert.equal(callback.searchParams.get('state'), provider.sentState);
  await transport.finishAuth(callback.searchParams);
  await transport.close();
  return { callback, journal };
}

/** A connected client; the provider has, or gets by refreshing, a token. */
export async function connected(demo, era, provider, capabilities) {
  const whole = create(demo, era, provider, capabilities);
  await whole.connect();
  return whole;
}
