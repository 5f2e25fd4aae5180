import { once } from 'node:events';
import { createServer, request } from 'node:http';

/** A proxy on a free port that adds a token to what goes to `origin`, for tools that cannot send one. */
export async function startProxy(origin, token) {
  const target = new URL(origin);
  let own;
  const revisions = new Set();
  // The server must see its own name, or a foreign one as it was sent.
  const named = (value) => value?.replace(own, target.host);
  const proxy = createServer((incoming, outgoing) => {
    if (incoming.headers['mcp-protocol-version']) revisions.add(incoming.headers['mcp-protocol-version']);
    const headers = { authorization: `Bearer ${token}`, ...incoming.headers };
    for (const name of ['host', 'origin']) if (headers[name]) headers[name] = named(headers[name]);
    const { hostname: host, port } = target;
    const passed = request({ host, port, method: incoming.method, path: incoming.url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    // A client that hangs up must be noticed behind the proxy too.
    outgoing.on('close', () => passed.destroy());
    incoming.pipe(passed);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  own = `127.0.0.1:${proxy.address().port}`;
  return {
    endpoint: `http://${own}/mcp`,
    /** The revisions that were named in a header so far. */
    revisions: () => [...revisions],
    stop: () => {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}
