// The whole way of an official client, in every protocol era: from the challenge to a downloaded file.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { ERAS, connected, create, signIn } from './lib/client.mjs';
import { ALICE, startDemo, toolNames } from './lib/demo.mjs';
import { eventually } from './lib/eventually.mjs';
import { callRaw, claims } from './lib/oauth.mjs';
import { MemoryProvider } from './lib/provider.mjs';

/** Agents of the demo's seed, how their runs end and the columns they extract. One per era: starts are exclusive. */
const AGENTS = {
  '2025-11-25': ['Store opening hours', 'Completed', 'storeId,city,opens,closes,clickAndCollect'],
  '2025-06-18': ['Promotion banners', 'Success', 'campaign,headline,discountPercent,url'],
  '2026-07-28': ['Carrier tariffs', 'Completed', 'carrier,zone,weightKg,price,currency'],
};
/** What the first challenge asks for; `spaces:write` is left to a step-up. */
const FIRST_SCOPES = ['agents:read', 'agents:write', 'runs:read', 'spaces:read', 'billing:read'];

let demo;
before(async () => (demo = await startDemo()));
after(() => demo?.stop());

// Most of the time goes into waiting for runs, so the eras wait together.
describe('the official client', { concurrency: true, timeout: 120_000 }, () => {
  for (const era of ERAS) {
    // The steps build upon each other.
    describe(era.name, { concurrency: false }, () => {
      const provider = new MemoryProvider();
      let client;
      let transport;
      const call = async (name, args = {}) => {
        const result = await client.callTool({ name, arguments: args });
        assert.ok(!result.isError, `${name}: ${JSON.stringify(result)}`);
        // The text is the same data, for clients that show nothing else.
        assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
        return result.structuredContent;
      };

      test('finds its way from the challenge to a token', async () => {
        const { callback, journal } = await signIn(demo, era, provider, { login: ALICE });

        const steps = journal.map(({ method, url, status }) => `${method} ${url} ${status}`);
        assert.deepEqual(steps, [
          `POST ${demo.endpoint} 401`,
          `GET ${demo.origin}/.well-known/oauth-protected-resource/mcp 200`,
          `GET ${demo.issuer}/.well-known/oauth-authorization-server 200`,
          `POST ${demo.issuer}/api/oauth/register 201`,
          `POST ${demo.issuer}/api/oauth/token 200`,
        ]);
        const asked = provider.authorizationUrl.searchParams;
        assert.equal(asked.get('resource'), demo.endpoint);
        assert.equal(asked.get('code_challenge_method'), 'S256');
        // The refresh token is the client's own wish, because the authorization server offers one.
        assert.deepEqual(asked.get('scope').split(' '), [...FIRST_SCOPES, 'offline_access']);
        assert.equal(callback.searchParams.get('iss'), demo.issuer);

        const tokens = provider.tokens();
        assert.equal(tokens.token_type, 'Bearer');
        assert.ok(tokens.refresh_token);
        assert.equal(claims(tokens.access_token).aud, demo.endpoint);
        assert.equal(claims(tokens.access_token).iss, demo.issuer);
      });

      test('agrees on the revision', async () => {
        ({ client, transport } = await connected(demo, era, provider));
        assert.equal(client.getNegotiatedProtocolVersion(), era.revision);
        assert.equal(client.getServerVersion().name, 'sequentum-mcp');
        assert.equal(typeof transport.sessionId, era.hasSession ? 'string' : 'undefined');
      });

      test('sees every tool with the schema of its output', async () => {
        const { tools } = await client.listTools();
        assert.deepEqual(tools.map((tool) => tool.name), toolNames());
        for (const tool of tools) {
          assert.equal(tool.inputSchema.type, 'object', tool.name);
          assert.equal(tool.outputSchema?.type, 'object', tool.name);
          assert.ok(tool.title && tool.description && tool.annotations, tool.name);
        }
      });

      test('knows who is signed in', async () => {
        const me = await call('whoami');
        assert.equal(me.organization, ALICE.organization);
        assert.equal(me.clientId, provider.clientInformation().client_id);
        assert.deepEqual(me.scopes, FIRST_SCOPES);
        assert.deepEqual(me.missingScopes, ['spaces:write']);
      });

      test('runs an agent and downloads what it found', async () => {
        const { agents } = await call('list_agents');
        const [wanted, end, columns] = AGENTS[era.revision];
        const agent = agents.find(({ name }) => name === wanted);
        assert.ok(agent, `${wanted} is not among ${agents.map(({ name }) => name)}`);

        const { run } = await call('start_agent', { agentId: agent.id });
        const ids = { agentId: agent.id, runId: run.id };
        const finished = await eventually(
          'The run is finished',
          async () => {
            const now = await call('get_run_status', ids);
            return now.finished && now;
          },
          { within: 60_000, every: 1_000 },
        );
        assert.equal(finished.statusName, end);
        assert.ok(finished.dataCount > 0);

        const files = await call('get_run_files', ids);
        assert.equal(files.returned, files.result.length);
        const csv = files.result.find(({ name }) => name.endsWith('.csv'));
        const { downloadUrl } = await call('get_file_download_url', { ...ids, fileId: csv.id });

        // Whoever has the link may download; the storage host refuses requests that carry a credential.
        const download = await fetch(downloadUrl);
        assert.equal(download.status, 200);
        assert.match(download.headers.get('content-type'), /^text\/csv/);
        const content = await download.text();
        assert.equal(Buffer.byteLength(content), csv.fileSizeBytes);
        const [header, ...rows] = content.trimEnd().split(/\r?\n/);
        assert.equal(header, columns);
        assert.equal(rows.length, finished.dataCount);
      });

      test('is told which argument is wrong', async () => {
        const wrong = [
          [{}, /`agentId`/],
          [{ agentId: 'shoes' }, /`agentId`/],
          [{ agentId: 1, colour: 'red' }, /`colour`/],
        ];
        for (const [args, names] of wrong) {
          const result = await client.callTool({ name: 'get_agent', arguments: args });
          assert.equal(result.isError, true);
          const { error } = JSON.parse(result.content[0].text);
          assert.equal(error.code, 'invalid_arguments');
          assert.match(error.message, names);
          assert.equal(error.retryable, false);
        }
      });

      test('gets a protocol error for an unknown tool', async () => {
        await assert.rejects(client.callTool({ name: 'launch_rocket', arguments: {} }), (error) => {
          assert.equal(error.code, -32602);
          assert.match(error.message, /unknown tool/);
          return true;
        });
      });

      // There are no sessions in 2026-07-28.
      if (era.hasSession) {
        test('ends its session', async () => {
          const handle = transport.sessionId;
          await transport.terminateSession();
          assert.equal(transport.sessionId, undefined);

          const late = await callRaw(demo, provider.tokens().access_token, 'whoami', {}, {
            'mcp-session-id': handle,
            'mcp-protocol-version': era.revision,
          });
          assert.equal(late.status, 404);
          assert.equal((await late.json()).error.data.code, 'session_not_found');
        });
      }

      after(() => client?.close());
    });
  }
});

test('a client whose access token is no good any more refreshes it by itself', { timeout: 30_000 }, async () => {
  const [era] = ERAS;
  const provider = new MemoryProvider();
  await signIn(demo, era, provider, { login: ALICE });
  const before = provider.tokens();
  provider.saveTokens({ ...before, access_token: `${before.access_token.slice(0, -8)}AAAAAAAA` });
  provider.authorizationUrl = undefined;

  const { client, transport, connect, journal } = create(demo, era, provider);
  await connect();
  try {
    const posts = journal.filter(({ method }) => method === 'POST').map(({ url, status }) => `${url} ${status}`);
    assert.deepEqual(posts.slice(0, 3), [
      `${demo.endpoint} 401`,
      `${demo.issuer}/api/oauth/token 200`,
      `${demo.endpoint} 200`,
    ]);
    assert.equal(provider.authorizationUrl, undefined, 'the user was not asked');
    assert.notEqual(provider.tokens().refresh_token, before.refresh_token, 'refresh tokens are good for one use');
    const { structuredContent } = await client.callTool({ name: 'whoami', arguments: {} });
    assert.equal(structuredContent.organization, ALICE.organization);
    await transport.terminateSession();
  } finally {
    await client.close();
  }
});
