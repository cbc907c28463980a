import { styleText } from 'node:util';

export interface Paint {
  dim(text: string): string;
  bold(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

/** Colours, or none: then every function gives its text back unchanged. */
export function createPaint(hasColours: boolean): Paint {
  const of = (style: Parameters<typeof styleText>[0]) => (text: string) =>
    hasColours ? styleText(style, text, { validateStream: false }) : text;
  return { dim: of('dim'), bold: of('bold'), good: of('green'), bad: of('red') };
}
