/** The product as `make dev` starts it: workerd, the Worker, an agent for this machine, and a demo account. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeSystem, type System } from '../system';

const ROOT = path.resolve(import.meta.dirname, '../../..');

/** How long the start may take: the runtime, a first sign-up, an enrolment, on a computer that does other things as well. */
const START_WITHIN_MS = 150_000;

export interface Product {
  url: string;
  password: string;
  machine: string;
  /** What its shells find of this machine. */
  system: System;
  stop(): Promise<void>;
}

export async function startProduct(): Promise<Product> {
  const state = mkdtempSync(path.join(tmpdir(), 'vsay-product-'));
  const system = makeSystem();
  const child = spawn(path.join(ROOT, 'node_modules/.bin/node'), [path.join(ROOT, 'scripts/dev.mjs')], {
    // The test runner sets a BASE_URL of its own, which is also the name of a setting.
    env: { ...process.env, BASE_URL: '', PORT: '0', STATE: state, SYSTEM_ROOT: system.root, DEMO: '1', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  let said = '';
  const stop = async (): Promise<void> => {
    child.kill('SIGINT');
    await ended;
    rmSync(state, { recursive: true, force: true });
    system.remove();
  };
  const ready = new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      said += chunk.toString();
      if (/To stop/.test(said)) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    void ended.then(() => reject(new Error(`the product ended:\n${said}`)));
    AbortSignal.timeout(START_WITHIN_MS).addEventListener('abort', () =>
      reject(new Error(`the product did not start:\n${said}`)),
    );
  });
  await ready.catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const row = (name: string): string => new RegExp(`${name} +([^ ,]+)`).exec(said)?.[1] ?? '';
  return { url: row('Open'), password: row('Password'), machine: row('Machine'), system, stop };
}

/** A wire that can be cut: a browser that goes through it loses its connections, not its address. */
export async function cuttableWire(to: string): Promise<{ url: string; cut(): number; close(): void }> {
  const target = new URL(to);
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): number => {
    const count = open.size;
    for (const socket of open) socket.resetAndDestroy();
    return count;
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    close: () => {
      cut();
      server.close();
    },
  };
}
