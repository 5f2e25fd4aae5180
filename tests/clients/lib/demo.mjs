import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

import { GaveUp, eventually } from './eventually.mjs';

/** Exists in the demo's seed, as does her organisation, number 3. */
export const ALICE = {
  username: 'alice@northwind.example',
  password: 'alice-demo',
  organization: '3',
  organizationName: 'Northwind Retail',
};

/** The build without optional features, as it is shipped. */
export const SHIPPED = 'shipped';
/** The build with the test tools that the official conformance suite asks for. */
export const FIXTURES = 'fixtures';

const debugBuild = (name) => fileURLToPath(new URL(`../../../target/debug/${name}`, import.meta.url));
/** Where each build is: the environment variable that may say so, and the place where `.ci/run clients` puts it. */
const BUILDS = {
  [SHIPPED]: ['SEQUENTUM_MCP_BIN', debugBuild('sequentum-mcp')],
  [FIXTURES]: ['SEQUENTUM_MCP_FIXTURES_BIN', debugBuild('sequentum-mcp-fixtures')],
};

/** Somebody else may take a free port before the server does. */
const ATTEMPTS = 3;

function serverBinary(build = SHIPPED) {
  const [variable, usual] = BUILDS[build];
  const binary = process.env[variable] ?? usual;
  if (!existsSync(binary)) {
    throw new Error(`There is no server at ${binary}: see README.md for how to build it, or set ${variable}`);
  }
  return binary;
}

/** A page of the binary's own catalogue: `tools`, `prompts` or `resources`. */
export function catalogue(page) {
  return JSON.parse(execFileSync(serverBinary(), ['catalog', page, '--json'], { env: {}, encoding: 'utf8' }));
}

/** The names of all tools. */
export function toolNames() {
  return catalogue('tools').tools.map((tool) => tool.name);
}

/** Starts `sequentum-mcp demo` on free ports, with these settings, and waits until it is ready. */
export async function startDemo(settings = {}, build = SHIPPED) {
  const binary = serverBinary(build);
  for (let attempt = 1; ; attempt += 1) {
    const [port, platformPort] = await freePorts(2);
    const demo = launch(binary, port, platformPort, settings);
    try {
      await eventually('The server is ready', () => demo.isReady(), { within: 20_000, every: 50 });
      return demo;
    } catch (error) {
      const hasExited = demo.hasExited();
      await demo.stop();
      if (!hasExited || attempt === ATTEMPTS) {
        throw new Error(`The demo did not start:\n${demo.log()}`, { cause: error });
      }
    }
  }
}

function launch(binary, port, platformPort, settings) {
  const server = spawn(binary, ['demo', '--port', `${port}`, '--platform-port', `${platformPort}`], {
    // Nothing of the developer's environment may change how the server is configured.
    env: settings,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  server.stderr.setEncoding('utf8').on('data', (text) => (log += text));
  const ended = once(server, 'exit');
  // If the tests end early the server goes with them.
  const kill = () => server.kill('SIGKILL');
  process.once('exit', kill);

  const origin = `http://127.0.0.1:${port}`;
  return {
    origin,
    endpoint: `${origin}/mcp`,
    issuer: `http://127.0.0.1:${platformPort}`,
    /** What the server wrote to standard error so far. */
    log: () => log,
    hasExited: () => server.exitCode !== null || server.signalCode !== null,
    async isReady() {
      if (this.hasExited()) throw new GaveUp('The server has exited');
      const answer = await fetch(`${origin}/readyz`);
      await answer.arrayBuffer();
      return answer.ok;
    },
    async stop() {
      process.off('exit', kill);
      server.kill('SIGTERM');
      const timer = setTimeout(kill, 10_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Held until all are known, so that they differ. */
async function freePorts(count) {
  const listeners = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(listeners.map((listener) => once(listener, 'listening')));
  const ports = listeners.map((listener) => listener.address().port);
  await Promise.all(listeners.map((listener) => new Promise((done) => listener.close(done))));
  return ports;
}
