package yinxin.peers;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.StringJoiner;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.bouncycastle.asn1.ASN1InputStream;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.util.Store;

/**
 * Verifies every CMS signature of PDFs with PDFBox and BouncyCastle.
 *
 * <pre>java yinxin.peers.VerifyCms [--root ROOT.pem …] FILE.pdf …</pre>
 *
 * Prints for each file, in order, {"signatures": [{"sub_filter", "cms", "digest", "algorithm", "valid", "chain",
 * "attributes", "error"}, …]}: valid = BouncyCastle accepts the signature over the bytes under
 * /ByteRange; chain = each certificate is signed by the next up to one of the roots, and within
 * its dates.
 */
public final class VerifyCms {
  public static void main(String[] arguments) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    List<X509Certificate> roots = new ArrayList<>();
    CertificateFactory factory = CertificateFactory.getInstance("X.509", "BC");
    int index = 0;
    for (; index < arguments.length && arguments[index].equals("--root"); index += 2) {
      byte[] pem = Files.readAllBytes(Path.of(arguments[index + 1]));
      for (var one : factory.generateCertificates(new ByteArrayInputStream(pem))) {
        roots.add((X509Certificate) one);
      }
    }
    for (; index < arguments.length; index++) {
      byte[] file = Files.readAllBytes(Path.of(arguments[index]));
      StringJoiner all = new StringJoiner(",", "{\"signatures\":[", "]}");
      try (PDDocument document = Loader.loadPDF(new File(arguments[index]))) {
        for (PDSignature signature : document.getSignatureDictionaries()) {
          all.add(one(signature, file, roots));
        }
      }
      System.out.println(all);
    }
  }

  private static String one(PDSignature signature, byte[] file, List<X509Certificate> roots) {
    StringJoiner json = new StringJoiner(",", "{", "}");
    json.add("\"sub_filter\":" + quote(signature.getSubFilter()));
    try {
      byte[] covered = signature.getSignedContent(file);
      byte[] container = trimmed(signature.getContents(file));
      CMSSignedData cms;
      try {
        cms = new CMSSignedData(new CMSProcessableByteArray(covered), container);
      } catch (Exception error) {
        return json.add("\"cms\":false").toString();
      }
      json.add("\"cms\":true");
      Collection<SignerInformation> signers = cms.getSignerInfos().getSigners();
      json.add("\"signers\":" + signers.size());
      SignerInformation signer = signers.iterator().next();
      json.add("\"digest\":" + quote(signer.getDigestAlgOID()));
      json.add("\"algorithm\":" + quote(signer.getEncryptionAlgOID()));
      StringJoiner attributes = new StringJoiner(",", "[", "]");
      if (signer.getSignedAttributes() != null) {
        signer.getSignedAttributes().toHashtable().keySet().stream()
            .map(Object::toString).sorted().forEach(oid -> attributes.add(quote(oid.toString())));
      }
      json.add("\"attributes\":" + attributes);
      Store<X509CertificateHolder> certificates = cms.getCertificates();
      @SuppressWarnings("unchecked")
      Collection<X509CertificateHolder> matches = certificates.getMatches(signer.getSID());
      X509CertificateHolder own = matches.iterator().next();
      json.add("\"signer\":" + quote(own.getSubject().toString()));
      boolean valid =
          signer.verify(
              new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(own));
      json.add("\"valid\":" + valid);
      json.add("\"chain\":" + chain(own, certificates, roots));
    } catch (Exception error) {
      json.add("\"error\":" + quote(error.toString()));
    }
    return json.toString();
  }

  /** Walks from the signer to a root by issuer name, verifying each signature. */
  private static boolean chain(
      X509CertificateHolder own, Store<X509CertificateHolder> inside, List<X509Certificate> roots)
      throws Exception {
    JcaX509CertificateConverter converter = new JcaX509CertificateConverter().setProvider("BC");
    List<X509Certificate> pool = new ArrayList<>(roots);
    for (X509CertificateHolder holder : inside.getMatches(null)) {
      pool.add(converter.getCertificate(holder));
    }
    X509Certificate current = converter.getCertificate(own);
    for (int depth = 0; depth < 8; depth++) {
      current.checkValidity(new Date());
      if (roots.contains(current)) {
        return true;
      }
      X509Certificate issuer = null;
      for (X509Certificate candidate : pool) {
        if (candidate.getSubjectX500Principal().equals(current.getIssuerX500Principal())) {
          try {
            current.verify(candidate.getPublicKey(), "BC");
            issuer = candidate;
            break;
          } catch (java.security.GeneralSecurityException wrong) {
            // Same name, other key: look further.
          }
        }
      }
      if (issuer == null || issuer.equals(current)) {
        return false;
      }
      current = issuer;
    }
    return false;
  }

  /** The first DER element: /Contents is padded with zero bytes. */
  private static byte[] trimmed(byte[] padded) throws Exception {
    try (ASN1InputStream input = new ASN1InputStream(padded)) {
      return input.readObject().getEncoded();
    }
  }

  private static String quote(String text) {
    if (text == null) {
      return "null";
    }
    StringBuilder quoted = new StringBuilder("\"");
    for (char one : text.toCharArray()) {
      if (one == '"' || one == '\\') {
        quoted.append('\\').append(one);
      } else if (one < ' ') {
        quoted.append(String.format("\\u%04x", (int) one));
      } else {
        quoted.append(one);
      }
    }
    return quoted.append('"').toString();
  }

  private VerifyCms() {}
}
