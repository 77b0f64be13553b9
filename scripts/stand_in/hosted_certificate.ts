/** The certificate of the hosted stand-in, and the authority that its clients have to trust; neither is worth anything. */
import ca from "./tls/ca.pem" with { type: "text" };
import cert from "./tls/cert.pem" with { type: "text" };
import key from "./tls/key.pem" with { type: "text" };

/** The domain of the hosted proxy, and that of a custom region's: the certificate is for both, and what is below them. */
export const HOSTED_DOMAIN = "hosted.localhost";
export const REGION_DOMAIN = "eu.hosted-region.localhost";

/** The authority, PEM. */
export const HOSTED_CA = ca;

/** The certificate and its private key, PEM. */
export const HOSTED_CERTIFICATE = { cert, key };
