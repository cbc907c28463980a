import { describe, expect, it } from '@jest/globals';
import { formatScript, loadScript, parseScript } from '../../../../shared/adapters/script/script-file.ts';

const good = `name: demo
note: scripted by hand
turns:
  - id: start
    agent: backend_developer
    when: { task: api, contains: [priority] }
    answer:
      text: On it.
      tool_uses:
        - { name: run_tests, input: {} }
`;

describe('a script file', () => {
  it('is read from YAML, and from JSON', () => {
    const script = parseScript(good, 'demo.yaml');
    expect(script.turns[0]).toMatchObject({ id: 'start', when: { task: 'api' }, answer: { text: 'On it.' } });
    expect(parseScript(JSON.stringify(script), 'demo.json')).toEqual(script);
    expect(parseScript(formatScript(script), 'again.yaml')).toEqual(script);
  });

  it.each([
    [
      'a condition that does not exist',
      good.replace('contains:', 'contians:'),
      'demo.yaml:6:11 turns.0.when: ',
    ],
    ['an answer of nothing', good.replace(/answer:[^]*/, 'answer: {}\n'), 'demo.yaml:7:13 turns.0.answer: '],
    ['a wrong type', good.replace('name: demo', 'name: [demo]'), 'demo.yaml:1:7 name: '],
    [
      'two turns of one id',
      `${good}${good.slice(good.indexOf('  - id'))}`,
      'demo.yaml:11:9 turns.1.id: two turns',
    ],
    ['broken YAML', good.replace('[priority]', '[priority'), 'demo.yaml:7:'],
    ['no turns', 'name: a\nnote: b\n', 'demo.yaml:1:1 turns: '],
  ])('with %s is refused with line and column', (_, text, where) => {
    expect(() => parseScript(text, 'demo.yaml')).toThrow(
      expect.objectContaining({ code: 'config', message: expect.stringContaining(where) }),
    );
  });

  it('that does not exist is named', async () => {
    await expect(loadScript('/nowhere/script.yaml')).rejects.toThrow('/nowhere/script.yaml cannot be read');
  });
});
