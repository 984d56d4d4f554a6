import { parse, type [[pascal .ROUTE_NAME]]Answer, type Refusal } from './schema';

// Each request gets an answer of its own, never one from a cache.
export const dynamic = 'force-dynamic';

function answer(message: string): Response {
  const body: [[pascal .ROUTE_NAME]]Answer = { ok: true, message, time: new Date().toISOString() };
  return Response.json(body);
}

function refuse(error: string, status: number): Response {
  const body: Refusal = { ok: false, error };
  return Response.json(body, { status });
}

// GET /api/[[.ROUTE_NAME]]
export async function GET(): Promise<Response> {
  return answer('[[.ROUTE_NAME]] is up');
}

// POST /api/[[.ROUTE_NAME]] {"name": "…"}
export async function POST(request: Request): Promise<Response> {
  let value: unknown;
  try {
    value = await request.json();
  } catch {
    return refuse('the body must be JSON', 400);
  }
  const parsed = parse(value);
  if (!parsed.ok) {
    return refuse(parsed.error, 422);
  }
  return answer(`hello, ${parsed.input.name}`);
}
