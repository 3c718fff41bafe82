package yinxin.peers;

import java.io.FileInputStream;
import java.io.InputStream;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.LogManager;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/**
 * Validates PDFs with veraPDF against the flavour of PDF/A that each says it is, and prints one
 * JSON object a file:
 *
 * <pre>
 * VerifyPdfa FILE …
 * {"file": …, "flavour": "2b", "compliant": true, "failures": ["6.4-1: …", …]}
 * </pre>
 *
 * flavour is "" when the file does not say; it is then measured against 1b. failures names each
 * broken rule once, with the first message. "error" stands in place of all but file when veraPDF
 * cannot read it.
 */
public final class VerifyPdfa {
  private VerifyPdfa() {}

  public static void main(String[] arguments) {
    LogManager.getLogManager().reset();
    VeraGreenfieldFoundryProvider.initialise();
    for (String file : arguments) {
      System.out.println("{\"file\": " + quoted(file) + ", " + report(file) + "}");
    }
  }

  private static String report(String file) {
    try (InputStream input = new FileInputStream(file);
        PDFAParser parser = Foundries.defaultInstance().createParser(input)) {
      PDFAFlavour said = parser.getFlavour();
      PDFAFlavour flavour =
          said == PDFAFlavour.NO_FLAVOUR ? PDFAFlavour.PDFA_1_B : said;
      try (PDFAValidator validator =
          Foundries.defaultInstance().createValidator(flavour, false)) {
        ValidationResult result = validator.validate(parser);
        Map<String, String> failures = new TreeMap<>();
        for (TestAssertion assertion : result.getTestAssertions()) {
          if (assertion.getStatus() == TestAssertion.Status.FAILED) {
            String rule =
                assertion.getRuleId().getClause()
                    + "-"
                    + assertion.getRuleId().getTestNumber();
            failures.putIfAbsent(rule, assertion.getMessage());
          }
        }
        StringBuilder list = new StringBuilder();
        failures.forEach(
            (rule, message) ->
                list.append(list.length() == 0 ? "" : ", ")
                    .append(quoted(rule + ": " + message)));
        return "\"flavour\": "
            + quoted(said == PDFAFlavour.NO_FLAVOUR ? "" : said.getId())
            + ", \"compliant\": "
            + result.isCompliant()
            + ", \"failures\": ["
            + list
            + "]";
      }
    } catch (Exception error) {
      return "\"error\": " + quoted(error.toString());
    }
  }

  private static String quoted(String text) {
    StringBuilder out = new StringBuilder("\"");
    text.chars()
        .forEach(
            character -> {
              if (character == '"' || character == '\\') {
                out.append('\\').append((char) character);
              } else if (character < 0x20) {
                out.append(String.format("\\u%04x", character));
              } else {
                out.append((char) character);
              }
            });
    return out.append('"').toString();
  }
}
