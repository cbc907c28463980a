import type { z } from 'zod';

/** What a setting takes, in the words of who sets it: for all that its schema says nothing of by itself. */
export const whatItTakes: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return typeWords[issue.expected] ?? 'a text';
    case 'invalid_value':
      return `one of ${issue.values.map((value) => (value === '' ? 'nothing' : String(value))).join(', ')}`;
    case 'invalid_format':
      return issue.format === 'url' ? 'an http or https URL' : undefined;
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${amountOf(issue, issue.minimum)}`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${amountOf(issue, issue.maximum)}`;
    default:
      return undefined;
  }
};

const typeWords: Record<string, string> = { number: 'a number', int: 'a whole number' };

function amountOf({ origin }: { origin: string }, limit: number | bigint): string {
  return origin === 'string' ? `${limit} characters` : String(limit);
}
