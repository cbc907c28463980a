/** Checks run after each change set of each round, so they have to be quick. */
export const contract = (test: string) => ({ '.github/penstock.yml': `test: ${test}\n` });

/** A repository whose one sentence every task wants to change. */
export const GREETING = {
  ...contract('node greeting.test.js'),
  'greeting.js': "export const greeting = 'hello';\n",
  'greeting.test.js':
    "import { test } from 'node:test';\nimport assert from 'node:assert';\nimport { greeting } from './greeting.js';\ntest('greets', () => assert.match(greeting, /hello/));\n",
  'package.json': '{ "type": "module" }\n',
};
export const greetingOf = (text: string) => ({ 'greeting.js': `export const greeting = '${text}';\n` });
