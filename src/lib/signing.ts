import { jwtVerify, SignJWT } from 'jose';
import { JWTExpired } from 'jose/errors';

/** What a signed text is for: one made for one purpose does not serve another. */
export type Purpose = 'quote' | 'download' | 'upload';

/** Signs and reads small texts that clients hand back: quotes, download links, upload addresses (HS256). */
export interface Signer {
  sign(purpose: Purpose, claims: Record<string, unknown>, expiresAt: Date | null): Promise<string>;
  /** The claims; `'expired'` or `'invalid'` where they do not hold. */
  verify(purpose: Purpose, text: string, now: Date): Promise<Record<string, unknown> | 'expired' | 'invalid'>;
}

/** A signer with the gateway's secret. */
export function createSigner(secret: Uint8Array): Signer {
  return {
    sign: (purpose, claims, expiresAt) => {
      const token = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setAudience(`csp-graph:${purpose}`);
      return (expiresAt ? token.setExpirationTime(expiresAt) : token).sign(secret);
    },
    verify: async (purpose, text, now) => {
      try {
        const { payload } = await jwtVerify(text, secret, {
          algorithms: ['HS256'],
          audience: `csp-graph:${purpose}`,
          currentDate: now,
        });
        return payload;
      } catch (error) {
        return error instanceof JWTExpired ? 'expired' : 'invalid';
      }
    },
  };
}
