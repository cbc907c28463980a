import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launcher, runPenstock } from '../../support/run-penstock.ts';

/** What a Node without type stripping is to the launcher; a Node that old need not be on this machine. */
const OLD_NODE = ['--no-strip-types'];

describe('the launcher', () => {
  let project: string;
  let copy: string;

  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), 'penstock-launcher-'));
    mkdirSync(join(project, 'functions', 'cli'), { recursive: true });
    writeFileSync(join(project, 'package.json'), '{"type":"module"}');
    copy = join(project, 'functions', 'cli', 'penstock.js');
    copyFileSync(launcher, copy);
  });

  afterEach(() => rmSync(project, { recursive: true }));

  function bundle(program: string): void {
    const bin = join(project, 'node_modules', 'node', 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'node'), program);
    chmodSync(join(bin, 'node'), 0o755);
  }

  it('is a program', () => {
    expect(statSync(launcher).mode & 0o111).not.toBe(0);
  });

  it('hands over to the project’s own Node where the running one is too old, with arguments and exit code', async () => {
    bundle('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 4\n');
    const { code, stdout } = await runPenstock(['show', '7f3a', '--json'], {
      program: copy,
      nodeArgs: OLD_NODE,
    });
    expect(code).toBe(4);
    expect(stdout.split('\n').slice(1)).toEqual([
      join(project, 'functions', 'cli', 'main.ts'),
      'show',
      '7f3a',
      '--json',
      '',
    ]);
  });

  it('ends as the program that it started ended, and passes signals on', async () => {
    bundle('#!/bin/sh\ntrap "echo stopping; exit 7" TERM\necho ready\nwhile :; do sleep 0.05; done\n');
    let isSent = false;
    const { code, stdout } = await runPenstock(['up'], {
      program: copy,
      nodeArgs: OLD_NODE,
      onOutput: (text, kill) => {
        if (isSent || !text.includes('ready')) return;
        isSent = true;
        kill('SIGTERM');
      },
    });
    expect({ code, stdout }).toEqual({ code: 7, stdout: 'ready\nstopping\n' });
  });

  it('says what to do when there is no Node that is new enough', async () => {
    const { code, stderr } = await runPenstock(['--help'], { program: copy, nodeArgs: OLD_NODE });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^penstock: this is Node \S+ and Penstock needs 22\.18 or newer; run 'npm ci' in /,
    );
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('says what to do when the libraries are not there', async () => {
    writeFileSync(join(project, 'functions', 'cli', 'main.ts'), "import 'commander';\n");
    const { code, stderr } = await runPenstock(['--help'], { program: copy });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(
        /^penstock: the libraries .* are missing; run 'npm ci' in /,
      ) as unknown as string,
    });
  });

  it('runs the real thing in the project’s own Node', async () => {
    expect(existsSync(join(launcher, '../../../node_modules/node/bin/node'))).toBe(true);
    const { code, stdout, stderr } = await runPenstock(['doctor', '--json'], { nodeArgs: OLD_NODE });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('node_modules/node/bin/node');
  });

  it('helps with every command, and each has --json', async () => {
    const { stdout, code } = await runPenstock(['--help']);
    expect(code).toBe(0);
    const commands = [...stdout.matchAll(/^ {2}([a-z-]+) \[options\]/gm)].map((match) => match[1]);
    expect(commands).toEqual([
      'up',
      'demo',
      'submit',
      'plan',
      'runs',
      'show',
      'watch',
      'logs',
      'cancel',
      'pause',
      'resume',
      'retry',
      'fork',
      'decide',
      'message',
      'dead-letters',
      'workflows',
      'open',
      'doctor',
    ]);
    const helps = await Promise.all(commands.map((name) => runPenstock([name ?? '', '--help'])));
    for (const help of helps)
      expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('--json') });
  });
});
