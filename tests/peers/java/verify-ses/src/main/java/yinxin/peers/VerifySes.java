package yinxin.peers;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.Security;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import java.util.StringJoiner;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1InputStream;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.ofdrw.gm.ses.parse.SESVersion;
import org.ofdrw.gm.ses.parse.SESVersionHolder;
import org.ofdrw.gm.ses.parse.VersionParser;
import org.ofdrw.gm.ses.v4.CertDigestObj;
import org.ofdrw.gm.ses.v4.SESeal;
import org.ofdrw.gm.ses.v4.SES_ESPropertyInfo;
import org.ofdrw.gm.ses.v4.SES_Signature;
import org.ofdrw.gm.ses.v4.TBS_Sign;

/**
 * Parses GB/T 38540 objects with ofdrw and verifies their SM2 signatures with BouncyCastle.
 *
 * <pre>
 * java yinxin.peers.VerifySes pdf FILE.pdf …
 * java yinxin.peers.VerifySes seal FILE.esl
 * java yinxin.peers.VerifySes signature SignedValue.dat DATA
 * </pre>
 *
 * `pdf` prints for each file, in order, {"signatures": [...]}, one entry for each signature dictionary; `seal` and
 * `signature` print one such entry. An entry has ses (is it one at all), version,
 * seal_signature (the maker's, over eSealInfo), signature (the signer's, over toSign), data_hash
 * (equals SM3 of the bytes under /ByteRange or of DATA), cert_list (the signer is in the seal's
 * certList), der (re-encoding gives the same bytes), seal_id, seal_name, time, property_info.
 */
public final class VerifySes {
  public static void main(String[] arguments) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    byte[] file = Files.readAllBytes(Path.of(arguments[1]));
    switch (arguments[0]) {
      case "pdf" -> {
        for (int index = 1; index < arguments.length; index++) {
          System.out.println(pdf(arguments[index]));
        }
      }
      case "seal" -> {
        StringJoiner json = new StringJoiner(",", "{", "}");
        SESVersionHolder holder = VersionParser.parseSES_SealVersion(file);
        json.add("\"version\":" + quote(holder.getVersion().toString()));
        seal(json, holder.getInstanceV4Seal());
        System.out.println(json);
      }
      case "signature" ->
          System.out.println(signature(file, Files.readAllBytes(Path.of(arguments[2]))));
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private static String pdf(String path) throws Exception {
    byte[] file = Files.readAllBytes(Path.of(path));
    StringJoiner all = new StringJoiner(",", "{\"signatures\":[", "]}");
    try (PDDocument document = Loader.loadPDF(new File(path))) {
      for (PDSignature one : document.getSignatureDictionaries()) {
        all.add(signature(one.getContents(file), one.getSignedContent(file)));
      }
    }
    return all.toString();
  }

  private static String signature(byte[] padded, byte[] covered) {
    StringJoiner json = new StringJoiner(",", "{", "}");
    SES_Signature object;
    byte[] original;
    try {
      ASN1Primitive primitive;
      try (ASN1InputStream input = new ASN1InputStream(padded)) {
        primitive = input.readObject();
        original = Arrays.copyOf(padded, padded.length - input.available());
      }
      SESVersionHolder holder =
          VersionParser.parseSES_SignatureVersion(ASN1Sequence.getInstance(primitive));
      if (holder.getVersion() != SESVersion.v4) {
        return json.add("\"ses\":false").toString();
      }
      object = holder.getInstanceV4();
    } catch (Exception error) {
      return json.add("\"ses\":false").toString();
    }
    try {
      json.add("\"ses\":true");
      json.add("\"der\":" + Arrays.equals(object.getEncoded(ASN1Encoding.DER), original));
      TBS_Sign toSign = object.getToSign();
      json.add("\"version\":" + toSign.getVersion().getValue());
      json.add("\"time\":" + quote(toSign.getTimeInfo().getTimeString()));
      json.add("\"property_info\":" + quote(toSign.getPropertyInfo().getString()));
      json.add("\"algorithm\":" + quote(object.getSignatureAlgID().getId()));
      json.add(
          "\"signature\":"
              + verify(
                  object.getCert().getOctets(),
                  // The element itself, not what ofdrw would write for it.
                  element(original, 0),
                  object.getSignature().getOctets()));
      byte[] digest = MessageDigest.getInstance("SM3", "BC").digest(covered);
      json.add("\"data_hash\":" + Arrays.equals(digest, toSign.getDataHash().getOctets()));
      SES_ESPropertyInfo property = toSign.getEseal().geteSealInfo().getProperty();
      boolean listed = false;
      if (property.getCertListType().equals(SES_ESPropertyInfo.CertListType)) {
        for (ASN1OctetString one : property.getCertList().getCerts()) {
          listed |= Arrays.equals(one.getOctets(), object.getCert().getOctets());
        }
      } else {
        // The digests this project writes are SM3; another one permits nobody here.
        byte[] wanted = MessageDigest.getInstance("SM3", "BC").digest(object.getCert().getOctets());
        for (CertDigestObj one : property.getCertList().getCertDigestList()) {
          listed |= Arrays.equals(one.getValue().getOctets(), wanted);
        }
      }
      json.add("\"cert_list\":" + listed);
      seal(json, toSign.getEseal());
    } catch (Exception error) {
      json.add("\"error\":" + quote(error.toString()));
    }
    return json.toString();
  }

  private static void seal(StringJoiner json, SESeal seal) throws Exception {
    var info = seal.geteSealInfo();
    json.add("\"seal_id\":" + quote(info.getEsID().getString()));
    json.add("\"seal_name\":" + quote(info.getProperty().getName().getString()));
    json.add("\"vendor\":" + quote(info.getHeader().getVid().getString()));
    json.add("\"picture\":" + quote(info.getPicture().getType().getString()));
    json.add("\"width_mm\":" + ((ASN1Integer) info.getPicture().getWidth()).getValue());
    json.add(
        "\"seal_signature\":"
            + verify(
                seal.getCert().getOctets(),
                info.getEncoded(ASN1Encoding.DER),
                seal.getSignedValue().getOctets()));
  }

  /** The bytes of one child of a DER sequence, as they stand in the input. */
  private static byte[] element(byte[] sequence, int index) throws Exception {
    return ASN1Sequence.getInstance(sequence).getObjectAt(index).toASN1Primitive().getEncoded();
  }

  private static boolean verify(byte[] certificateDer, byte[] message, byte[] value)
      throws Exception {
    Certificate certificate =
        CertificateFactory.getInstance("X.509", "BC")
            .generateCertificate(new ByteArrayInputStream(certificateDer));
    Signature verifier = Signature.getInstance("SM3withSM2", "BC");
    verifier.initVerify(certificate.getPublicKey());
    verifier.update(message);
    return verifier.verify(value);
  }

  private static String quote(String text) {
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

  private VerifySes() {}
}
