// A grant that is too narrow for a tool is widened when the tool is called, and never loses what it had.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { UnauthorizedError } from '@modelcontextprotocol/client';

import { ERAS, connected } from './lib/client.mjs';
import { ALICE, startDemo } from './lib/demo.mjs';
import { Registration, callRaw } from './lib/oauth.mjs';
import { MemoryProvider } from './lib/provider.mjs';
import { visit } from './lib/user.mjs';

let demo;
before(async () => (demo = await startDemo()));
after(() => demo?.stop());

/** A token that can list agents and nothing else. */
async function narrowToken() {
  const registration = await Registration.create(demo, { name: 'Narrow client' });
  const tokens = await registration.tokens('agents:read', { login: ALICE });
  assert.equal(tokens.scope, 'agents:read');
  assert.equal(tokens.refresh_token, undefined, 'no offline_access, no refresh token');
  return tokens;
}

test('the challenge lists what is held and what is missing', { timeout: 30_000 }, async () => {
  const { access_token: token } = await narrowToken();
  const allowed = await callRaw(demo, token, 'list_agents', {});
  assert.equal(allowed.status, 200);
  const [agent] = (await allowed.json()).result.structuredContent.agents;

  const refused = await callRaw(demo, token, 'get_agent_runs', { agentId: agent.id });
  assert.equal(refused.status, 403);
  assert.equal(
    refused.headers.get('www-authenticate'),
    'Bearer error="insufficient_scope", error_description="the access token lacks the scope runs:read", ' +
      `scope="agents:read runs:read", resource_metadata="${demo.origin}/.well-known/oauth-protected-resource/mcp"`,
  );
  const body = await refused.json();
  assert.equal(body.error, 'insufficient_scope');
  assert.equal(body.scope, 'agents:read runs:read');
});

describe('the official client asks the user for more', { timeout: 60_000 }, () => {
  for (const era of ERAS) {
    test(era.name, async () => {
      const provider = new MemoryProvider();
      // The client wants to know whose tokens these are before it uses them.
      provider.saveTokens({ ...(await narrowToken()), issuer: demo.issuer });
      const narrow = await connected(demo, era, provider);
      const { agents } = (await narrow.client.callTool({ name: 'list_agents', arguments: {} })).structuredContent;
      const request = { name: 'get_agent_runs', arguments: { agentId: agents[0].id } };
      await assert.rejects(narrow.client.callTool(request), UnauthorizedError);
      const asked = provider.authorizationUrl.searchParams.get('scope').split(' ');
      assert.deepEqual(asked, ['agents:read', 'runs:read', 'offline_access']);

      const callback = await visit(provider.authorizationUrl, { login: ALICE });
      await narrow.transport.finishAuth(callback.searchParams);
      await narrow.client.close();

      const { client } = await connected(demo, era, provider);
      const result = await client.callTool(request);
      assert.ok(!result.isError, JSON.stringify(result));
      await client.close();
    });
  }
});
