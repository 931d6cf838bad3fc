/** Looks for secrets in everything that was printed. */

/** The secrets that stand in `text`: as they are, in base64, or as in a URL. */
export function leakedSecrets(text: string, secrets: readonly string[]): string[] {
  return secrets.filter((secret) => {
    const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1);
    const forms = [secret, base64, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
    return forms.some((form) => text.includes(form));
  });
}
