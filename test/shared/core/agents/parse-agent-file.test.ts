import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { parseAgentFile } from '../../../../shared/core/agents/parse-agent-file.ts';
import { validateAgents } from '../../../../shared/core/agents/validate-agents.ts';

const text = await readFile(new URL('../../../../shared/agents/qa_testing.md', import.meta.url), 'utf8');

function reasonsOf(changed: string, file = 'qa_testing.md'): string[] {
  const result = parseAgentFile({ file, text: changed });
  return 'reasons' in result ? result.reasons.map(({ line, message }) => `${line}: ${message}`) : [];
}

function lineOf(part: string, inText = text): number {
  return inText.slice(0, inText.indexOf(part)).split('\n').length;
}

describe('parseAgentFile', () => {
  it('reads metadata, sections and a hash of the whole file', () => {
    const result = parseAgentFile({ file: 'qa_testing.md', text });
    expect(result).toMatchObject({
      agent: { name: 'qa_testing', lane: 'job', result: 'change_set', limits: { turns: 60 } },
    });
    if (!('agent' in result)) return;
    expect(result.agent.sections['Task template']).toContain('{{acceptance}}');
    const other = parseAgentFile({ file: 'qa_testing.md', text: `${text}\n` });
    expect('agent' in other && other.agent.contentHash).not.toBe(result.agent.contentHash);
  });

  it('gives every reason at once, each with its line', () => {
    const broken = text
      .replace('lane: job', 'lane: boat')
      .replace('tier: balanced', 'tier: balanced\ncolour: blue')
      .replace('turns: 60', 'turns: 0')
      .replace('## Output', '## Outputs')
      .replace('{{scope}}', '{{secrets}}');
    const reasons = reasonsOf(broken);
    const at = (part: string): string => `${lineOf(part, broken)}: `;
    expect(reasons).toHaveLength(6);
    expect(reasons.some((reason) => reason.startsWith(at('lane: boat')) && reason.includes('lane'))).toBe(
      true,
    );
    expect(reasons).toContain(`${at('colour: blue')}colour: is not a known field`);
    expect(
      reasons.some((reason) => reason.startsWith(at('turns: 0')) && reason.includes('limits.turns')),
    ).toBe(true);
    expect(reasons.some((reason) => reason.startsWith(at('## Outputs')))).toBe(true);
    expect(reasons.some((reason) => reason.includes('"## Output" is missing'))).toBe(true);
    expect(reasons.some((reason) => reason.includes('{{secrets}} is not a placeholder'))).toBe(true);
  });

  it('names the line of YAML that cannot be read', () => {
    const reasons = reasonsOf(text.replace('type: implementer', 'type: [implementer'));
    expect(reasons[0]).toMatch(/^\d+: /);
    expect(Number(reasons[0]?.split(':')[0])).toBeGreaterThanOrEqual(lineOf('type: implementer'));
  });

  it.each([
    ['no front matter', '# hello', '1: the file must begin with YAML front matter'],
    [
      'an empty section',
      text.replace(/## Handoff\n[\s\S]*$/, '## Handoff\n'),
      'the section "## Handoff" is empty',
    ],
    [
      'a section that stands twice',
      `${text}\n## Handoff\n\nagain\n`,
      'the section "## Handoff" stands twice',
    ],
  ])('refuses %s', (_, changed, reason) => {
    expect(reasonsOf(changed).join('\n')).toContain(reason);
  });

  it('refuses a name that is not the file’s', () => {
    expect(reasonsOf(text, 'tester.md')).toEqual([
      `${lineOf('name: qa')}: the name is qa_testing, so the file must be qa_testing.md`,
    ]);
  });

  it('leaves headings inside code to the code', () => {
    const changed = text.replace('## Handoff\n', '## Handoff\n\n```\n## Not a section\n```\n');
    expect(reasonsOf(changed)).toEqual([]);
  });
});

describe('validateAgents', () => {
  const other = text
    .replaceAll('qa_testing', 'load_testing')
    .replace('[backend_developer, code_reviewer]', '[qa_testing]');
  const alone = text.replace('[backend_developer, code_reviewer]', '[]');

  it('takes a file that is dropped beside the others', () => {
    const result = validateAgents([
      { file: 'qa_testing.md', text: alone },
      { file: 'load_testing.md', text: other },
    ]);
    expect('agents' in result && result.agents.map(({ name }) => name)).toEqual([
      'load_testing',
      'qa_testing',
    ]);
  });

  it('names the line of every agent that does not exist', () => {
    const result = validateAgents([
      { file: 'qa_testing.md', text: text.replace('operations:', 'dependencies: [nobody]\noperations:') },
      { file: 'load_testing.md', text: other },
    ]);
    const messages = 'reasons' in result ? result.reasons.map(({ message }) => message) : [];
    expect(messages).toEqual([
      'next_agents: there is no agent backend_developer',
      'next_agents: there is no agent code_reviewer',
      'dependencies: there is no agent nobody',
    ]);
    expect('reasons' in result && result.reasons[0]?.line).toBe(lineOf('next_agents:') + 1);
  });

  it('does not blame neighbours for a file that is broken', () => {
    const result = validateAgents([
      { file: 'qa_testing.md', text: alone.replace('lane: job', 'lane: boat') },
      { file: 'load_testing.md', text: other },
    ]);
    expect('reasons' in result && result.reasons.map(({ file }) => file)).toEqual(['qa_testing.md']);
  });
});
