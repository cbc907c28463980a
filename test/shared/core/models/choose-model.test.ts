import { describe, expect, it } from '@jest/globals';
import { chooseModel } from '../../../../shared/core/models/choose-model.ts';
import { modelById, modelTable } from '../../../../shared/core/models/model-table.ts';

const today = '2026-11-20';

describe('chooseModel', () => {
  it.each(['fast', 'balanced', 'deep'] as const)('gives the model of tier %s', (tier) => {
    expect(chooseModel({ tier, unavailable: [], today }).tier).toBe(tier);
  });

  it('takes a deeper model before a lighter one when the first does not answer', () => {
    const down = ['claude-sonnet-5-5'];
    expect(chooseModel({ tier: 'balanced', unavailable: down, today }).id).toBe('claude-opus-5-5');
    down.push('claude-opus-5-5');
    expect(chooseModel({ tier: 'balanced', unavailable: down, today }).id).toBe('claude-haiku-5-5');
  });

  it('passes over a model from the day it retires', () => {
    const table = modelTable.map((model) => (model.tier === 'deep' ? { ...model, retiresOn: today } : model));
    expect(chooseModel({ tier: 'deep', unavailable: [], today, table }).tier).toBe('balanced');
    expect(chooseModel({ tier: 'deep', unavailable: [], today: '2026-11-19', table }).tier).toBe('deep');
  });

  it('asks to come back later when no model answers', () => {
    const unavailable = modelTable.map(({ id }) => id);
    expect(() => chooseModel({ tier: 'fast', unavailable, today })).toThrow(
      expect.objectContaining({ code: 'unavailable', retry: 'later' }),
    );
  });
});

describe('the model table', () => {
  it('has each id once, with dated prices and a cheaper cache', () => {
    expect(new Set(modelTable.map(({ id }) => id)).size).toBe(modelTable.length);
    for (const { prices, pricesAsOf, longPrompt } of modelTable) {
      expect(pricesAsOf).toMatch(/^\d{4}-\d\d-\d\d$/);
      expect(prices.cacheRead).toBeLessThan(prices.input);
      expect(longPrompt?.prices.input ?? Infinity).toBeGreaterThan(prices.input);
    }
  });

  it('does not know a price for every model, and says which it knows', () => {
    expect(() => modelById('gpt-1')).toThrow('claude-sonnet-5-5');
  });
});
