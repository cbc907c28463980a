import { Hono } from 'hono';
export const api = { name: 'api', app: (_r: unknown) => { const a = new Hono(); return a; } };
