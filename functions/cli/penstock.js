#!/usr/bin/env node
// Plain JavaScript without newer syntax: any Node from 18 on can read it, and hands over to one that can run the rest.
import { spawn } from 'node:child_process';
import * as nodeModule from 'node:module';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const OLDEST = '22.18';
const main = new URL('./main.ts', import.meta.url);
const bundledNode = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url));
const project = fileURLToPath(new URL('../..', import.meta.url));

if (process.features.typescript) {
  await runHere();
} else if (existsSync(bundledNode)) {
  runWithBundledNode();
} else {
  fail(
    `this is Node ${process.versions.node} and Penstock needs ${OLDEST} or newer; run 'npm ci' in ${project}, which brings its own`,
  );
}

async function runHere() {
  quietExperimentalWarnings();
  nodeModule.enableCompileCache(
    fileURLToPath(new URL('../../node_modules/.cache/penstock', import.meta.url)),
  );
  try {
    await import(main.href);
  } catch (error) {
    if (
      error?.code !== 'ERR_MODULE_NOT_FOUND' ||
      existsSync(new URL('../../node_modules/commander', import.meta.url))
    )
      throw error;
    fail(`the libraries that Penstock stands on are missing; run 'npm ci' in ${project}`);
  }
}

/** What Node calls experimental here (its SQLite, reading TypeScript) is what this program is built on. */
function quietExperimentalWarnings() {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${warning.name}: ${warning.message}\n`);
  });
}

function runWithBundledNode() {
  const args = ['--disable-warning=ExperimentalWarning', fileURLToPath(main), ...process.argv.slice(2)];
  // Before the start: a signal in between would end this process and leave the other one alone.
  const stopForwarding = forwardSignals(() => child);
  const child = spawn(bundledNode, args, { stdio: 'inherit' });
  child.on('error', (error) =>
    fail(`${bundledNode} does not start (${error.message}); run 'npm ci' again in ${project}`),
  );
  child.on('close', (code, signal) => {
    stopForwarding();
    if (signal === null) process.exitCode ||= code;
    else process.kill(process.pid, signal);
  });
}

function forwardSignals(childOf) {
  const forward = (signal) => childOf().kill(signal);
  // A terminal sends this one to both processes, and twice means at once.
  const interrupt = process.stdin.isTTY ? () => undefined : forward;
  const handlers = { SIGTERM: forward, SIGHUP: forward, SIGINT: interrupt };
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of Object.entries(handlers)) process.removeListener(signal, handler);
  };
}

function fail(message) {
  process.stderr.write(`penstock: ${message}\n`);
  process.exitCode = 2;
}
