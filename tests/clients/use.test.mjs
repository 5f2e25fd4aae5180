// The clients that people use: each signs in, lists, calls, reads and gets, in every revision it can be pinned to.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { UnauthorizedError as UnauthorizedV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { ERAS, connected, signIn } from './lib/client.mjs';
import { ALICE, catalogue, startDemo, toolNames } from './lib/demo.mjs';
import { Registration } from './lib/oauth.mjs';
import { run } from './lib/program.mjs';
import { MemoryProvider } from './lib/provider.mjs';
import { startProxy } from './lib/proxy.mjs';
import { visit } from './lib/user.mjs';

/** Stands in the demo's seed. */
const AGENT = { id: 7304, name: 'Carrier tariffs' };
const URI = `sequentum://agents/${AGENT.id}`;
const PROMPT = { name: 'debug-agent', arguments: { agentName: AGENT.name } };
const SCOPES = 'agents:read agents:write runs:read spaces:read billing:read';
const [LEGACY, MODERN] = ['2025-11-25', '2026-07-28'];
const OLDEST = {
  revision: '2025-03-26',
  options: { versionNegotiation: { mode: 'legacy' }, supportedProtocolVersions: ['2025-03-26'] },
};

let demo;
before(async () => (demo = await startDemo()));
after(() => demo?.stop());

/** What every client must have seen. */
function check({ revision, tools, prompts, resources, organization, agent, prompt }, wanted) {
  assert.equal(revision, wanted);
  assert.deepEqual(tools, toolNames());
  assert.equal(prompts, catalogue('prompts').prompts.length);
  assert.equal(resources, catalogue('resources').resources.length);
  assert.equal(organization, ALICE.organization);
  assert.equal(agent, AGENT.name);
  assert.match(prompt, /`Carrier tariffs`/);
}

/** What a client of either TypeScript generation sees. */
async function use(client) {
  const { tools } = await client.listTools();
  const { prompts } = await client.listPrompts();
  const { resources } = await client.listResources();
  const { structuredContent: me } = await client.callTool({ name: 'whoami', arguments: {} });
  const { contents } = await client.readResource({ uri: URI });
  const { messages } = await client.getPrompt(PROMPT);
  return {
    tools: tools.map(({ name }) => name),
    prompts: prompts.length,
    resources: resources.length,
    organization: me.organization,
    agent: JSON.parse(contents[0].text).name,
    prompt: messages[0].content.text,
  };
}

describe('TypeScript', { concurrency: true, timeout: 60_000 }, () => {
  for (const era of [OLDEST, ...ERAS]) {
    test(`the client of the second generation, ${era.revision}`, async () => {
      const provider = new MemoryProvider();
      await signIn(demo, era, provider, { login: ALICE });
      const { client } = await connected(demo, era, provider);
      check({ revision: client.getNegotiatedProtocolVersion(), ...(await use(client)) }, era.revision);
      await client.close();
    });
  }

  test(`the client of the first generation, ${LEGACY}`, async () => {
    const provider = new MemoryProvider();
    const create = () => {
      const transport = new HttpV1(new URL(demo.endpoint), { authProvider: provider });
      return { client: new ClientV1({ name: 'v1', version: '1.0.0' }), transport };
    };
    const first = create();
    await assert.rejects(first.client.connect(first.transport), UnauthorizedV1);
    const callback = await visit(provider.authorizationUrl, { login: ALICE });
    await first.transport.finishAuth(callback.searchParams.get('code'));

    const { client, transport } = create();
    await client.connect(transport);
    check({ revision: transport.protocolVersion, ...(await use(client)) }, LEGACY);
    assert.ok(transport.sessionId);
    await transport.terminateSession();
    await client.close();
  });
});

describe('Python', { concurrency: true, timeout: 90_000 }, () => {
  for (const { generation, variable, script, mode, revision } of [
    { generation: 'first', variable: 'MCP_PYTHON_V1', script: 'use_v1.py', revision: LEGACY },
    { generation: 'second', variable: 'MCP_PYTHON', script: 'use_v2.py', mode: 'legacy', revision: LEGACY },
    { generation: 'second', variable: 'MCP_PYTHON', script: 'use_v2.py', mode: MODERN, revision: MODERN },
  ]) {
    test(`the client of the ${generation} generation, ${revision}`, async (context) => {
      const python = process.env[variable];
      if (!python) return context.skip(`${variable} names no Python with the package mcp`);
      const path = fileURLToPath(new URL(`python/${script}`, import.meta.url));
      const args = [path, demo.endpoint, `${AGENT.id}`, ...(mode ? [mode] : [])];
      const { code, stdout, stderr } = await run(python, args, {
        env: { PYTHONDONTWRITEBYTECODE: '1' },
        async onLine(line, answer) {
          if (line.startsWith('AUTHORIZE ')) answer(await visit(line.slice(10), { login: ALICE }));
        },
      });
      assert.equal(code, 0, stderr);
      const seen = stdout.split('\n').find((line) => line.startsWith('SEEN '));
      assert.ok(seen, stdout);
      check(JSON.parse(seen.slice(5)), revision);
    });
  }
});

// Its own sign-in needs a terminal and a browser, so it is given a token.
describe('the inspector on the command line', { concurrency: true, timeout: 120_000 }, () => {
  const bin = fileURLToPath(new URL('node_modules/.bin/mcp-inspector', import.meta.url));
  let home;
  let token;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'inspector-'));
    const registration = await Registration.create(demo, { name: 'inspector' });
    ({ access_token: token } = await registration.tokens(SCOPES, { login: ALICE }));
  });
  after(() => rm(home, { recursive: true, force: true }));

  for (const [era, revision] of [
    ['legacy', LEGACY],
    ['modern', MODERN],
  ]) {
    test(`${revision}; the schemas are portable`, async () => {
      // The revision stands in a header of what it sends.
      const proxy = await startProxy(demo.origin, token);
      const inspect = async (...args) => {
        const common = ['--cli', proxy.endpoint, '--transport', 'http', '--format', 'json', '--protocol-era', era];
        const { code, stdout, stderr } = await run(process.execPath, [bin, ...common, ...args], { env: { HOME: home } });
        assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`);
        return JSON.parse(stdout).result;
      };
      try {
        // Strict: it ends with 6 if a schema of a tool would be refused by a model provider.
        const [{ tools }, { prompts }, { resources }, called, { contents }, { messages }] = await Promise.all([
          inspect('--method', 'tools/list', '--strict'),
          inspect('--method', 'prompts/list'),
          inspect('--method', 'resources/list'),
          inspect('--method', 'tools/call', '--tool-name', 'whoami'),
          inspect('--method', 'resources/read', '--uri', URI),
          inspect('--method', 'prompts/get', '--prompt-name', PROMPT.name, '--prompt-args', `agentName=${AGENT.name}`),
        ]);
        const seen = {
          tools: tools.map(({ name }) => name),
          prompts: prompts.length,
          resources: resources.length,
          organization: called.structuredContent.organization,
          agent: JSON.parse(contents[0].text).name,
          prompt: messages[0].content.text,
        };
        const [spoken, ...others] = proxy.revisions();
        assert.deepEqual(others, []);
        check({ revision: spoken, ...seen }, revision);
      } finally {
        proxy.stop();
      }
    });
  }
});

// For clients that know no remote servers: they start it and talk to it over standard input and output.
describe('mcp-remote', { timeout: 60_000 }, () => {
  for (const [protocol, method] of [
    ['legacy', 'initialize'],
    // Behind it is a client of 2025-11-25 all the same; it translates.
    ['auto', 'server/discover'],
  ]) {
    test(`--protocol ${protocol}`, async () => {
      const home = await mkdtemp(join(tmpdir(), 'mcp-remote-'));
      const since = demo.log().length;
      const transport = new StdioClientTransport({
        command: process.execPath,
        args: [
          fileURLToPath(new URL('node_modules/.bin/mcp-remote', import.meta.url)),
          ...[demo.endpoint, '--transport', 'http-only', '--protocol', protocol],
        ],
        // Whatever it finds to open a browser with opens nothing; the test is the user.
        env: { PATH: process.env.PATH, HOME: home, MCP_REMOTE_CONFIG_DIR: home, BROWSER: 'true' },
        stderr: 'pipe',
      });
      let said = '';
      let visited;
      transport.stderr.setEncoding('utf8').on('data', (text) => {
        said += text;
        const [url] = said.match(/^http\S+\/authorize\?\S+(?=\s)/m) ?? [];
        // The answer goes to where it listens, as a browser would bring it.
        if (url) visited ??= visit(url, { login: ALICE }).then((callback) => fetch(callback));
      });
      const client = new ClientV1({ name: 'behind mcp-remote', version: '1.0.0' });
      try {
        await client.connect(transport);
        check({ revision: LEGACY, ...(await use(client)) }, LEGACY);
        assert.equal((await visited)?.status, 200, said);
        const methods = new Set(demo.log().slice(since).match(/(?<=mcp\.method\S*=")[^"]+/g));
        assert.ok(methods.has(method), [...methods].join(' '));
      } catch (error) {
        throw new Error(said, { cause: error });
      } finally {
        await client.close();
        await rm(home, { recursive: true, force: true });
      }
    });
  }
});
