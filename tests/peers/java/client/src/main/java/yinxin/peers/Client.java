package yinxin.peers;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.util.JsonFormat;
import com.google.rpc.ErrorInfo;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.StringJoiner;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import yinxin.v1.IssueLicenceRequest;
import yinxin.v1.IssueLicenceResponse;
import yinxin.v1.Language;
import yinxin.v1.LicenceServiceGrpc;
import yinxin.v1.VerificationServiceGrpc;
import yinxin.v1.VerifyDocumentHeader;
import yinxin.v1.VerifyDocumentRequest;
import yinxin.v1.VerifyDocumentResponse;

/**
 * A department's client with grpc-java and mutual TLS.
 *
 * <pre>
 * java yinxin.peers.Client CA.pem CERTIFICATE.pem KEY.pem issue  HOST:PORT REQUEST.json OUT.pdf
 * java yinxin.peers.Client CA.pem CERTIFICATE.pem KEY.pem verify HOST:PORT FILE.pdf
 * </pre>
 *
 * Prints the answer as JSON (without the document); a gRPC error is {"status": …, "message": …,
 * "reason": …, "domain": …, "metadata": …} and ends with 3.
 */
public final class Client {
  private static final int CHUNK_BYTES = 256 * 1024;

  public static void main(String[] arguments) throws Exception {
    var credentials =
        TlsChannelCredentials.newBuilder()
            .trustManager(new File(arguments[0]))
            .keyManager(new File(arguments[1]), new File(arguments[2]))
            .build();
    ManagedChannel channel =
        Grpc.newChannelBuilder(arguments[4], credentials)
            .maxInboundMessageSize(16 * 1024 * 1024)
            .build();
    int code = 0;
    try {
      switch (arguments[3]) {
        case "issue" -> issue(channel, Path.of(arguments[5]), Path.of(arguments[6]));
        case "verify" -> verify(channel, Path.of(arguments[5]));
        default -> throw new IllegalArgumentException(arguments[3]);
      }
    } catch (StatusRuntimeException error) {
      System.out.println(status(error));
      code = 3;
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
    System.exit(code);
  }

  private static void issue(ManagedChannel channel, Path request, Path out) throws Exception {
    IssueLicenceRequest.Builder builder = IssueLicenceRequest.newBuilder();
    JsonFormat.parser().merge(Files.readString(request), builder);
    IssueLicenceResponse answer =
        LicenceServiceGrpc.newBlockingStub(channel)
            .withDeadlineAfter(60, TimeUnit.SECONDS)
            .issueLicence(builder.build());
    Files.write(out, answer.getDocument().toByteArray());
    print(answer.toBuilder().clearDocument().build());
  }

  private static void verify(ManagedChannel channel, Path file) throws Exception {
    byte[] document = Files.readAllBytes(file);
    CompletableFuture<VerifyDocumentResponse> answer = new CompletableFuture<>();
    StreamObserver<VerifyDocumentRequest> parts =
        VerificationServiceGrpc.newStub(channel)
            .withDeadlineAfter(60, TimeUnit.SECONDS)
            .verifyDocument(
                new StreamObserver<>() {
                  @Override
                  public void onNext(VerifyDocumentResponse response) {
                    answer.complete(response);
                  }

                  @Override
                  public void onError(Throwable error) {
                    answer.completeExceptionally(error);
                  }

                  @Override
                  public void onCompleted() {
                    answer.completeExceptionally(
                        new IllegalStateException("the server closed without an answer"));
                  }
                });
    parts.onNext(
        VerifyDocumentRequest.newBuilder()
            .setHeader(
                VerifyDocumentHeader.newBuilder()
                    .setLanguage(Language.LANGUAGE_ENGLISH)
                    .setDocumentBytes(document.length))
            .build());
    for (int start = 0; start < document.length; start += CHUNK_BYTES) {
      int length = Math.min(CHUNK_BYTES, document.length - start);
      parts.onNext(
          VerifyDocumentRequest.newBuilder()
              .setChunk(ByteString.copyFrom(document, start, length))
              .build());
    }
    parts.onCompleted();
    try {
      print(answer.get(60, TimeUnit.SECONDS));
    } catch (ExecutionException error) {
      if (error.getCause() instanceof StatusRuntimeException status) {
        throw status;
      }
      throw error;
    }
  }

  private static void print(com.google.protobuf.MessageOrBuilder message) throws Exception {
    System.out.println(
        JsonFormat.printer().preservingProtoFieldNames().omittingInsignificantWhitespace()
            .print(message));
  }

  /** The status with its google.rpc.ErrorInfo. */
  private static String status(StatusRuntimeException error) throws Exception {
    StringBuilder json = new StringBuilder();
    json.append("{\"status\":\"").append(error.getStatus().getCode());
    json.append("\",\"message\":").append(quoted("" + error.getStatus().getDescription()));
    com.google.rpc.Status details = StatusProto.fromThrowable(error);
    if (details != null) {
      for (Any detail : details.getDetailsList()) {
        if (detail.is(ErrorInfo.class)) {
          ErrorInfo info = detail.unpack(ErrorInfo.class);
          json.append(",\"reason\":").append(quoted(info.getReason()));
          json.append(",\"domain\":").append(quoted(info.getDomain()));
          StringJoiner metadata = new StringJoiner(",", "{", "}");
          info.getMetadataMap()
              .forEach((key, value) -> metadata.add(quoted(key) + ":" + quoted(value)));
          json.append(",\"metadata\":").append(metadata);
        }
      }
    }
    return json.append('}').toString();
  }

  private static String quoted(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"";
  }

  private Client() {}
}
