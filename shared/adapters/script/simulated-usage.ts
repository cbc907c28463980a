import type { Block, Turn, Usage } from '../../ports/model.ts';
import type { WireRequest } from './messages-protocol.ts';

/** A rough average of English and code. No tokenizer runs: every figure of a scripted model is simulated. */
const BYTES_PER_TOKEN = 4;

/** Input tokens of a request, simulated from its bytes. */
export function simulateInputTokens(request: Omit<WireRequest, 'stream'>): number {
  return prefixTokens(request, request.turns.length);
}

/**
 * Usage of an answer, simulated from bytes alone, so that the same request always costs the same: what the
 * conversation held at its previous call counts as read from the cache, the rest as written to it.
 */
export function simulateUsage(request: WireRequest, blocks: Block[]): Usage {
  const total = simulateInputTokens(request);
  const previousAnswer = request.turns.findLastIndex((turn) => turn.role === 'assistant');
  const cacheRead = previousAnswer < 0 ? 0 : prefixTokens(request, previousAnswer);
  return { input: 0, output: Math.max(1, tokens(blocks)), cacheRead, cacheWrite: total - cacheRead };
}

function prefixTokens(request: Omit<WireRequest, 'stream'>, turns: number): number {
  return tokens([request.tools, request.system, request.turns.slice(0, turns).map(withoutIds)]);
}

/** Ids differ between attempts; what they stand for does not. */
function withoutIds(turn: Turn): unknown {
  return turn.blocks.map((block) => ('id' in block ? { ...block, id: '' } : block));
}

function tokens(value: unknown): number {
  return Math.ceil(Buffer.byteLength(JSON.stringify(value)) / BYTES_PER_TOKEN);
}
