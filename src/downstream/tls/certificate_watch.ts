/** Certificate renewal: replaces the certificate in use when its files have changed and can be used. */
import type { TlsFiles } from "../../config/config.ts";
import type { Logger } from "../../observability/log.ts";
import type { Handler } from "../http/handler.ts";
import type { ListenAddress, Listener } from "../http/listen.ts";
import {
  type Certificate,
  type CertificateResult,
  loadCertificate,
} from "./certificate.ts";
import { listenTls, type TlsLimits } from "./listen_tls.ts";

interface CertificateCheckOptions {
  readonly current: Certificate;
  readonly load: () => Promise<CertificateResult>;
  readonly use: (certificate: Certificate) => void;
  readonly log: Logger;
}

/**
 * Creates the check for a renewed certificate, which never rejects; concurrent calls share one run. It compares what the
 * files contain: modification times and watchers are unreliable if a symbolic link is switched, as by Kubernetes.
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
    // Once: otherwise a failed renewal would be logged every minute until somebody fixes it.
    if (reason !== undefined && reason !== lastReason) {
      const facts = { reason, expiresAt: current.expiresAt };
      log.error("new certificate refused, keeping the old one", facts);
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

interface RenewalOptions {
  readonly limits: TlsLimits;
  readonly files: TlsFiles;
  /** The certificate that the files hold now. */
  readonly current: Certificate;
  /** Registers a listener for the signal to look at once. */
  readonly addSignalListener: (signal: "SIGHUP", listener: () => void) => void;
  /** Told of the certificate in use: the first one, and each that replaces it. */
  readonly onUse: (certificate: Certificate) => void;
  readonly log: Logger;
}

const CHECK_INTERVAL_MS = 60_000;

/** Listens with TLS, and checks for a renewed certificate every minute and on SIGHUP. Throws as {@linkcode listenTls}. */
export async function listenWithRenewal(
  handler: Handler,
  address: ListenAddress,
  { files, current, limits, addSignalListener, onUse, log }: RenewalOptions,
): Promise<Listener> {
  const options = { certificate: current, ...limits };
  const listener = await listenTls(handler, address, options);
  const check = createCertificateCheck({
    current,
    load: () => loadCertificate(files),
    use(certificate) {
      listener.setCertificate(certificate);
      onUse(certificate);
    },
    log,
  });
  onUse(current);
  addSignalListener("SIGHUP", check);
  const timer = setInterval(check, CHECK_INTERVAL_MS);
  return {
    ...listener,
    async close(timeoutMs) {
      clearInterval(timer);
      await listener.close(timeoutMs);
    },
  };
}
