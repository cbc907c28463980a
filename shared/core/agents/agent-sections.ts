import { agentSections } from '../../messages/agent-file.ts';

export type SectionName = (typeof agentSections)[number];

/** A reason in terms of the text it is about. `line` counts from 1 in the whole file. */
export interface LineReason {
  line: number;
  message: string;
}

interface Section {
  title: string;
  line: number;
  text: string;
}

/** The Markdown sections of an agent file; each must stand once, in any order, and say something. */
export function readSections(
  body: string,
  firstLine: number,
): { sections: Record<SectionName, string>; lines: Record<SectionName, number>; reasons: LineReason[] } {
  const found = splitAtHeadings(body, firstLine);
  const reasons = found.filter((section) => !isSectionName(section.title)).map(unknownSection);
  for (const name of agentSections) {
    const [first, ...repeats] = found.filter((section) => section.title === name);
    if (first === undefined)
      reasons.push({ line: firstLine, message: `the section "## ${name}" is missing` });
    else if (first.text === '')
      reasons.push({ line: first.line, message: `the section "## ${name}" is empty` });
    for (const { line } of repeats)
      reasons.push({ line, message: `the section "## ${name}" stands twice; keep one` });
  }
  const named = (name: SectionName): Section =>
    found.find(({ title }) => title === name) ?? { title: name, line: firstLine, text: '' };
  return {
    sections: bySection((name) => named(name).text),
    lines: bySection((name) => named(name).line),
    reasons,
  };
}

function bySection<T>(read: (name: SectionName) => T): Record<SectionName, T> {
  return {
    Context: read('Context'),
    'System instructions': read('System instructions'),
    'Task template': read('Task template'),
    Output: read('Output'),
    Handoff: read('Handoff'),
  };
}

function isSectionName(title: string): title is SectionName {
  return (agentSections as readonly string[]).includes(title);
}

function unknownSection({ title, line }: Section): LineReason {
  return { line, message: `"## ${title}" is not a section; there are ${agentSections.join(', ')}` };
}

/** Headings inside fenced code belong to the code. */
function splitAtHeadings(body: string, firstLine: number): Section[] {
  const sections: Section[] = [];
  let isInCode = false;
  body.split('\n').forEach((text, index) => {
    if (/^\s*(```|~~~)/.test(text)) isInCode = !isInCode;
    const title = isInCode ? undefined : /^## +(.+?)\s*$/.exec(text)?.[1];
    const current = sections.at(-1);
    if (title !== undefined) sections.push({ title, line: firstLine + index, text: '' });
    else if (current !== undefined) current.text += `${text}\n`;
  });
  return sections.map((section) => ({ ...section, text: section.text.trim() }));
}
