import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Makes a key and a certificate of its own for `localhost`, which nobody trusts who is not told to. @returns their files. */
export function selfSigned(folder: string): { key: string; cert: string } {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const files = ["-keyout", key, "-out", cert];
  openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...files, ...subject);
  return { key, cert };
}

/** An authority of a test's own. @returns its files. */
export function authority(folder: string, name = "authority"): { key: string; cert: string } {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    "-keyout",
    key,
    "-out",
    cert,
    "-subj",
    `/CN=${name}`,
  );
  return { key, cert };
}

/** A server's key and certificate by that authority. @param subject as in subjectAltName: `DNS:db1`, `IP:10.0.0.1` */
export function certified(
  folder: string,
  { key: caKey, cert: ca }: { key: string; cert: string },
  subject: string,
): { key: string; cert: string } {
  const [key, cert, request] = ["key.pem", "cert.pem", "request.pem"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  openssl(
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    key,
    "-out",
    request,
    "-subj",
    "/CN=server",
    "-addext",
    `subjectAltName=${subject}`,
  );
  const signed = ["-in", request, "-out", cert, "-CA", ca, "-CAkey", caKey, "-CAcreateserial", "-days", "2"];
  openssl("x509", "-req", ...signed, "-copy_extensions", "copy");
  return { key, cert };
}

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { stdio: "ignore" });
}
