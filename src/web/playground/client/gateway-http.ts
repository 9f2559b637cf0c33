import type { FetcherParams } from '@graphiql/toolkit';
import type { ExecutionResult } from 'graphql';
import type { HttpStatus, Report } from './connection';

/** Runs a query or mutation and reports how the gateway took the token. */
export async function post(params: FetcherParams, token: string | null, report: Report): Promise<ExecutionResult> {
  const response = await send(params, token).catch(() => {
    report.http({ state: 'unreachable' });
    throw new Error('The gateway does not answer. Is it running?');
  });
  const text = await response.text();
  const result = parseResult(text);
  report.http(statusOf(response.status, result, token));
  if (!result) throw new Error(`The gateway answered ${response.status}: ${text.slice(0, 500) || response.statusText}`);
  return result;
}

function send(params: FetcherParams, token: string | null): Promise<Response> {
  return fetch('/graphql', {
    method: 'POST',
    headers: {
      accept: 'application/graphql-response+json, application/json;q=0.9',
      'content-type': 'application/json',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify(params),
  });
}

function parseResult(text: string): ExecutionResult | null {
  try {
    const result = JSON.parse(text);
    return 'data' in result || 'errors' in result ? result : null;
  } catch {
    return null;
  }
}

function statusOf(httpStatus: number, result: ExecutionResult | null, token: string | null): HttpStatus {
  const refusal = result?.errors?.find(({ extensions }) => extensions?.code === 'UNAUTHENTICATED');
  if (httpStatus !== 401 && !refusal) return { state: 'ready' };
  return { state: token ? 'refused' : 'needsToken', detail: refusal?.message ?? result?.errors?.[0]?.message };
}
