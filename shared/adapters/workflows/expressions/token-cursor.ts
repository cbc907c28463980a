import { ExpressionError, type Token } from './lexer.ts';

/** Where the parser stands among the tokens. */
export interface TokenCursor {
  /** The token here or so many further on; the last one, of kind `end`, goes on for ever. */
  peek(ahead?: number): Token;
  /** The token here, and past it. */
  next(): Token;
  isAt(symbol: string, ahead?: number): boolean;
  /** Past the symbol if it stands here. */
  take(symbol: string): boolean;
  /** Past a symbol that must stand here, to go on with or close what `opened` began. @throws ExpressionError */
  expect(symbol: string, opened: Token): void;
}

export function createTokenCursor(tokens: readonly Token[]): TokenCursor {
  let position = 0;
  const end = tokens.at(-1) as Token;
  const peek = (ahead = 0): Token => tokens[position + ahead] ?? end;
  const next = (): Token => tokens[position++] ?? end;
  const isAt = (symbol: string, ahead = 0): boolean =>
    peek(ahead).kind === 'symbol' && peek(ahead).text === symbol;
  const take = (symbol: string): boolean => {
    if (!isAt(symbol)) return false;
    position += 1;
    return true;
  };
  return {
    peek,
    next,
    isAt,
    take,
    expect(symbol, opened) {
      if (take(symbol)) return;
      if (peek().kind === 'end') throw new ExpressionError(`'${opened.text}' is not closed`, opened.offset);
      throw unexpected(peek());
    },
  };
}

/** The language has these in all-lower and all-upper case, and nothing between. */
export const LOGICAL: ReadonlyMap<string, 'and' | 'or' | 'not'> = new Map([
  ['and', 'and'],
  ['AND', 'and'],
  ['or', 'or'],
  ['OR', 'or'],
  ['not', 'not'],
  ['NOT', 'not'],
]);

export function unexpected({ kind, text, offset }: Token): ExpressionError {
  if (kind === 'end') return new ExpressionError('the expression ends too early', offset);
  if (kind === 'string') return new ExpressionError('a string cannot stand here', offset);
  if (kind === 'word' && LOGICAL.has(text.toLowerCase()) && !LOGICAL.has(text)) {
    return new ExpressionError(`'${text}' is written all in lower or all in upper case`, offset);
  }
  return new ExpressionError(`'${text}' cannot stand here`, offset);
}
