import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import type { Download } from '../../../modules/entitlements/download-software.js';

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:10vh auto;padding:0 1rem}button{font:inherit;padding:.6rem 1.2rem}';
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; form-action *; base-uri 'none'; frame-ancestors 'none'`;

/**
 * Whether a request is a person's, who sees a page. Mail scanners follow links as browsers do and press no button: what
 * only looks at an address takes no download.
 */
export function wantsPage({ headers }: FastifyRequest): boolean {
  const { accept } = headers;
  const preferred = new Negotiator({ headers: { accept } }).mediaType(['application/octet-stream', 'text/html']);
  return accept !== undefined && preferred === 'text/html';
}

/** Answers with the page of a link that is good: what it gives, and a button that takes it. */
export function sendDownloadPage(reply: FastifyReply, download: Download): FastifyReply {
  const { title, version, language, architecture, remainingDownloads, expiresAt } = download;
  return sendPage(
    reply.code(200),
    title,
    `<p>Version ${escaped(version)}, ${escaped(language)}, ${escaped(architecture)}.</p>
<form method="get"><input type="hidden" name="download" value="1"><button>Download</button></form>
<p>Good until ${escaped(expiresAt.toISOString())}, for ${remainingDownloads} more downloads. What is resumed on the same day counts once.</p>`,
  );
}

/** Answers with the page of a link that gives nothing. The status is set already. */
export function sendRefusalPage(reply: FastifyReply, message: string): FastifyReply {
  return sendPage(reply, 'No download', `<p>${escaped(message)}</p>`);
}

function sendPage(reply: FastifyReply, title: string, body: string): FastifyReply {
  return reply
    .header('content-security-policy', POLICY)
    .type('text/html; charset=utf-8')
    .send(
      `<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta name="robots" content="noindex"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${STYLE}</style>\n<h1>${escaped(title)}</h1>\n${body}\n</html>\n`,
    );
}

const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
