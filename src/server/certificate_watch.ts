/** Renewed certificates: what the files hold now replaces what is in use, if it can be used. */
import type { Certificate, CertificateResult } from "./certificate.ts";
import type { EventLog } from "./event_log.ts";

/** Parts of {@linkcode createCertificateCheck}. */
export interface CertificateCheckOptions {
  /** The certificate in use. */
  readonly current: Certificate;
  readonly load: () => Promise<CertificateResult>;
  /** Puts another certificate to use. */
  readonly use: (certificate: Certificate) => void;
  readonly log: EventLog;
}

/**
 * Creates the check for a renewed certificate; it never rejects, and calls made during one share it. Contents are
 * compared: dates and file watchers are not dependable where a link is turned to another directory, as Kubernetes and
 * certbot do.
 */
export function createCertificateCheck(
  { load, use, log, ...options }: CertificateCheckOptions,
): () => Promise<void> {
  let { current } = options;
  let lastReason: string | undefined;
  let running: Promise<void> | undefined;

  async function check(): Promise<void> {
    const result = await load();
    const reason = result.ok ? undefined : result.reason;
    // Once: a renewal that went wrong would be told every minute until somebody comes.
    if (reason !== undefined && reason !== lastReason) {
      const { expiresAt } = current;
      log.error("new certificate refused, old one kept", { reason, expiresAt });
    }
    lastReason = reason;
    if (!result.ok) return;
    const { cert, key, expiresAt } = result.certificate;
    if (cert === current.cert && key === current.key) return;
    current = result.certificate;
    use(current);
    log.info("certificate replaced", { expiresAt });
  }

  return () => running ??= check().finally(() => running = undefined);
}
