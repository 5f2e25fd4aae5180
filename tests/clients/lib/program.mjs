import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/**
 * Runs a program to its end and returns its exit code and what it said. `onLine` hears every line of either stream as
 * it comes, and may answer it: it gets the line and a function that writes a line to standard input.
 */
export async function run(command, args, { env = {}, onLine = () => {} } = {}) {
  const child = spawn(command, args, {
    // Nothing of the developer's environment may change what the program does; it must find other programs, though.
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A program that does not listen has ended, which its exit code tells.
  child.stdin.on('error', () => {});
  const said = { stdout: '', stderr: '' };
  const failures = [];
  for (const stream of ['stdout', 'stderr']) {
    createInterface({ input: child[stream] }).on('line', (line) => {
      said[stream] += `${line}\n`;
      Promise.resolve(onLine(line, (answer) => child.stdin.write(`${answer}\n`))).catch((error) => {
        failures.push(error);
        child.kill();
      });
    });
  }
  const [code] = await once(child, 'close');
  if (failures.length > 0) throw failures[0];
  return { code, ...said };
}
